"""From two sketches to a verdict in plain words.

A column has drifted if a difference is both too large to matter little and too clear to be
chance. Large: a population stability index of 0.25 (`drift.psi`; the limit for a 'major shift' in
credit scoring, Siddiqi, 2006, Credit Risk Scorecards), or five points more of missing, unseen or
out-of-range values (`drift.share`). Clear: a chance of `drift.significance`, shared by all tests
of the run (Bonferroni), by the two-sample Kolmogorov–Smirnov test for numbers, the index's own
chi-square distribution for categories (Yurdakul & Naranjo, 2020), Fisher's exact test for shares.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aedetect.config import DriftConfig
from aedetect.data.arrays import Integers
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.categorical import FIRST_KNOWN, MISSING, OTHER
from aedetect.data.features.numeric import unscale
from aedetect.data.reference import Array, Sketch, count_cells, quantile_edges

GROUPS = 10
SCORES = "anomaly_score"


@dataclass(frozen=True)
class Shares:
    """A share of the rows in training and now."""

    training: float
    now: float


@dataclass(frozen=True)
class ColumnDrift:
    """How one column (or the score) differs from training; None where a figure has no meaning."""

    name: str
    drifted: bool
    text: str
    missing: Shares | None = None
    unseen: Shares | None = None
    out_of_range: Shares | None = None
    psi: float | None = None
    ks: float | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class Drift:
    """The verdict over all columns: 'steady', 'drifted' or 'too few rows'; `settings` say what counts."""

    verdict: str
    text: str
    rows: int
    columns: tuple[ColumnDrift, ...]
    scores: ColumnDrift
    settings: DriftConfig

    @property
    def drifted(self) -> list[str]:
        return [column.name for column in self.columns if column.drifted]

    def as_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "text": self.text,
            "rows": self.rows,
            "drifted": self.drifted,
            "columns": [asdict(column) for column in self.columns],
            "scores": asdict(self.scores),
        }


class ScoreSketch:
    """How scores are spread, over the quantiles of the calibration rows' scores."""

    def __init__(self, calibration: Array):
        self.edges = quantile_edges(calibration)
        self.reference = count_cells(self.edges, calibration)
        self.counts = np.zeros_like(self.reference)

    def update(self, scores: Array) -> None:
        self.counts += count_cells(self.edges, scores[~np.isnan(scores)])

    def add(self, other: ScoreSketch) -> None:
        self.counts += other.counts


def compare(
    encoder: FeatureEncoder, training: Sketch, now: Sketch, scores: ScoreSketch, settings: DriftConfig
) -> Drift:
    """Whether the rows counted in `now` are spread like those of training."""
    enough = now.rows >= settings.least_rows
    tests = 3 * len(training.counts) + len(encoder.state.constant) + 1
    judge = _Judge(settings, settings.significance / tests, enough)
    columns: list[ColumnDrift] = []
    place = 0
    for column in encoder.state.numeric:
        unit = (encoder.center[place : place + 1], encoder.spread[place : place + 1])
        before, after = training.counts[place], now.counts[place]
        columns.append(judge.numbers(column.column, training.edges[place], before, after, unit))
        place += column.width
    for index, vocabulary in enumerate(encoder.state.categorical, start=len(training.edges)):
        columns.append(judge.categories(vocabulary.column, training.counts[index], now.counts[index]))
    for name, moved in zip(encoder.state.constant, now.changed_constants, strict=True):
        columns.append(judge.constant(name, training.rows, int(moved), now.rows))
    score = judge.scores(scores)
    moved_columns = [column.name for column in columns if column.drifted]
    verdict = "drifted" if moved_columns or score.drifted else "steady"
    if not enough:
        verdict = "too few rows"
    text = _verdict_text(verdict, moved_columns, len(columns), score, now.rows, settings)
    return Drift(verdict, text, now.rows, tuple(columns), score, settings)


