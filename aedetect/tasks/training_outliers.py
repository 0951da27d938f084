"""Training rows that look anomalous themselves, told when training is over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats
from aedetect.data.labels import known_anomalies, label_reader
from aedetect.io.source import Input
from aedetect.scoring.scorers import scorer_of
from aedetect.scoring.table import TableScorer
from aedetect.tasks.explain import Explainer, Explanation
from aedetect.tasks.ranked_rows import TopRows
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

# Looking costs a scoring pass: longer tables are not looked through unasked.
_MOST_ROWS = 200_000
# Rows as strange as this are expected in one of ten tables without any anomaly.
_EXPECTED_BY_CHANCE = 0.1
_LARGEST, _TOWARDS_POWER = 700.0, 0.1


@dataclass(frozen=True)
class TrainingOutliers:
    """How many training rows look anomalous, and the strangest of them explained."""

    count: int
    shown: list[Explanation]


def outlier_candidates(
    fitted: FittedModel, inputs: Sequence[Input], most: int = 3
) -> TrainingOutliers | None:
    """Look for anomalies among the rows that a model was trained on, but those labelled as such.

    Flagged are rows so strange that of as many normal rows hardly one would be expected. None where it
    would cost too much to look, or where rows are scored together, as those of series are. Raises
    DataError or ModelError where an input cannot be used.
    """
    if fitted.training.rows > _MOST_ROWS or not scorer_of(fitted).independent:
        return None
    rate = _EXPECTED_BY_CHANCE / max(fitted.training.rows, 1)
    beyond = min(
        fitted.with_threshold(alert_rate=rate).threshold, _beyond_bulk(fitted.calibration.scores, rate)
    )
    label, labels = fitted.config.data.label, label_reader(fitted.config.data)
    strangest, count = TopRows(most, flagged_only=True), 0

    def see(batch: ScoredBatch) -> None:
        nonlocal count
        flagged = batch.scores.flagged
        if label is not None and label in batch.rows.schema.names:
            flagged = flagged & ~known_anomalies(
                batch.rows.column(label), labels, lambda index: f"row {batch.first + index}"
            )
        count += int(flagged.sum())
        strangest.see(replace(batch, scores=replace(batch.scores, flagged=flagged)))

    raised = fitted.with_threshold(max(beyond, fitted.threshold))
    score_inputs(raised, inputs, see, session=TableScorer(raised, as_unlearned=True).open(inputs))
    explainer = Explainer(fitted)
    return TrainingOutliers(count, [explainer.explain(row) for row in strangest.ranking()])


def _beyond_bulk(scores: Floats, rate: float) -> float:
    """The score that a share of `rate` of normal rows would exceed, told from the bulk of `scores` alone.

    Anomalies among the training rows are among the calibration rows as well, and raise its tail.
    Beyond the tenth of highest scores the tail is taken to lie between one that falls off exponentially,
    as sums of surprises do, and one that falls as a power of the score, in the logarithm at a tenth
    of the way; both as from the quarter to the tenth.
    """
    quarter, tenth = np.maximum(np.quantile(scores, [0.75, 0.9]), np.finfo(np.float64).tiny)
    steps = math.log(0.1 / rate) / math.log(0.25 / 0.1)
    power = min(math.log(tenth) + steps * math.log(tenth / quarter), _LARGEST)
    exponential = math.log(tenth + steps * (tenth - quarter))
    return math.exp(_TOWARDS_POWER * power + (1 - _TOWARDS_POWER) * exponential)
