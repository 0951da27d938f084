"""Which columns the errors of flagged rows come from, added up as the rows stream by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Floats, Integers
from aedetect.scoring.base import Scores


@dataclass(frozen=True)
class ColumnAttribution:
    """Over the flagged rows: a column's mean share of the error, and how often it is the largest."""

    column: str
    share: float
    first: int


class AttributionTotals:
    """Shares of the error added up over flagged rows, column by column."""

    def __init__(self, columns: Sequence[str]):
        self._columns = columns
        self._flagged = 0
        self._shares: Floats = np.zeros(len(columns))
        self._first: Integers = np.zeros(len(columns), dtype=np.int64)

    def add(self, scores: Scores) -> None:
        """The flagged rows of one batch."""
        shares = scores.attribution[scores.flagged]
        if len(shares):
            self._flagged += len(shares)
            self._shares += shares.sum(axis=0)
            self._first += np.bincount(shares.argmax(axis=1), minlength=len(self._columns))

    def ranking(self) -> list[ColumnAttribution]:
        """One of each column, the largest share first."""
        attributions = [
            ColumnAttribution(name, float(share) / max(self._flagged, 1), int(first))
            for name, share, first in zip(self._columns, self._shares, self._first, strict=True)
        ]
        return sorted(attributions, key=lambda column: -column.share)
