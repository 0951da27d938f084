"""Drift measured along with scoring, input by input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aedetect.data.labels import marked_anomalies
from aedetect.data.reference import Sketch
from aedetect.engine.task import Consumer, FileSummary, Processed, RemoteConsumer, Task
from aedetect.io.source import Input
from aedetect.scoring.base import Scores
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.drift.compare import compare
from aedetect.tasks.drift.counted import Counted, ScoreSketch, TrainingCounts
from aedetect.tasks.drift.results import Drift

if TYPE_CHECKING:
    import pyarrow as pa

NO_SKETCH = "the model file does not hold how its training data were spread; retrain, or score without drift"

_LEAST_WINDOWS = 10


class DriftCollector(Consumer):
    """Counts how the rows of all inputs are spread; those of an input that fails do not count."""

    def __init__(self, fitted: FittedModel):
        self._fitted = fitted
        self._training = _training_counts(fitted)
        self._total = self._fresh()
        self._part = self._fresh()

    def _fresh(self) -> Counted:
        edges = self._training.sketch.edges if self._training is not None else ()
        share = self._fitted.config.training.contamination
        scores = ScoreSketch(self._fitted.calibration.scores, share if isinstance(share, float) else 0.0)
        return Counted(Sketch.empty(self._fitted.encoder, edges), scores)

    def begin(self, source: Input) -> None:
        self._part = self._fresh()

    def see(self, batch: Processed) -> None:
        self.add_batch(batch.rows, batch.result.detail)

    def add_batch(self, rows: pa.RecordBatch, scores: Scores) -> None:
        """Count the rows of one batch of the present input, but those labelled as anomalies."""
        if self._training is None:
            return
        counting = ~marked_anomalies(rows, self._fitted.config.data)
        self._part.update(scores.encoded, counting, self._training.leaves_out)
        # The scores of a window's rows are nearly one: no sample that tests of drift may take for so many.
        if scores.events is None:
            self._part.scores.update(scores.scores[counting])

    def check(self, source: Input) -> None:
        self.merge_part()

    def merge_part(self) -> None:
        """Take in the batches added since the present input began: it was read to its end."""
        self.merge_counts(self._part)
        self._part = self._fresh()

    def remote(self) -> RemoteConsumer:
        return _of_task

    def state(self) -> Counted:
        return self._total

    def joined(self, states: Sequence[Counted]) -> Counted:
        total = self._fresh()
        for state in states:
            total.add(state)
        return total

    def merge(self, source: Input, entry: FileSummary, state: Any) -> None:
        self.merge_counts(state)

    def merge_counts(self, counted: Counted) -> None:
        """Take in what was counted of other rows, under the same model."""
        if self._training is not None:
            self._total.add(counted)

    def verdict(self) -> Drift | None:
        """What the counts come to; None where the model holds nothing to compare them with."""
        if self._training is None:
            return None
        settings = self._fitted.config.drift
        # Rows of a short stretch of a series are like one another, and no fair sample of all that is normal.
        least = max(settings.least_rows, _LEAST_WINDOWS * self._fitted.window)
        settings = settings.model_copy(update={"least_rows": least})
        return compare(self._fitted.encoder, self._training, self._total, settings)


def _training_counts(fitted: FittedModel) -> TrainingCounts | None:
    if fitted.sketch is None:
        return None
    most = fitted.most_categories
    if fitted.series is not None:
        return TrainingCounts(fitted.sketch, None, None, most)
    left_out = fitted.training.rows_left_out
    return TrainingCounts(fitted.sketch, left_out.get("empty", 0), left_out.get("infinite", 0), most)


def _of_task(task: Task) -> Consumer:
    return DriftCollector(task.fitted)  # type: ignore[attr-defined]