class _Judge:
    def __init__(self, settings: DriftConfig, chance: float, enough: bool):
        self._settings = settings
        self._chance = chance
        self._enough = enough

    def numbers(
        self, name: str, edges: Array, training: Integers, now: Integers, unit: tuple[Array, Array]
    ) -> ColumnDrift:
        missing = self._share(int(training[-1]), int(training.sum()), int(now[-1]), int(now.sum()))
        faults = [_missing_text(missing[0])] if missing[1] else []
        if not len(edges):
            return self._column(name, faults, missing=missing[0])
        before, after = training[:-1], now[:-1]
        outside = self._share(
            int(before[0] + before[-1]), int(before.sum()), int(after[0] + after[-1]), int(after.sum())
        )
        if outside[1]:
            faults.append(f"{outside[0].now:.1%} of its values lie outside the range seen in training")
        psi, ks, chance = _moved(before, after)
        if self._far(psi, chance):
            middle = np.array([[_median(edges, part)] for part in (before, after)])
            faults.append(_moved_text("its values are", *map(float, unscale(middle, *unit)[:, 0])))
        return self._column(
            name, faults, missing=missing[0], out_of_range=outside[0], psi=psi, ks=ks, p_value=chance
        )

    def categories(self, name: str, training: Integers, now: Integers) -> ColumnDrift:
        missing = self._share(int(training[MISSING]), int(training.sum()), int(now[MISSING]), int(now.sum()))
        unseen = self._share(int(training[OTHER]), int(training.sum()), int(now[OTHER]), int(now.sum()))
        faults = [_missing_text(missing[0])] if missing[1] else []
        if unseen[1]:
            faults.append(
                f"{unseen[0].now:.1%} of the rows have a category rarely or never seen in training, "
                f"where {unseen[0].training:.1%} had"
            )
        groups = _category_groups(training)
        psi, degrees = _stability(training[OTHER:], now[OTHER:], groups)
        chance = _chi_square(psi, degrees, training[OTHER:], now[OTHER:])
        if self._far(psi, chance):
            faults.append("its categories are found in other shares")
        return self._column(name, faults, missing=missing[0], unseen=unseen[0], psi=psi, p_value=chance)

    def constant(self, name: str, training: int, moved: int, now: int) -> ColumnDrift:
        outside = self._share(0, training, moved, now)
        faults = [f"always the same in training, it differs in {outside[0].now:.1%} of the rows"]
        return self._column(name, faults if outside[1] else [], out_of_range=outside[0])

    def scores(self, scores: ScoreSketch) -> ColumnDrift:
        psi, ks, chance = _moved(scores.reference, scores.counts)
        faults = []
        if self._far(psi, chance):
            middle = [_median(scores.edges, part) for part in (scores.reference, scores.counts)]
            faults.append(_moved_text("rows score", *middle))
        return self._column(SCORES, faults, psi=psi, ks=ks, p_value=chance)

    def _column(
        self,
        name: str,
        faults: list[str],
        *,
        missing: Shares | None = None,
        unseen: Shares | None = None,
        out_of_range: Shares | None = None,
        psi: float | None = None,
        ks: float | None = None,
        p_value: float | None = None,
    ) -> ColumnDrift:
        text = "; ".join(faults) or ("as in training" if self._enough else "too few rows to tell")
        return ColumnDrift(name, bool(faults), text, missing, unseen, out_of_range, psi, ks, p_value)

    def _far(self, psi: float | None, chance: float | None) -> bool:
        if psi is None or chance is None or not self._enough:
            return False
        return psi >= self._settings.psi and chance < self._chance

    def _share(self, before: int, rows_before: int, after: int, rows_after: int) -> tuple[Shares, bool]:
        """The two shares, and whether the later one is clearly larger."""
        shares = Shares(before / max(rows_before, 1), after / max(rows_after, 1))
        if not self._enough or shares.now - shares.training < self._settings.share:
            return shares, False
        from scipy.stats import fisher_exact

        table = [[after, rows_after - after], [before, rows_before - before]]
        return shares, bool(fisher_exact(table, alternative="greater").pvalue < self._chance)


