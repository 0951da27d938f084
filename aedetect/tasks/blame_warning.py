"""When most of a file is flagged for one column: which it is, and what to do if it moves on by nature."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Integers
from aedetect.scoring.base import Scores

_LEAST_ROWS = 20
# So many times the rate asked, and at least this share of the rows, is no matter of chance.
_TIMES_ASKED, _LEAST_SHARE = 5.0, 0.3
_MOST_BLAMED = 0.6


@dataclass
class BlameCounts:
    """Flagged rows, and of each column those that it is to blame for before all others [columns]."""

    first: Integers
    flagged: int = 0

    def add(self, other: BlameCounts) -> None:
        """Take in other rows."""
        self.first += other.first
        self.flagged += other.flagged


class BlameWarning:
    """Counts by column the flagged rows of one input that it is to blame for before all others."""

    def __init__(self, columns: Sequence[str], alert_rate: float | None):
        self._columns = columns
        self._asked = alert_rate or 0.0
        self.counts = BlameCounts(np.zeros(len(columns), dtype=np.int64))

    def see(self, scores: Scores) -> None:
        """Take in the scores of one batch."""
        flagged = scores.flagged
        self.counts.flagged += int(flagged.sum())
        leading = scores.attribution[flagged].argmax(axis=1)
        self.counts.first += np.bincount(leading, minlength=len(self._columns))

    def conclude(self, name: str, rows: int, respelled: Collection[str] = ()) -> list[str]:
        """What is to be said of the input called `name`, of so many rows; nothing in most cases.

        `respelled`: columns of which it is said that their values are known ones in another spelling.
        """
        share = self.counts.flagged / max(rows, 1)
        leader = int(self.counts.first.argmax()) if len(self.counts.first) else 0
        if (
            self.counts.flagged < _LEAST_ROWS
            or share < max(_TIMES_ASKED * self._asked, _LEAST_SHARE)
            or self.counts.first[leader] < _MOST_BLAMED * self.counts.flagged
        ):
            return []
        column, first = self._columns[leader], int(self.counts.first[leader])
        remedy = (
            "if its values are those of training, write them as they were written there"
            if column in respelled
            else "if its values are new in each file by nature, as running numbers and dates are, train "
            f"without it: {shlex.join(['--exclude', column])}"
        )
        return [
            f"{name}: {self.counts.flagged:,} of {rows:,} rows are flagged, {first:,} of them "
            f"first of all for {column!r}; {remedy}"
        ]
