"""What a person at a terminal sees after `aedetect score`: the strangest rows, why, and a histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aedetect.cli import endings
from aedetect.cli.console import Output
from aedetect.engine.summary import Follower

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.detector import Detector, Verdicts
    from aedetect.io.files import FileInput


class View(Follower):
    """Watches one input being scored."""

    def __init__(self, out: Output, detector: Detector, source: FileInput):
        from aedetect.tasks.report.bins import ScoreHistogram
        from aedetect.tasks.scored_rows import Strangest

        self._out = out
        self._detector = detector
        self._source = source
        self._first = 1
        self._strangest = Strangest(endings.SHOWN_ROWS, flagged_only=True)
        self._histogram = ScoreHistogram(detector.threshold)

    def see(self, batch: pa.RecordBatch, verdicts: Verdicts) -> None:
        from aedetect.tasks.scored_rows import Seen

        self._strangest.see(Seen(self._source, self._first, batch, verdicts))
        self._histogram.add(verdicts.scores)
        self._first += len(batch)

    def show(self) -> None:
        """Print it; nothing where nothing was flagged, or where rows are judged together, as of series."""
        from aedetect.tasks.explain import Explainer

        found = self._strangest.found()
        if not found or self._detector.series is not None:
            return
        explainer = Explainer(self._detector)
        explained = [explainer.explain(find, f"row {find.row}") for find in found]
        self._out.say()
        self._out.table(endings.strangest_rows(explained))
        self._out.say()
        self._out.table(endings.histogram(self._histogram, self._detector.threshold))