def _moved(training: Integers, now: Integers) -> tuple[float | None, float | None, float | None]:
    """Stability index, Kolmogorov–Smirnov distance, and the chance of that distance."""
    # Not of scipy.stats, which takes half a second to import: every scoring run comes by here.
    from scipy.special import kolmogorov

    before, after = int(training.sum()), int(now.sum())
    if not before or not after:
        return None, None, None
    psi, _ = _stability(training, now, _even_groups(training))
    distance = float(np.abs(np.cumsum(training) / before - np.cumsum(now) / after).max())
    chance = float(kolmogorov(distance * np.sqrt(before * after / (before + after))))
    return psi, min(distance, 1.0), chance


def _even_groups(training: Integers) -> Array:
    """A group number per cell: about ten groups that hold a tenth of the training rows each."""
    middle = (np.cumsum(training) - training / 2) / training.sum()
    return np.asarray(np.minimum((GROUPS * middle).astype(np.int64), GROUPS - 1))


def _category_groups(training: Integers) -> Array:
    """A group number per category: the most frequent ones by themselves, the others together."""
    known = training[FIRST_KNOWN:]
    groups = np.full(len(training) - OTHER, min(len(known), GROUPS - 1), dtype=np.int64)
    order = np.argsort(-known, kind="stable")[: GROUPS - 1]
    groups[order + FIRST_KNOWN - OTHER] = np.arange(len(order))
    return groups


def _stability(training: Integers, now: Integers, groups: Array) -> tuple[float | None, int]:
    """Population stability index over the groups, and its degrees of freedom.

    Half a row is added to each group (Jeffreys' prior), so that none is empty.
    """
    if not training.sum() or not now.sum():
        return None, 0
    used = np.unique(groups)
    before, after = (np.bincount(groups, part)[used] + 0.5 for part in (training, now))
    before, after = before / before.sum(), after / after.sum()
    return max(float(((after - before) * np.log(after / before)).sum()), 0.0), len(used) - 1


def _chi_square(psi: float | None, degrees: int, training: Integers, now: Integers) -> float | None:
    from scipy.special import chdtrc

    if psi is None or not degrees:
        return None
    return float(chdtrc(degrees, psi / (1 / training.sum() + 1 / now.sum())))


def _median(edges: Array, counts: Integers) -> float:
    cell = int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
    low, high = max((cell - 1) // 2, 0), min(cell // 2, len(edges) - 1)
    return float((edges[low] + edges[high]) / 2)


def _missing_text(shares: Shares) -> str:
    return f"missing in {shares.now:.1%} of the rows, where it was in {shares.training:.1%}"


def _moved_text(what: str, before: float, after: float) -> str:
    if f"{before:.3g}" == f"{after:.3g}":
        return f"{what} spread differently around {before:.3g}"
    way = "higher" if after > before else "lower"
    return f"{what} {way} than in training: half are above {after:.3g}, where it was {before:.3g}"


def _verdict_text(
    verdict: str, moved: list[str], columns: int, score: ColumnDrift, rows: int, settings: DriftConfig
) -> str:
    if verdict == "too few rows":
        return f"too few rows to tell: {rows:,}, where it takes {settings.least_rows:,}"
    if verdict == "steady":
        return f"the {rows:,} rows are spread as in training"
    parts = []
    if moved:
        more = f" and {len(moved) - 3} more" if len(moved) > 3 else ""
        named = ", ".join(repr(name) for name in moved[:3])
        parts.append(f"{len(moved)} of {columns} columns ({named}{more})")
    if score.drifted:
        parts.append("the scores")
    alone = "" if moved else ", though no column by itself"
    verb = "has" if len(moved) == 1 and not score.drifted else "have"
    return f"{' and '.join(parts)} {verb} drifted since training{alone}"
