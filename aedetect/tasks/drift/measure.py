"""Whether data have moved since training: what `aedetect drift` tells."""

from __future__ import annotations

from collections.abc import Sequence

from aedetect.engine.callbacks import Callback
from aedetect.errors import ModelError
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.drift.collector import NO_SKETCH, DriftCollector
from aedetect.tasks.drift.results import Drift
from aedetect.tasks.scored_rows import score_inputs


def measure(fitted: FittedModel, inputs: Sequence[Input], callback: Callback | None = None) -> Drift:
    """Compare every column of the inputs, and the scores, with what the model learned from.

    What counts as drift is said by the model's settings `drift.*`. Raises ModelError for a model that
    does not hold how its training data were spread, and DataError or ModelError where an input cannot
    be used.
    """
    if fitted.sketch is None:
        raise ModelError(NO_SKETCH)
    collector = DriftCollector(fitted)
    score_inputs(fitted, inputs, lambda batch: collector.add_batch(batch.rows, batch.scores), callback)
    collector.merge_part()
    drift = collector.verdict()
    assert drift is not None
    return drift
