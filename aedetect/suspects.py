"""Training rows that look anomalous themselves, told when training is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aedetect.explain import Explainer, Explanation
from aedetect.fitting.survey import known_anomalies
from aedetect.io.source import Input
from aedetect.looking import Seen, Strangest, look
from aedetect.scoring import Counts

if TYPE_CHECKING:
    from aedetect.detector import Detector

# Looking costs a scoring pass: longer tables are not looked through unasked.
MOST_ROWS = 200_000
# Rows as strange as this are expected in one of ten tables without any anomaly.
_EXPECTED_BY_CHANCE = 0.1


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
    threshold = max(detector.calibration.threshold(rate), detector.threshold)
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
