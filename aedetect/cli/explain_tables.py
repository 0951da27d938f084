"""`aedetect explain` for models of time series: events, or single rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aedetect.cli.output import Output
from aedetect.cli.tables import simple_table
from aedetect.cli.text import counted, plain

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.tasks.explain import Explanations
    from aedetect.tasks.explain.events import SeriesExplanation, Sketched

_MOST_COLUMNS, _LEAST_SHARE = 8, 0.01
_BLOCKS = "▁▂▃▄▅▆▇█"


def show(out: Output, explained: Explanations) -> None:
    from aedetect.tasks.explain.events import SeriesExplanation

    explanations = [one for one in explained.explained if isinstance(one, SeriesExplanation)]
    if not explanations:
        out.say(f"{explained.rows:,} rows, no event")
    if explained.muted_events and not any(one.muted for one in explanations):
        out.say(f"{counted(explained.muted_events, 'event')} muted; to see why, --event N")
    for place, one in enumerate(explanations):
        if place:
            out.say()
        _show_one(out, one, explained, out.verbose)
    rest = (explained.events or 0) - len(explanations)
    if explanations and explanations[0].number is not None and rest > 0:
        out.say()
        out.say(f"{len(explanations):,} of {explained.events:,} events; for more, --top or --event N")


def _when(one: SeriesExplanation) -> str:
    """From when to when an event lasts; of an event of one instant, when it was."""
    return f"{one.start} to {one.end}" if one.seconds else one.start


def _show_one(out: Output, one: SeriesExplanation, explained: Explanations, everything: bool) -> None:
    from aedetect.data.series.timestamps import span

    zone = explained.zone
    whose = "".join(f", {plain(name, 20)} {plain(value, 30)}" for name, value in one.entity.items())
    score = "" if one.score is None else f"score {one.score:.4g} ({_verdict(one, explained)})"
    if one.number is not None:
        rows = f"{one.rows:,} row{'s' * (one.rows != 1)} flagged"
        if one.muted and not one.rows:
            rows = "all its rows muted"
        out.say(
            f"{plain(one.source)}: event {one.number}{whose}: {_when(one)}{zone} "
            f"({span(one.seconds) + ', ' if one.seconds else ''}{rows}), highest {score}"
        )
    else:
        verdict = (
            "flagged" if one.flagged else "muted" if one.muted else "not flagged" if score else "no score"
        )
        out.say(
            f"{plain(one.source)}: row {one.first_row:,}{whose}: {one.start}{zone}: "
            f"{verdict}{', ' + score if score else ''}"
        )
    out.say(f"  {plain(one.sentence, 1000)}")
    if one.muted:
        out.say(f"  muted: {plain(one.muted.text, 1000)}")
    if one.clearest:
        first, last = one.clearest
        out.say(f"  clearly off {f'from {first} to {last}' if first != last else f'at {first}'}{zone}")
    if one.adopted_since:
        out.say(f"  {one.adoption}{zone}")
    if one.columns:
        out.say()
        out.table(_reasons(one, zone, everything))
    for sketch in one.sketches:
        out.say()
        for line in _blocks(sketch):
            out.say(line)


def _verdict(one: SeriesExplanation, explained: Explanations) -> str:
    """What the score was held against."""
    if explained.rate is None:
        return f"threshold {explained.threshold:.4g}, p-value {one.p_value:.2g}"
    return f"p-value {one.p_value:.2g}; rows are flagged up to {explained.rate:.3g}"


def _reasons(one: SeriesExplanation, zone: str, everything: bool) -> Table:
    names = ["column", "share", "seen", "expected", "how rare"]
    if one.number is not None:
        names.insert(2, f"when,{zone}" if zone else "when")
    table = simple_table(*names, right=("share",))
    for place, reason in enumerate(one.columns):
        if not everything and place and (place >= _MOST_COLUMNS or reason.share < _LEAST_SHARE):
            continue
        cells = [plain(reason.seen, 30), plain(reason.expected, 40), plain(reason.rarity.text)]
        if one.number is not None:
            cells.insert(0, reason.time)
        table.add_row(plain(reason.column, 30), f"{reason.share:.0%}", *cells)
    return table


def _blocks(sketch: Sketched) -> list[str]:
    """The column over the event as two lines of blocks on one scale, and a third that marks the event."""
    known = [value for value in (*sketch.seen, *sketch.expected) if not math.isnan(value)]
    if not known:
        return []
    low, high = min(known), max(known)
    size = (high - low) or 1.0

    def line(values: Sequence[float]) -> str:
        return "".join(
            " " if math.isnan(value) else _BLOCKS[min(7, int(8 * (value - low) / size))] for value in values
        )

    first, last = sketch.inside
    name = plain(sketch.column, 30)
    return [
        f"  {name}, seen      {line(sketch.seen)}",
        f"  {' ' * len(name)}  expected  {line(sketch.expected)}",
        f"  {' ' * len(name)}  flagged   {' ' * first}{'─' * (last - first + 1)}",
    ]
