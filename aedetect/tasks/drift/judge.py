"""Which differences count as drift, and what is said of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from aedetect.config import DriftConfig
from aedetect.data import chance as law
from aedetect.data.arrays import Integers
from aedetect.data.chance import Sampled
from aedetect.data.features.categorical import MISSING, OTHER
from aedetect.data.features.numeric import unscale
from aedetect.data.likeness import KnownNames, NameCounts, NameLike, listed
from aedetect.data.reference import Array
from aedetect.tasks.drift.counted import Counted, ScoreSketch, TrainingCounts
from aedetect.tasks.drift.results import ColumnDrift, Shares

GROUPS = 10
SCORES, ROWS = "anomaly_score", "rows"
_MOST_VALUES = 10
_LOWER = (
    "rows score lower than those held out in training, as rows do that were trained on: half are above {}, "
    "where it was {}; that is no drift"
)


@dataclass(frozen=True)
class Scale:
    """What a feature is scaled by, each [1], and how its values are spoken of."""

    center: Array
    spread: Array
    what: str = "its values are"


class Judge:
    """Compares figures; `chance`: of calling drift what is none, for each test."""

    def __init__(self, settings: DriftConfig, chance: float, enough: bool):
        self._settings = settings
        self._chance = chance
        self._enough = enough

    def numbers(
        self, name: str, edges: Array, training: Integers, now: Integers, scale: Scale
    ) -> ColumnDrift:
        missing = self._missing(int(training[-1]), training, int(now[-1]), now)
        faults = [_missing_text(missing)] if self._more(missing) else []
        before, after = training[:-1], now[:-1]
        if not len(edges) or not before.sum() or not after.sum():
            return self._column(name, faults, missing=missing)
        outside = self._outside(before, after)
        if self._more(outside):
            faults.append(
                f"{outside.now:.1%} of its values lie outside the range seen in training "
                f"({_by_chance(outside)})"
            )
        moved = self._moved(before, after)
        if self._far(moved):
            middle = np.array([[_median(edges, part)] for part in (before, after)])
            was, is_now = map(float, unscale(middle, scale.center, scale.spread)[:, 0])
            faults.append(_moved_text(scale.what, was, is_now, moved))
        return self._column(name, faults, moved, missing=missing, out_of_range=outside)

    def categories(
        self, name: str, training: Integers, now: Integers, expected: Sampled, names: list[NameLike]
    ) -> ColumnDrift:
        missing = self._missing(int(training[MISSING]), training, int(now[MISSING]), now)
        unseen = self._share(
            Sampled(int(training[OTHER]), int(training.sum())), int(now[OTHER]), int(now.sum()), expected
        )
        faults = [_missing_text(missing)] if self._more(missing) else []
        if self._more(unseen):
            faults.append(
                f"{unseen.now:.1%} of the rows have a category rarely or never seen in training, "
                f"where {unseen.expected:.1%} were to be expected ({_by_chance(unseen)}): {listed(names)}"
            )
        else:
            names = [one for one in names if one.like]
        moved = self._regrouped(training[OTHER:], now[OTHER:])
        if moved is not None and self._far(moved):
            faults.append(f"its categories are found in other shares ({_figures(moved)})")
        return self._column(
            name, faults, moved, missing=missing, unseen=unseen, values=tuple(names[:_MOST_VALUES])
        )

    def constant(self, name: str, training: int, moved: int, now: int) -> ColumnDrift:
        outside = self._share(Sampled(0, training), moved, now)
        text = f"always the same in training, it differs in {outside.now:.1%} of the rows"
        faults = [f"{text} ({_by_chance(outside)})"] if self._more(outside) else []
        return self._column(name, faults, out_of_range=outside)

    def emptied(self, name: str, training: int, filled: NameCounts, now: int) -> ColumnDrift:
        outside = self._share(Sampled(0, training), min(filled.rows, now), now)
        values = filled.ranked(KnownNames(()))
        text = f"empty in training, it holds a value in {outside.now:.1%} of the rows ({_by_chance(outside)})"
        faults = [f"{text}: {listed(values)}"] if self._more(outside) else []
        return self._column(name, faults, out_of_range=outside, values=tuple(values[:_MOST_VALUES]))

    def scores(self, scores: ScoreSketch) -> ColumnDrift:
        """Whether rows score higher: those that the model was trained on score lower, and have not moved."""
        training, now = scores.reference, scores.counts
        if not now.sum():
            return self._column(SCORES, [])
        moved = self._moved(training, now, higher=True)
        was, is_now = (_median(scores.edges, part) for part in (training, now))
        if self._far(moved):
            return self._column(SCORES, [_moved_text("rows score", was, is_now, moved)], moved)
        lower = self._moved(now, training, higher=True)
        note = _LOWER.format(f"{is_now:.3g}", f"{was:.3g}") if self._far(lower) else ""
        return self._column(SCORES, [], moved, note=note)

    def whole_rows(self, training: TrainingCounts, now: Counted) -> ColumnDrift:
        """Whether more rows than in training hold no value at all, or an infinite one."""
        if not training.leaves_out:
            return self._column(ROWS, [])
        shares = []
        faults = []
        for before, after, what in (
            (training.empty or 0, now.empty, "have no value in any column"),
            (training.infinite or 0, now.infinite, "have a number that is infinite or beyond 3.4e38"),
        ):
            shares.append(self._share(Sampled(before, training.rows), after, now.rows))
            if self._more(shares[-1]):
                faults.append(
                    f"{shares[-1].now:.1%} of the rows {what}, where {shares[-1].training:.1%} had "
                    f"({_by_chance(shares[-1])})"
                )
        return self._column(ROWS, faults, missing=shares[0], out_of_range=shares[1])

    def _column(
        self,
        name: str,
        faults: list[str],
        moved: _Moved | None = None,
        note: str = "",
        **shares: Any,
    ) -> ColumnDrift:
        text = "; ".join(faults) or note or ("as in training" if self._enough else "too few rows to tell")
        figures = asdict(moved) if moved is not None else {}
        return ColumnDrift(name, bool(faults), text, **shares, **figures)

    def _moved(self, training: Integers, now: Integers, higher: bool = False) -> _Moved:
        """How far numbers have moved, counted in the same cells; with `higher`, upwards alone."""
        before, after = int(training.sum()), int(now.sum())
        gaps = np.cumsum(training) / before - np.cumsum(now) / after
        groups = _even_groups(training) + 1
        degrees = len(np.unique(groups)) - 1
        if higher:
            # What lies below the largest gap counts as one: how low usual rows score says nothing.
            groups[: int(gaps.argmax()) + 1] = 0
        distance = min(float(gaps.max() if higher else np.abs(gaps).max()), 1.0)
        distance = max(distance, 0.0)
        return _Moved(
            psi=_stability(training, now, groups),
            psi_chance=law.largest_psi(degrees, self._chance, before, after),
            ks=distance,
            ks_chance=law.largest_ks(self._chance, before, after, one_sided=higher),
            p_value=law.ks_chance(distance, before, after, one_sided=higher),
        )

    def _regrouped(self, training: Integers, now: Integers) -> _Moved | None:
        """How far the shares of categories differ."""
        before, after = int(training.sum()), int(now.sum())
        if not before or not after:
            return None
        groups = _category_groups(training, now)
        tables = [np.bincount(groups, part) for part in (training, now)]
        used = (tables[0] + tables[1]) > 0
        return _Moved(
            psi=_stability(training, now, groups),
            psi_chance=law.largest_psi(int(used.sum()) - 1, self._chance, before, after),
            p_value=law.groups_chance(tables[0][used], tables[1][used]),
        )

    def _far(self, moved: _Moved) -> bool:
        if moved.psi_chance is None or not self._enough:
            return False
        beyond_chance = moved.p_value < self._chance and moved.psi > moved.psi_chance
        return beyond_chance and moved.psi >= self._settings.psi

    def _missing(self, before: int, training: Integers, after: int, now: Integers) -> Shares:
        return self._share(Sampled(before, int(training.sum())), after, int(now.sum()))

    def _outside(self, training: Integers, now: Integers) -> Shares:
        before, after = int(training.sum()), int(now.sum())
        ends = int(training[0] + training[-1])
        shares = self._share(Sampled(ends, before), int(now[0] + now[-1]), after)
        # Of the values that gave the range none lie outside, but of others a few do.
        if not ends:
            largest = law.largest_outside(before, after, self._chance)
            shares = replace(shares, expected=2 / (before + 1), chance=largest)
        return shares

    def _share(self, training: Sampled, hits: int, rows: int, expected: Sampled | None = None) -> Shares:
        expected = expected or training
        chance = law.largest_share(expected, rows, self._chance)
        return Shares(training.share, hits / max(rows, 1), expected.share, chance)

    def _more(self, shares: Shares) -> bool:
        """Whether the share now is larger by more than chance, and by enough to matter."""
        large = shares.now - shares.expected >= self._settings.share
        return self._enough and large and shares.now > shares.chance


@dataclass(frozen=True)
class _Moved:
    """How far values have moved, and up to how far by chance."""

    psi: float
    psi_chance: float | None
    p_value: float
    ks: float | None = None
    ks_chance: float | None = None


def _even_groups(training: Integers) -> Array:
    """A group number per cell: about ten groups that hold a tenth of the training rows each."""
    middle = (np.cumsum(training) - training / 2) / training.sum()
    return np.asarray(np.minimum((GROUPS * middle).astype(np.int64), GROUPS - 1))


def _category_groups(training: Integers, now: Integers) -> Integers:
    """A group number per category: the most frequent ones by themselves, the others together, as 0.

    The most frequent of both samples: those of one alone are so in part by chance. In each group enough
    rows are to be expected for a G-test.
    """
    both = training + now
    expected = both * (min(training.sum(), now.sum()) / both.sum())
    groups = np.zeros(len(both), dtype=np.int64)
    order = np.argsort(-both, kind="stable")[: GROUPS - 1]
    # The first are those that are rare or unseen: never a group by themselves.
    order = order[(expected[order] >= law.LEAST_EXPECTED) & (order > 0)]
    groups[order] = np.arange(1, len(order) + 1)
    if len(order) and 0 < expected[groups == 0].sum() < law.LEAST_EXPECTED:
        groups[groups == len(order)] = 0
    return groups


def _stability(training: Integers, now: Integers, groups: Array) -> float:
    """Population stability index over the groups.

    Half a row is added to each group (Jeffreys' prior), so that none is empty.
    """
    used = np.unique(groups)
    before, after = (np.bincount(groups, part)[used] + 0.5 for part in (training, now))
    before, after = before / before.sum(), after / after.sum()
    return max(float(((after - before) * np.log(after / before)).sum()), 0.0)


def _median(edges: Array, counts: Integers) -> float:
    cell = int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
    low, high = max((cell - 1) // 2, 0), min(cell // 2, len(edges) - 1)
    return float((edges[low] + edges[high]) / 2)


def _missing_text(shares: Shares) -> str:
    return (
        f"missing in {shares.now:.1%} of the rows, where it was in {shares.training:.1%} "
        f"({_by_chance(shares)})"
    )


def _by_chance(shares: Shares) -> str:
    return f"up to {shares.chance:.1%} by chance"


def _figures(moved: _Moved) -> str:
    return f"PSI {moved.psi:.2f}, up to {moved.psi_chance or 0.0:.2f} by chance"


def _moved_text(what: str, before: float, after: float, moved: _Moved) -> str:
    if f"{before:.3g}" == f"{after:.3g}":
        return f"{what} spread differently around {before:.3g} ({_figures(moved)})"
    way = "higher" if after > before else "lower"
    return (
        f"{what} {way} than in training: half are above {after:.3g}, where it was {before:.3g} "
        f"({_figures(moved)})"
    )
