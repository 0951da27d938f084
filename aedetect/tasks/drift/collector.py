"""Drift measured along with scoring, input by input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aedetect.engine.summary import Follower

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.data.reference import Sketch
    from aedetect.detector import Detector, Verdicts
    from aedetect.io.files import FileInput
    from aedetect.tasks.drift.compare import Drift, ScoreSketch

NO_SKETCH = "the model file does not hold how its training data were spread; retrain, or score without drift"

_LEAST_WINDOWS = 10


@dataclass(frozen=True)
class Counted:
    """How rows and scores are spread."""

    now: Sketch
    scores: ScoreSketch


class DriftWatch(Follower):
    """Counts how the rows of all inputs are spread; those of an input that fails do not count."""

    def __init__(self, detector: Detector):
        self._detector = detector
        self._training = detector.sketch
        self._now, self._scores = self._fresh()
        self._part, self._part_scores = self._fresh()

    def _fresh(self) -> tuple[Sketch, ScoreSketch]:
        from aedetect.data.reference import Sketch
        from aedetect.tasks.drift.compare import ScoreSketch

        edges = self._training.edges if self._training is not None else ()
        return Sketch.empty(self._detector.encoder, edges), ScoreSketch(self._detector.calibration.scores)

    def begin(self, source: FileInput) -> None:
        self._part, self._part_scores = self._fresh()

    def see(self, batch: pa.RecordBatch, verdicts: Verdicts) -> None:
        if self._training is not None:
            encoded = verdicts.encoded
            if self._detector.series:
                # What was encoded is not kept while all rows wait for their verdicts. The scores of a
                # window's rows are nearly one: no sample that tests of drift may take for so many.
                self._part.update(self._detector.encoder.transform(batch).matrix, encoded.changed_constants)
                return
            self._part.update(encoded.matrix, encoded.changed_constants)
            self._part_scores.update(verdicts.scores)

    def check(self, source: FileInput) -> None:
        if self._training is not None:
            self._now.add(self._part)
            self._scores.add(self._part_scores)

    def bare(self) -> Counted:
        """What was counted, without the detector: it goes from one process to another."""
        return Counted(self._now, self._scores)

    def add(self, counted: Counted) -> None:
        """Take in what was counted in another process, under the same model."""
        if self._training is not None:
            self._now.add(counted.now)
            self._scores.add(counted.scores)

    def verdict(self) -> Drift | None:
        """What the counts come to; None where the model holds nothing to compare them with."""
        from aedetect.tasks.drift.compare import compare

        if self._training is None:
            return None
        settings, series = self._detector.config.drift, self._detector.series
        if series is not None:
            # Rows of a short stretch are like one another, and no fair sample of all that is normal.
            least = max(settings.least_rows, _LEAST_WINDOWS * series.state.window)
            settings = settings.model_copy(update={"least_rows": least})
        return compare(self._detector.encoder, self._training, self._now, self._scores, settings)
