"""What a person at a terminal sees after `aedetect score`: the strangest rows, why, and a histogram."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from aedetect.cli.output import Output
from aedetect.cli.tables import simple_table
from aedetect.cli.text import plain
from aedetect.engine.task import Consumer, Processed
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.explain import Explainer, Explanation
from aedetect.tasks.ranked_rows import TopRows
from aedetect.tasks.report.bins import ScoreHistogram
from aedetect.tasks.scored_rows import ScoredBatch

if TYPE_CHECKING:
    from rich.table import Table

_SHOWN_ROWS = 5
_BARS, _BAR_WIDTH = 14, 40
_LONGEST = 200


class View(Consumer):
    """Watches one input being scored."""

    def __init__(self, out: Output, fitted: FittedModel):
        self._out = out
        self._fitted = fitted
        self._strangest = TopRows(_SHOWN_ROWS, flagged_only=True)
        self._histogram = ScoreHistogram(fitted.threshold)

    def see(self, batch: Processed) -> None:
        self._strangest.see(ScoredBatch.of(batch))
        self._histogram.add(batch.result.detail.scores)

    def show(self) -> None:
        """Print it; nothing where nothing was flagged, or where rows are judged together, as of series."""
        strangest = self._strangest.ranking()
        # Of series, single rows say little: `explain` tells of events.
        if not strangest or self._fitted.series is not None:
            return
        explainer = Explainer(self._fitted)
        explained = [explainer.explain(one, f"row {one.row}") for one in strangest]
        self._out.say()
        self._out.table(strangest_rows(explained))
        self._out.say()
        self._out.table(histogram(self._histogram, self._fitted.threshold))


def strangest_rows(explained: Sequence[Explanation]) -> Table:
    """Rows and reasons, a line or two each."""
    table = simple_table("row", "score", "why", right=("row", "score"))
    for one in explained:
        more = f" and {one.duplicates - 1:,} alike" if one.duplicates > 1 else ""
        why = plain(one.sentence)
        why = why if len(why) <= _LONGEST else why[: _LONGEST - 1] + "…"
        table.add_row(f"{one.row:,}{more}", f"{one.score:,.3g}", why)
    return table


def histogram(bins: ScoreHistogram, threshold: float) -> Table:
    """Rows by score; bars grow with the logarithm of the count, so that a few rows show too."""
    edges, counts = bins.filled()
    below = int((edges[:-1] < threshold * (1 - 1e-9)).sum())
    step = -(-len(counts) // _BARS)
    # Bins are joined from the threshold outwards: none holds flagged and other rows.
    cuts = sorted({0, len(counts), *range(below, 0, -step), *range(below, len(counts), step)})
    highest = math.log1p(int(counts.max()) * step)
    table = simple_table("score", "rows", "on a logarithmic scale", right=("score", "rows"))
    for first, last in pairwise(cuts):
        count = int(counts[first:last].sum())
        bar = "█" * round(_BAR_WIDTH * math.log1p(count) / highest) if count else ""
        mark = " flagged" if first >= below and count else ""
        table.add_row(f"{edges[first]:,.3g} to {edges[last]:,.3g}", f"{count:,}", bar + mark)
    return table
