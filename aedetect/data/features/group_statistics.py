"""The middle and the spread of each group's numbers, shrunk towards the whole as far as chance explains them.

Empirical Bayes (Efron & Morris, 1973): what is found in a group of n rows counts n / (n + k), the rest is
taken from all. k is not chosen but follows from the data, column by column: k = c · s² / t², where s is the
spread within the group, t that of the groups' own levels, and c the variance of the estimator in rows of unit
variance. Where groups lie far apart, as shops of all sizes do, k is near nothing and each group stands for
itself; where they hardly differ it is large, and where they differ no more than by chance a column is left as
it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aedetect.data import cells
from aedetect.data.arrays import Floats, Integers
from aedetect.data.digests import merged
from aedetect.data.features.decimals import decimals_of
from aedetect.data.features.groups import GroupNames, GroupScaling, values_of
from aedetect.data.tails import chi_squared_above

# A group of fewer rows has no spread to speak of: it takes the whole.
LEAST_ROWS = 10
# So many groups are told apart at most, and so many numbers of groups and columns together.
MOST_GROUPS, MOST_CELLS = 1000, 20_000
# Groups of a column that differ by as much as this by chance are taken to be alike.
_CHANCE = 0.01
# Of normal rows, n times the variance of the mean of their middle half, and of the logarithm of their spread.
_OF_LOCATION, _OF_SPREAD = 1.2, 0.7
# The spread is that of all rows, the outer tenths pulled in to where they begin; of normal rows it is this.
_WINSORISED = 0.822
# Numbers that differ by no more than this share of their size are one number.
_ROUNDING = 1e-12
_GRID = (np.arange(200) + 0.5) / 200
_MIDDLE = (_GRID > 0.25) & (_GRID < 0.75)
_TENTH = np.array([0.1, 0.9])
_DIGEST_SIZE = 100


def largest_groups(counts: Counter[str], columns: Sequence[str], rows: int, width: int) -> GroupNames:
    """The groups that are told apart, of `counts`: rows by key; `width`: how many numbers a row has."""
    most = min(MOST_GROUPS, MOST_CELLS // max(width, 1))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    chosen = [(key, count) for key, count in ranked[:most] if count >= LEAST_ROWS]
    return GroupNames(
        columns=tuple(columns),
        names=tuple(values_of(key) for key, _ in chosen),
        rows=tuple(count for _, count in chosen),
        other_rows=rows - sum(count for _, count in chosen),
    )


class GroupDigests:
    """The numbers of each group and column, as t-digests: a few hundred values for however many rows."""

    def __init__(self, groups: int, features: Sequence[int]):
        import datasketches

        self.features = tuple(features)
        self.counts = np.zeros((groups, len(features)), dtype=np.int64)
        self._digests = [[datasketches.tdigest_double(_DIGEST_SIZE) for _ in features] for _ in range(groups)]

    def take(self, numbers: Floats, groups: Integers) -> None:
        """Rows [rows, numeric features] and the numbers of their groups [rows]; 0 is none."""
        order = np.argsort(groups, kind="stable")
        present, starts = np.unique(groups[order], return_index=True)
        for number, rows in zip(present, np.split(order, starts[1:]), strict=True):
            for place, feature in enumerate(self.features) if number else ():
                values = numbers[rows, feature]
                finite = values[np.abs(values) <= cells.LARGEST]
                if len(finite):
                    self._digests[number - 1][place].update(finite)
                    self.counts[number - 1, place] += len(finite)

    def add(self, later: GroupDigests) -> None:
        """Take in the digests of the same groups and columns in the rows behind these."""
        for group, place in zip(*np.nonzero(later.counts), strict=True):
            digest, known = later._digests[group][place], self._digests[group][place]
            together = merged(known, digest, _DIGEST_SIZE) if self.counts[group, place] else digest
            self._digests[group][place] = together
        self.counts += later.counts

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_digests": [[one.serialize() for one in row] for row in self._digests]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        import datasketches

        self.__dict__.update(state)
        read = datasketches.tdigest_double.deserialize
        self._digests = [[read(one) for one in row] for row in state["_digests"]]

    def figures(self) -> tuple[Floats, Floats]:
        """Middle and spread [groups, features]; NaN where there are too few numbers to tell.

        Where more than four fifths of a group's numbers are equal, the spread is 0: the others are too few.
        """
        middles = np.full(self.counts.shape, np.nan)
        spreads = np.full(self.counts.shape, np.nan)
        for group, feature in zip(*np.nonzero(self.counts >= LEAST_ROWS), strict=True):
            digest = self._digests[group][feature]
            low, high = digest.get_min_value(), digest.get_max_value()
            if low == high:
                middles[group, feature], spreads[group, feature] = low, 0.0
                continue
            grid = np.array([digest.get_quantile(float(rank)) for rank in _GRID])
            inner = np.clip(grid, *(digest.get_quantile(float(rank)) for rank in _TENTH))
            middles[group, feature] = grid[_MIDDLE].mean()
            wide = inner.max() - inner.min() > _ROUNDING * np.abs(inner).max()
            spreads[group, feature] = inner.std() / _WINSORISED if wide else 0.0
        return middles, spreads


@dataclass(frozen=True)
class ColumnShrinkage:
    """How one column's groups were told apart. `k`: as many rows count as much as what is known of all.

    `k` is for a group of the usual spread, infinite where groups have the same level; `spread_k`: the same of
    spreads.
    """

    k: float
    spread_k: float


@dataclass(frozen=True)
class Shrunk:
    """The scaling of all groups, and by feature how they were shrunk."""

    scaling: GroupScaling
    shrinkage: dict[int, ColumnShrinkage] = field(default_factory=dict)


def shrunk_scaling(names: GroupNames, digests: GroupDigests, whole: Mapping[str, Floats]) -> Shrunk:
    """Each group's middle and spread; `whole` are the statistics of all rows, see `FeatureEncoder`."""
    center, spread = whole["center"], whole["spread"]
    location = np.repeat(center[None], len(names) + 1, axis=0)
    ratio = np.ones_like(location)
    middles, spreads = digests.figures()
    shrinkage = {}
    for place, feature in enumerate(digests.features):
        known = np.isfinite(middles[:, place])
        if known.sum() < 2:
            continue
        rows = digests.counts[known, place].astype(np.float64)
        unit = float(center[feature]), float(spread[feature])
        shrunk = _column(middles[known, place], spreads[known, place], rows, unit)
        if shrunk is None:
            continue
        location[1:, feature][known], ratio[1:, feature][known], shrinkage[feature] = shrunk
        # A group of which nothing is known may lie wherever those lie of which something is.
        apart = middles[known, place] - unit[0]
        inside = float(np.median(ratio[1:, feature][known]))
        unknown = np.hypot(inside, np.sqrt((apart**2).mean()) / unit[1])
        ratio[[0, *np.flatnonzero(~known) + 1], feature] = max(float(unknown), 1.0)
    # Nothing is so narrow that a float64 cannot hold it.
    ratio = np.maximum(ratio, np.finfo(np.float64).tiny)
    decimals = np.array([decimals_of(values) for values in whole["quantiles"]], dtype=np.int64)
    return Shrunk(GroupScaling(names, location, ratio, decimals), shrinkage)


