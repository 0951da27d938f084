"""Does a column run on with the rows? What tells a running number from values that come and go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Floats, Integers

LEAST_ROWS = 50
# Rank correlation with the order of the rows, of steps that all but a few go one way.
_RUNNING = 0.99
# Largest way off a straight line, as a share of the range: as even as numbers given out one by one.
_EVEN = 0.2
# Standard deviations by which records outnumber those of values in random order.
_MANY_RECORDS = 6.0
_UNIFORM = 0.1
# Of values that scatter about a rising level: so much of the order remains, in the whole and in each part.
_CLIMBING = 0.8
_PARTS = 8
_MANY_ROWS = 400
_LONGEST_STEP = 2.5
_MANY_DEVIATIONS = 6.0


@dataclass(frozen=True)
class Growth:
    """How values [rows] stand to their order.

    `trend`: their rank correlation with it, as a share of what is possible with so many equal ones;
    `distinct`: how many there are; `unevenness`: how far off a straight line they run, as a share of their
    range; `records`: by how many standard deviations values beyond all earlier ones outnumber those expected
    in random order; `spread`: how far the values are from evenly spread below the highest before them;
    `climb`: by how many standard deviations they rise within parts of the rows; 0 unless their level
    rises from each part to the next.
    """

    trend: float
    distinct: int
    unevenness: float
    records: float
    spread: float
    climb: float = 0.0

    @property
    def runs(self) -> bool:
        """Whether the values only grow, or only fall, but for a few."""
        return abs(self.trend) >= _RUNNING

    @property
    def climbs(self) -> bool:
        """Whether their level moves on all the time, though they scatter."""
        return _CLIMBING <= abs(self.trend) < _RUNNING and self.climb >= _MANY_DEVIATIONS

    @property
    def is_even(self) -> bool:
        """Whether they do so at an even rate, as no sorted measurement does."""
        return self.unevenness <= _EVEN

    @property
    def reaches_on(self) -> bool:
        """Whether values beyond all earlier ones come more often than chance brings them."""
        return self.records >= _MANY_RECORDS

    @property
    def is_drawn_from_all_so_far(self) -> bool:
        """Whether any number given out so far is as likely as another, as of customers or accounts."""
        return self.reaches_on and self.spread <= _UNIFORM


def growth(values: Floats) -> Growth:
    """How `values` [rows] stand to their order; NaN where there is none."""
    filled = values[np.isfinite(values)]
    distinct = len(np.unique(filled))
    if len(filled) < LEAST_ROWS or distinct < 2:
        return Growth(0.0, distinct, 1.0, 0.0, 1.0)
    trend = _trend(filled)
    # Of a file with the newest rows first the order is that from the last row to the first.
    rising = filled if trend >= 0 else filled[::-1]
    return Growth(trend, distinct, _unevenness(rising), _records(rising), _spread(rising), _climb(rising))


def _trend(filled: Floats) -> float:
    rows = np.arange(len(filled))
    return rank_correlation(filled, rows) / rank_correlation(np.sort(filled), rows)


def _climb(rising: Floats) -> float:
    """Sum of the rank correlations with the order within parts of the rows, in standard deviations."""
    count = _PARTS if len(rising) >= _MANY_ROWS else _PARTS // 2
    parts = np.array_split(rising, count)
    levels = [float(np.median(part)) for part in parts]
    steps = np.diff(levels)
    # In files sorted by what goes along with a column its level moves on by steps of very different size.
    if not (steps > 0).all() or steps.max() > _LONGEST_STEP * steps.mean():
        return 0.0
    # Where values are in random order, the coefficient of n rows has a variance of 1 / (n - 1).
    inner = [rank_correlation(part, np.arange(len(part))) * np.sqrt(len(part) - 1) for part in parts]
    return float(sum(inner) / np.sqrt(count)) if min(inner) > 0 else 0.0


def rank_correlation(first: Floats, second: Floats | Integers) -> float:
    """Spearman's coefficient of two columns [rows] without gaps; 0 where one is constant."""
    ranks = np.stack([_ranks(first), _ranks(second)])
    centered = ranks - ranks.mean(axis=1, keepdims=True)
    norms = np.sqrt((centered**2).sum(axis=1))
    return float(centered[0] @ centered[1] / norms.prod()) if norms.all() else 0.0


def _ranks(values: Floats | Integers) -> Floats:
    """Ranks [rows], those of equal values being their mean."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    after = np.cumsum(counts)
    return (after - (counts - 1) / 2)[places]


def _unevenness(rising: Floats) -> float:
    line = np.linspace(0, 1, len(rising))
    low, high = np.quantile(rising, [0.005, 0.995])
    if not high > low:
        return 1.0
    return float(np.abs((rising - low) / (high - low) - line).max())


def _records(rising: Floats) -> float:
    """Of n values in random order, 1 + 1/2 + ... + 1/n are beyond all before (Rényi, 1962)."""
    highest = np.maximum.accumulate(rising)
    count = 1 + int((rising[1:] > highest[:-1]).sum())
    shares = 1 / np.arange(1, len(rising) + 1)
    deviation = float(np.sqrt((shares * (1 - shares)).sum()))
    return (count - float(shares.sum())) / deviation


def _spread(rising: Floats) -> float:
    """Distance (Kolmogorov-Smirnov) of the values, as shares of the highest before them, from uniform."""
    before = np.maximum.accumulate(rising)[:-1]
    late = slice(len(before) // 4, None)
    low = rising.min()
    span = before[late] - low
    if not (span > 0).all():
        return 1.0
    shares = np.sort(np.clip((rising[1:][late] - low) / span, 0, 1))
    return float(np.abs(shares - np.linspace(0, 1, len(shares))).max())
