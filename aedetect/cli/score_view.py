"""What a person at a terminal sees after `aedetect score`: the strangest rows, why, and a histogram."""

from __future__ import annotations

from aedetect.cli import endings
from aedetect.cli.console import Output
from aedetect.engine.task import Consumer, Processed
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.explain import Explainer
from aedetect.tasks.ranked_rows import TopRows
from aedetect.tasks.report.bins import ScoreHistogram
from aedetect.tasks.scored_rows import ScoredBatch


class View(Consumer):
    """Watches one input being scored."""

    def __init__(self, out: Output, fitted: FittedModel):
        self._out = out
        self._fitted = fitted
        self._strangest = TopRows(endings.SHOWN_ROWS, flagged_only=True)
        self._histogram = ScoreHistogram(fitted.threshold)

    def see(self, batch: Processed) -> None:
        self._strangest.see(ScoredBatch.of(batch))
        self._histogram.add(batch.result.detail.scores)

    def show(self) -> None:
        """Print it; nothing where nothing was flagged, or where rows are judged together, as of series."""
        found = self._strangest.found()
        if not found or self._fitted.series is not None:
            return
        explainer = Explainer(self._fitted)
        explained = [explainer.explain(one, f"row {one.row}") for one in found]
        self._out.say()
        self._out.table(endings.strangest_rows(explained))
        self._out.say()
        self._out.table(endings.histogram(self._histogram, self._fitted.threshold))
