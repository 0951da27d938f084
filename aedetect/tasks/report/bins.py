"""Scores of any number of rows, binned as they stream by: how many of each, and where in the input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask

# Histogram: bins of equal ratio, from a thousandth of the threshold to a hundred thousand times it.
_LOW, _HIGH, _PER_DECADE = -3, 5, 20
# Through the rows: between half and all of this many blocks.
MOST_BLOCKS = 400


class ScoreHistogram:
    """Counts of scores in bins of equal ratio; the outermost take all that lies beyond.

    The threshold is an edge, so no bin holds flagged and other rows.
    """

    def __init__(self, threshold: float):
        reference = threshold if threshold > 0 else 1.0
        size = (_HIGH - _LOW) * _PER_DECADE
        self.edges: Floats = reference * 10.0 ** np.linspace(_LOW, _HIGH, size + 1)
        self.counts = np.zeros(size, dtype=np.int64)

    def add(self, scores: Floats) -> None:
        """Scores [rows]; NaN are left out. A score at an edge belongs below it, as at a threshold."""
        bins = np.searchsorted(self.edges, scores[~np.isnan(scores)], side="left") - 1
        self.counts += np.bincount(bins.clip(0, len(self.counts) - 1), minlength=len(self.counts))

    def filled(self) -> tuple[Floats, Integers]:
        """Edges and counts without the empty bins on either side."""
        places = np.flatnonzero(self.counts)
        if not len(places):
            return self.edges[:2], self.counts[:1]
        first, last = int(places[0]), int(places[-1])
        return self.edges[first : last + 2], self.counts[first : last + 1]


@dataclass(frozen=True)
class Block:
    """Rows `first` to `last` (from 1, over all inputs): the highest score, and how many were flagged."""

    first: int
    last: int
    highest: float
    flagged: int


class ScoreTimeline:
    """The highest score of each block of rows; blocks double in length as rows go on coming."""

    def __init__(self) -> None:
        self.rows = 0
        self.size = 1
        self._highest: Floats = np.empty(0)
        self._flagged = np.empty(0, dtype=np.int64)

    def add(self, scores: Floats, flagged: Mask) -> None:
        """One more batch, [rows] each."""
        start = 0
        while start < len(scores):
            taken = min(len(scores) - start, self.size * MOST_BLOCKS - self.rows)
            if not taken:
                self._halve()
                continue
            self._fill(scores[start : start + taken], flagged[start : start + taken])
            start += taken

    def blocks(self) -> list[Block]:
        """The blocks in order; `highest` is NaN where no row of one could be scored."""
        return [
            Block(
                index * self.size + 1,
                min((index + 1) * self.size, self.rows),
                float(highest),
                int(flagged),
            )
            for index, (highest, flagged) in enumerate(zip(self._highest, self._flagged, strict=True))
        ]

    def _fill(self, scores: Floats, flagged: Mask) -> None:
        places = (self.rows + np.arange(len(scores))) // self.size
        needed = int(places[-1]) + 1 - len(self._highest)
        self._highest = np.append(self._highest, np.full(needed, np.nan))
        self._flagged = np.append(self._flagged, np.zeros(needed, dtype=np.int64))
        np.fmax.at(self._highest, places, scores)
        np.add.at(self._flagged, places, flagged.astype(np.int64))
        self.rows += len(scores)

    def _halve(self) -> None:
        odd = len(self._highest) % 2
        highest = np.append(self._highest, [np.nan] * odd).reshape(-1, 2)
        self._highest = np.fmax(highest[:, 0], highest[:, 1])
        self._flagged = np.append(self._flagged, [0] * odd).reshape(-1, 2).sum(axis=1)
        self.size *= 2
