"""Scores of any number of rows, binned as they stream by: how many of each, and where in the input."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle

import numpy as np

from aedetect.data.arrays import Floats, Integers
from aedetect.tasks.report.outcomes import ALARMS, OUTCOMES, Outcomes

# Histogram: bins of equal ratio, from a thousandth of the threshold to a hundred thousand times it.
_LOW, _HIGH, _PER_DECADE = -3, 5, 20
# Through the rows: so many are shown one by one, more in blocks, of which there are so many at most.
MOST_ROWS, MOST_BLOCKS = 400, 150
# Blocks that are kept, of 1, 10, 100, … rows.
_FINEST, _GROWTH = 4000, 10


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
        first, last = self.range
        return self.edges[first : last + 2], self.counts[first : last + 1]

    @property
    def range(self) -> tuple[int, int]:
        """The first and the last bin that is not empty; the first one where all are."""
        places = np.flatnonzero(self.counts)
        return (int(places[0]), int(places[-1])) if len(places) else (0, 0)


@dataclass(frozen=True)
class Block:
    """Rows `first` to `last` (from 1, over all inputs): the highest score, and how many of each outcome."""

    first: int
    last: int
    highest: float
    outcomes: tuple[int, ...]

    @property
    def flagged(self) -> int:
        return sum(self.outcomes[outcome] for outcome in ALARMS)


class ScoreTimeline:
    """The highest score and the outcomes of each block of rows; blocks grow tenfold as rows go on coming."""

    def __init__(self) -> None:
        self.rows = 0
        self._size = 1
        self._highest: Floats = np.empty(0)
        self._outcomes = np.empty((0, len(OUTCOMES)), dtype=np.int64)

    @property
    def size(self) -> int:
        """Rows of a block: 1, or a round number of which at most `MOST_BLOCKS` come to all rows."""
        size, factors = 1, cycle((2, 2.5, 2))
        while self.rows > MOST_ROWS and -(-self.rows // size) > MOST_BLOCKS:
            size = int(size * next(factors))
        return size

    def add(self, scores: Floats, outcomes: Outcomes) -> None:
        """One more batch, [rows] each."""
        start = 0
        while start < len(scores):
            taken = min(len(scores) - start, self._size * _FINEST - self.rows)
            if not taken:
                self._join(_GROWTH)
                continue
            self._fill(scores[start : start + taken], outcomes[start : start + taken])
            start += taken

    def blocks(self) -> list[Block]:
        """The blocks in order; `highest` is NaN where no row of one could be scored."""
        size = self.size
        joined = _joined(self._highest, self._outcomes, size // self._size)
        return [
            Block(
                index * size + 1, min((index + 1) * size, self.rows), float(highest), tuple(outcomes.tolist())
            )
            for index, (highest, outcomes) in enumerate(zip(*joined, strict=True))
        ]

    def _fill(self, scores: Floats, outcomes: Outcomes) -> None:
        places = (self.rows + np.arange(len(scores))) // self._size
        needed = int(places[-1]) + 1 - len(self._highest)
        self._highest = np.append(self._highest, np.full(needed, np.nan))
        more = np.zeros((needed, len(OUTCOMES)), dtype=np.int64)
        self._outcomes = np.concatenate([self._outcomes, more])
        np.fmax.at(self._highest, places, scores)
        np.add.at(self._outcomes, (places, outcomes), 1)
        self.rows += len(scores)

    def _join(self, factor: int) -> None:
        self._highest, self._outcomes = _joined(self._highest, self._outcomes, factor)
        self._size *= factor


def _joined(highest: Floats, outcomes: Integers, factor: int) -> tuple[Floats, Integers]:
    """Blocks [blocks] and [blocks, outcomes], of which each `factor` in a row become one."""
    lacking = -len(highest) % factor
    highest = np.append(highest, np.full(lacking, np.nan)).reshape(-1, factor)
    outcomes = np.concatenate([outcomes, np.zeros((lacking, len(OUTCOMES)), dtype=np.int64)])
    return np.fmax.reduce(highest, axis=1), outcomes.reshape(-1, factor, len(OUTCOMES)).sum(axis=1)