def _column(
    middles: Floats, spreads: Floats, rows: Floats, unit: tuple[float, float]
) -> tuple[Floats, Floats, ColumnShrinkage] | None:
    """Location and ratio [groups] of one column, whose middle and spread in all rows are `unit`.

    None where groups differ by no more than chance.
    """
    center, spread = unit
    within, between_spreads, spread_k = _within(spreads, rows)
    if within is None:
        # Each group has hardly more than one number, which rows are held against in the units of the whole.
        if (middles == middles[0]).all():
            return None
        return middles, np.ones(len(middles)), ColumnShrinkage(0.0, np.inf)
    errors = _OF_LOCATION * within**2 / rows
    between = _between(middles, errors)
    if not between and not between_spreads:
        return None
    if not between:
        # Of one level, groups have spreads of their own.
        return np.full(len(rows), center), within / spread, ColumnShrinkage(np.inf, spread_k)
    weight = between / (between + errors)
    # What is not known of a group's level a new row may be off by, too.
    width = np.sqrt(within**2 + (1 - weight) * between)
    usual = float(np.exp(np.log(within).mean()))
    k = _OF_LOCATION * usual**2 / between
    return weight * middles + (1 - weight) * center, width / spread, ColumnShrinkage(k, spread_k)


def _within(spreads: Floats, rows: Floats) -> tuple[Floats | None, float, float]:
    """The spread within each group [groups], shrunk in the logarithm; how much they differ; and their k.

    A group of hardly more than one number says nothing of its spread and has that of the others; None where
    all do.
    """
    wide = spreads > 0
    if not wide.any():
        return None, 0.0, np.inf
    logarithms, errors = np.log(spreads[wide]), _OF_SPREAD / rows[wide]
    between = _between(logarithms, errors) if wide.sum() > 1 else 0.0
    weights = 1 / (between + errors)
    usual = float((weights * logarithms).sum() / weights.sum())
    within = np.full(len(spreads), np.exp(usual))
    if not between:
        return within, 0.0, np.inf
    share = between / (between + errors)
    within[wide] = np.exp(share * logarithms + (1 - share) * usual)
    return within, between, _OF_SPREAD / between


def _between(values: Floats, errors: Floats) -> float:
    """The variance of what `values` [groups] estimate, where each has that error variance [groups].

    0 where they differ no more than by chance (Cochran's Q). Of two estimators, the one that counts groups by
    how sure they are (DerSimonian & Laird, 1986) misses how far those of large numbers lie apart, and the one
    that counts them alike (Hedges & Olkin, 1985) what many small ones hide: the larger is taken.
    """
    weights = 1 / errors
    mean = (weights * values).sum() / weights.sum()
    apart = float((weights * (values - mean) ** 2).sum())
    free = len(values) - 1
    if not np.isfinite(apart) or apart <= chi_squared_above(free, _CHANCE):
        return 0.0
    alike = float(values.var(ddof=1) - errors.mean())
    # Where one group is far surer than all others, nothing is left to weigh it against.
    rest = float((weights * (1 - weights / weights.sum())).sum())
    return max(alike, (apart - free) / rest) if rest > 0 and np.isfinite(rest) else max(alike, 0.0)
