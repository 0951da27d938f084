"""How well a model tells anomalies from normal rows that it did not learn: labelled ones, or made-up ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.labels import ANOMALY, NO_LABEL
from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError
from aedetect.io.source import batch_rows
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.table import TableScorer
from aedetect.tasks.evaluate.metrics.ranking import ScoreTable, average_precision
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs
from aedetect.tasks.tune.division import HALVES, Division
from aedetect.tasks.tune.made_up import Faults
from aedetect.tasks.tune.series_faults import KINDS, DamagePlan, damage_plan

# Of a half of a part, so many rows are judged beside made-up ones, and of each kind a quarter as many.
_MOST_NORMAL, _MADE_UP_SHARE, _LEAST_MADE_UP = 2_000, 0.25, 10


@dataclass(frozen=True)
class Figures:
    """Average precision on the half by which settings are chosen, and on that which measures the gain."""

    choosing: float
    reporting: float


class Judge(Protocol):
    """Holds a model that did not learn from a part of the rows against that part."""

    def judge(self, fitted: FittedModel, part: int) -> Figures:
        """Raises DataError or ModelError where that cannot be done."""
        ...


@dataclass(frozen=True)
class LabelJudge:
    """By rows that are labelled."""

    division: Division

    def judge(self, fitted: FittedModel, part: int) -> Figures:
        division, labelled = self.division, self.division.marks != NO_LABEL
        if fitted.series is not None:
            # A stretch is scored with what goes before it.
            scores = _scores(fitted, division)
        else:
            held = division.held(part, 0) | division.held(part, 1)
            scores = np.full(len(held), np.nan)
            scores[held] = _scores(fitted, division, held)
        anomalies = np.asarray(division.marks == ANOMALY)
        halves = [division.held(part, half) & labelled & np.isfinite(scores) for half in range(HALVES)]
        return Figures(*(_precision(scores[half], anomalies[half]) for half in halves))


@dataclass
class MadeUpRowsJudge:
    """Of tables, by rows made up of those that were held out."""

    division: Division
    seed: int

    def judge(self, fitted: FittedModel, part: int) -> Figures:
        return Figures(*(self._half(fitted, part, half) for half in range(HALVES)))

    def _half(self, fitted: FittedModel, part: int, half: int) -> float:
        random = np.random.default_rng([self.seed, part, half])
        rows = _encoded(fitted, self.division, part, half)
        rows = rows[random.permutation(len(rows))[:_MOST_NORMAL]]
        if not len(rows):
            raise DataError(f"{self.division.inputs[0].name}: no row of a part can be scored")
        scorer = TableScorer(fitted)
        normal = scorer.score_apart(rows)
        count = max(round(_MADE_UP_SHARE * len(rows)), _LEAST_MADE_UP)
        kinds = Faults(rows, fitted.encoder, random).draw(count)
        return _mean_precision(normal, [scorer.score_apart(made.rows) for made in kinds])


@dataclass
class FaultsJudge:
    """Of series, by faults made up in stretches that were held out."""

    division: Division
    seed: int
    _plans: dict[int, DamagePlan] = field(default_factory=dict)

    def judge(self, fitted: FittedModel, part: int) -> Figures:
        division = self.division
        if part not in self._plans:
            halves = [division.held(part, half) for half in range(HALVES)]
            seed = self.seed * 1_000 + part
            self._plans[part] = damage_plan(fitted, division.inputs, division.rows, halves, seed)
        plan = self._plans[part]
        intact = _scores(fitted, division)
        inputs = plan.over(division.inputs, division.rows, fitted)
        damaged = _scores(fitted, replace(division, inputs=inputs))
        halves = [division.held(part, half) & (division.marks != ANOMALY) for half in range(HALVES)]
        return Figures(*(self._half(plan.kind, intact, damaged, half) for half in halves))

    def _half(self, kind: Integers, intact: Floats, damaged: Floats, held: Mask) -> float:
        odd = held & np.isfinite(damaged)
        normal = intact[held & np.isfinite(intact)]
        return _mean_precision(normal, [damaged[odd & (kind == place)] for place in range(len(KINDS))])


def _scores(fitted: FittedModel, division: Division, chosen: Mask | None = None) -> Floats:
    """Scores of the rows that are chosen, of all where None, one input after the other [rows]."""
    inputs = division.inputs if chosen is None else division.selected(chosen)
    parts = [np.empty(0)]

    def see(batch: ScoredBatch) -> None:
        parts.append(batch.scores.scores)

    score_inputs(fitted, inputs, see, Callback())
    return np.concatenate(parts)


def _encoded(fitted: FittedModel, division: Division, part: int, half: int) -> Matrix:
    """The rows of a half of a part that can be scored, encoded [rows, features]."""
    blocks = [np.empty((0, fitted.encoder.layout.width), dtype=np.float32)]
    size = batch_rows(fitted.config, len(fitted.encoder.owners))
    for source in division.selected(division.held(part, half)):
        for batch in fitted.as_read(source).open(size).batches():
            encoded = fitted.encoder.transform(batch)
            blocks.append(encoded.matrix[~(encoded.unscorable | encoded.infinite)])
    return np.concatenate(blocks)


def _precision(scores: Floats, anomalies: Mask) -> float:
    """Average precision; NaN where one kind of rows is missing."""
    table = ScoreTable.of(scores, anomalies)
    if not table.has_both:
        return float("nan")
    return float(average_precision(table.anomalies, table.normal))


def _mean_precision(normal: Floats, kinds: Sequence[Floats]) -> float:
    """Over kinds of anomalies, each against all normal rows; NaN where there are none."""
    figures = [
        _precision(np.concatenate([normal, odd]), np.arange(len(normal) + len(odd)) >= len(normal))
        for odd in kinds
        if len(odd)
    ]
    known = [figure for figure in figures if not np.isnan(figure)]
    return float(np.mean(known)) if known else float("nan")
