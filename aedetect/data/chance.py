"""How far figures of two samples of one source lie apart by chance alone.

Every law counts both samples: rows of training are a sample, too. `chance` is always the probability
that is allowed for one test, of calling a difference where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Integers
from aedetect.data.tails import chi_squared_above, chi_squared_tail, kolmogorov_above, kolmogorov_tail

# Fewer rows than this are to be expected in no cell of a G-test (Cochran, 1954).
LEAST_EXPECTED = 5


@dataclass(frozen=True)
class Sampled:
    """`hits` among `rows` rows. `hits` may be a fraction where rows count for less than one each."""

    hits: float
    rows: float

    @property
    def share(self) -> float:
        return self.hits / self.rows if self.rows else 0.0


def share_chance(before: Sampled, now: Sampled) -> float:
    """The chance of a share as much larger as that of `now`, where both are samples of one source.

    The signed root of the G statistic of the table of two by two, with Yates' correction.
    """
    if not before.rows or not now.rows:
        return 1.0
    fewer = Sampled(max(now.hits - 0.5, 0.0), now.rows)
    more = Sampled(min(before.hits + 0.5, before.rows), before.rows)
    if fewer.share <= more.share:
        return 1.0
    pooled = (fewer.hits + more.hits) / (fewer.rows + more.rows)
    statistic = 2 * sum(
        _surprise(count, part.rows, share)
        for part in (fewer, more)
        for count, share in ((part.hits, pooled), (part.rows - part.hits, 1 - pooled))
    )
    return _beyond_normal(math.sqrt(max(statistic, 0.0)))


def largest_share(before: Sampled, rows: int, chance: float) -> float:
    """The largest share among `rows` new rows that chance alone explains by `share_chance`."""
    return _largest(rows, chance, lambda hits: share_chance(before, Sampled(hits, rows))) / max(rows, 1)


def outside_chance(training: int, outside: int, now: int) -> float:
    """The chance that so many of `now` new values lie below the least or above the largest of `training`.

    They lie before the second of the training values on the circle that ends and begin of the order
    make: at most one of the first `outside + 1` of all values is one of training. Equal values make it less.
    """
    if outside <= 0 or training < 2:
        return 1.0
    drawn = outside + 1
    ways = _log_choose(training + now, drawn)
    none = math.exp(_log_choose(now, drawn) - ways) if drawn <= now else 0.0
    one = math.exp(math.log(training) + _log_choose(now, outside) - ways)
    return min(none + one, 1.0)


def largest_outside(training: int, now: int, chance: float) -> float:
    """The largest share of `now` new values out of the range of training that chance alone explains."""
    return _largest(now, chance, lambda hits: outside_chance(training, hits, now)) / max(now, 1)


def ks_chance(distance: float, before: int, now: int, one_sided: bool = False) -> float:
    """The chance of so large a Kolmogorov–Smirnov distance (Smirnov, 1948; of equal values less)."""
    reach = distance * math.sqrt(before * now / (before + now))
    return math.exp(-2 * reach**2) if one_sided else kolmogorov_tail(reach)


def largest_ks(chance: float, before: int, now: int, one_sided: bool = False) -> float:
    """The largest such distance that chance alone explains."""
    reach = math.sqrt(-math.log(chance) / 2) if one_sided else kolmogorov_above(chance)
    return min(reach * math.sqrt((before + now) / (before * now)), 1.0)


def groups_chance(before: Integers, now: Integers) -> float:
    """The chance of counts [groups] that differ as much: the G-test, with Williams' correction (1976).

    At least `LEAST_EXPECTED` rows are to be expected in each group of each sample.
    """
    table = np.array([before, now], dtype=np.float64)
    rows, columns, total = table.sum(axis=1), table.sum(axis=0), table.sum()
    degrees = len(columns) - 1
    if degrees < 1 or not rows.all() or not columns.all():
        return 1.0
    expected = np.outer(rows, columns) / total
    ratio = np.divide(table, expected, out=np.ones_like(table), where=table > 0)
    statistic = 2 * float((table * np.log(ratio)).sum())
    correction = 1 + (total * (1 / rows).sum() - 1) * (total * (1 / columns).sum() - 1) / (
        6 * total * degrees
    )
    return chi_squared_tail(degrees, max(statistic, 0.0) / correction)


def largest_psi(degrees: int, chance: float, before: int, now: int) -> float | None:
    """The largest stability index of so many groups less one that chance alone explains.

    Times the harmonic mean of the rows it is distributed as chi-squared (Yurdakul & Naranjo, 2020).
    """
    if degrees < 1 or not before or not now:
        return None
    return chi_squared_above(degrees, chance) * (1 / before + 1 / now)


def expected_rare(other: int, counts: Sequence[int], least: int, rows: int) -> Sampled:
    """How many of the `rows` of training would have been of no known category, had each been held out.

    `other` rows have one seen less often than `least` times, which is not known; `counts` [categories] are
    those of the known ones. Of a category seen `least` times each row, held out, leaves one too few: so
    Good and Turing (Good, 1953) put the share of rare ones, of which new rows have more than the training
    rows by themselves say. That estimate varies more than a share of so many rows does, by the categories
    seen once more often still (as Esty, 1983, shows for those never seen): its rows count for less.
    """
    rare = other + least * counts.count(least)
    varies = rare + least * (least + 1) * counts.count(least + 1)
    weight = max(rare, 1) / max(varies, 1)
    return Sampled(rare * weight, rows * weight)


def _surprise(count: float, rows: float, share: float) -> float:
    return count * math.log(count / (rows * share)) if count > 0 else 0.0


def _beyond_normal(deviation: float) -> float:
    return 0.5 * math.erfc(deviation / math.sqrt(2))


def _log_choose(all_of: int, some: int) -> float:
    if not 0 <= some <= all_of:
        return -math.inf
    return math.lgamma(all_of + 1) - math.lgamma(some + 1) - math.lgamma(all_of - some + 1)


def _largest(rows: int, chance: float, chance_of: Callable[[int], float]) -> int:
    """The largest count up to `rows` whose chance is not below `chance`; it falls as counts grow."""
    low, high = 0, rows
    while low < high:
        middle = (low + high + 1) // 2
        if chance_of(middle) < chance:
            high = middle - 1
        else:
            low = middle
    return low
