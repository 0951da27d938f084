"""What a person at a terminal sees after `aedetect score`: the strangest rows or events, and why."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from aedetect.cli.output import Output
from aedetect.cli.sparkline import levels_of, sparkline
from aedetect.cli.tables import simple_table
from aedetect.cli.text import plain
from aedetect.engine.task import Consumer, Processed
from aedetect.io.files import FileInput
from aedetect.scoring.base import ScoringSession
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.series import SeriesSession
from aedetect.tasks.event_sketches import EventSketch, EventSketches
from aedetect.tasks.explain import Explainer, Explanation
from aedetect.tasks.ranked_rows import TopRows
from aedetect.tasks.report.bins import ScoreHistogram
from aedetect.tasks.scored_rows import ScoredBatch

if TYPE_CHECKING:
    from rich.table import Table

_SHOWN = 5
_BARS, _BAR_WIDTH = 14, 40
_LONGEST = 200


def view_of(
    out: Output, fitted: FittedModel, session: ScoringSession, inputs: Sequence[FileInput]
) -> RowsView | EventsView:
    """The view of a run over `inputs`, which `session` scores."""
    if isinstance(session, SeriesSession):
        return EventsView(out, fitted, session)
    return RowsView(out, fitted, len(inputs) > 1)


class RowsView(Consumer):
    """Watches rows of tables being scored. `several`: whether they come from more than one input."""

    def __init__(self, out: Output, fitted: FittedModel, several: bool):
        self._out = out
        self._fitted = fitted
        self._several = several
        self._strangest = TopRows(_SHOWN, flagged_only=True)
        self._histogram = ScoreHistogram(fitted.threshold)

    def see(self, batch: Processed) -> None:
        self._strangest.see(ScoredBatch.of(batch))
        scores = batch.result.detail
        self._histogram.add(self._fitted.on_one_scale(scores.scores, scores.encoded.groups))

    def show(self) -> list[str]:
        """Print it; nothing where nothing was flagged. Gives the words with which to explain the first."""
        strangest = self._strangest.ranking()
        if not strangest:
            return []
        explainer = Explainer(self._fitted)
        explained = [explainer.explain(one, f"row {one.row}") for one in strangest]
        self._out.say()
        self._out.table(strangest_rows(explained, self._several))
        self._out.say()
        groups = self._fitted.group_thresholds
        scaled = groups is not None and not groups.is_by_hand
        self._out.table(histogram(self._histogram, self._fitted.threshold, scaled))
        return [strangest[0].source.name, "--row", str(strangest[0].row)]


class EventsView(Consumer):
    """Watches rows of time series being scored."""

    def __init__(self, out: Output, fitted: FittedModel, session: SeriesSession):
        self._out = out
        self._session = session
        self._sketches = EventSketches(fitted, session, _SHOWN)

    def see(self, batch: Processed) -> None:
        self._sketches.see(ScoredBatch.of(batch))

    def show(self) -> list[str]:
        """Print the events; nothing where there is none. Gives the words with which to explain the first."""
        sketches = self._sketches.sketches()
        if not sketches:
            return []
        self._out.say()
        rest = len(self._session.found_events) - len(sketches)
        if rest:
            self._out.say(f"the {len(sketches)} with the highest scores:")
        self._out.figures(events_table(sketches))
        first = sketches[0]
        entity = [word for value in first.entity for word in ("--entity", value)]
        return ["--event", str(first.number), *entity]


def strangest_rows(explained: Sequence[Explanation], several: bool = False) -> Table:
    """Rows and reasons, a line or two each; of `several` inputs, each row with its own."""
    table = simple_table(*["file"] * several, "row", "score", "why", right=("row", "score"))
    for one in explained:
        more = f" and {one.duplicates - 1:,} alike" if one.duplicates > 1 else ""
        why = plain(one.sentence)
        why = why if len(why) <= _LONGEST else why[: _LONGEST - 1] + "…"
        table.add_row(*[plain(one.source, 30)] * several, f"{one.row:,}{more}", f"{one.score:,.3g}", why)
    return table


def events_table(sketches: Sequence[EventSketch]) -> Table:
    """Events, a line each: from when to when, how high, in which channels, and the course of the first."""
    from rich.text import Text

    from aedetect.data.series.timestamps import span

    zone = sketches[0].zone
    when = f"from,{zone}" if zone else "from"
    table = simple_table(
        "event", when, "to", "length", "peak score", "channels", "course", right=("peak score",)
    )
    levels = levels_of(sys.stdout)
    for one in sketches:
        whose = f" of {plain('/'.join(one.entity), 20)}" if one.entity else ""
        channels = ", ".join(f"{plain(name, 16)} {share:.0%}" for name, share in one.channels)
        course = Text(sparkline(one.course.tolist(), levels))
        course.stylize("red", one.inside[0], one.inside[1] + 1)
        if one.drawn is None:
            course.append(" (score)")
        end = _after_date(one.start, one.end)
        table.add_row(
            f"{one.number}{whose}", one.start, end, span(one.seconds), f"{one.score:,.3g}", channels, course
        )
    return table


def _after_date(start: str, end: str) -> str:
    """The end without its date, where that of the start is the same."""
    date, _, clock = end.partition(" ")
    return clock if clock and start.startswith(date + " ") else end


def histogram(bins: ScoreHistogram, threshold: float, scaled: bool = False) -> Table:
    """Rows by score; bars grow with the logarithm of the count, so that a few rows show too.

    `scaled`: whether scores are those of groups, on the scale of one threshold.
    """
    edges, counts = bins.filled()
    below = int((edges[:-1] < threshold * (1 - 1e-9)).sum())
    step = -(-len(counts) // _BARS)
    # Bins are joined from the threshold outwards: none holds flagged and other rows.
    cuts = sorted({0, len(counts), *range(below, 0, -step), *range(below, len(counts), step)})
    highest = math.log1p(int(counts.max()) * step)
    score = "score, to one threshold" if scaled else "score"
    table = simple_table(score, "rows", "on a logarithmic scale", right=(score, "rows"))
    full = "█" if levels_of(sys.stdout)[-1] == "█" else "#"
    for first, last in pairwise(cuts):
        count = int(counts[first:last].sum())
        bar = full * round(_BAR_WIDTH * math.log1p(count) / highest) if count else ""
        mark = " flagged" if first >= below and count else ""
        table.add_row(f"{edges[first]:,.3g} to {edges[last]:,.3g}", f"{count:,}", bar + mark)
    return table
