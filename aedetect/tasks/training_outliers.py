"""Training rows that look anomalous themselves, told when training is over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats
from aedetect.data.labels import known_anomalies
from aedetect.engine.summary import Counts
from aedetect.io.source import Input
from aedetect.tasks.explain import Explainer, Explanation
from aedetect.tasks.scored_rows import Seen, Strangest, look

if TYPE_CHECKING:
    from aedetect.detector import Detector

# Looking costs a scoring pass: longer tables are not looked through unasked.
MOST_ROWS = 200_000
# Rows as strange as this are expected in one of ten tables without any anomaly.
_EXPECTED_BY_CHANCE = 0.1
_LARGEST = 700.0


@dataclass(frozen=True)
class Suspects:
    """How many training rows look anomalous, and the strangest of them explained."""

    count: int
    shown: list[Explanation]


def suspects(detector: Detector, inputs: Sequence[Input], most: int = 3) -> Suspects:
    """Look for anomalies among the rows that a detector was trained on, but those labelled as such.

    Flagged are rows so strange that of as many normal rows hardly one would be expected.
    """
    rate = _EXPECTED_BY_CHANCE / max(detector.training.rows, 1)
    beyond = min(detector.calibration.threshold(rate), _beyond_bulk(detector.calibration.scores, rate))
    threshold = max(beyond, detector.threshold)
    label = detector.config.data.label
    strangest, counts = Strangest(most, flagged_only=True), Counts()

    def see(seen: Seen) -> None:
        flagged = seen.verdicts.flagged
        if label is not None and label in seen.batch.schema.names:
            flagged = flagged & ~known_anomalies(
                seen.batch.column(label), detector.config.data, lambda index: f"row {seen.first + index}"
            )
        counts.anomalies += int(flagged.sum())
        strangest.see(replace(seen, verdicts=replace(seen.verdicts, flagged=flagged)))

    look(detector, inputs, threshold, see)
    explainer = Explainer(detector)
    return Suspects(counts.anomalies, [explainer.explain(found) for found in strangest.found()])


def _beyond_bulk(scores: Floats, rate: float) -> float:
    """The score that a share of `rate` of normal rows would exceed, told from the bulk of `scores` alone.

    Anomalies among the training rows are among the calibration rows as well, and raise its tail.
    Beyond the tenth of highest scores the tail is taken to lie halfway, in the logarithm, between one
    that falls as a power of the score and one that falls exponentially, both as from the quarter to
    the tenth.
    """
    quarter, tenth = np.maximum(np.quantile(scores, [0.75, 0.9]), np.finfo(np.float64).tiny)
    steps = math.log(0.1 / rate) / math.log(0.25 / 0.1)
    power = min(math.log(tenth) + steps * math.log(tenth / quarter), _LARGEST)
    exponential = math.log(tenth + steps * (tenth - quarter))
    return math.exp((power + exponential) / 2)
