"""The events of a report as Markdown, and its channels as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.data.series.timestamps import span, zone_of
from aedetect.tasks.report.card import escaped
from aedetect.tasks.report.series import ChannelLine, EventsPart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_EVENTS, _LONGEST, _LINES = 10, 300, 3
_DAY = 86_400
_SEEN, _EXPECTED, _FLAG = "#1d2327", "#1f5f8b", "#c8442b"


def events_markdown(part: EventsPart) -> list[str]:
    """Lines of a table of the strangest events; none where there are none."""
    if not part.explanations:
        return []
    lines = ["| event | from | for | score | why |", "|---|---|---|---:|---|"]
    for one in part.explanations[:_EVENTS]:
        name = " ".join([*one.entity.values(), str(one.number)])
        why = one.sentence if len(one.sentence) <= _LONGEST else one.sentence[: _LONGEST - 1] + "…"
        lines.append(
            f"| {escaped(name)} | {one.start}{part.zone} | {span(one.seconds)} | {one.score:,.3g} | "
            f"{escaped(why)} |"
        )
    rest = part.events - min(len(part.explanations), _EVENTS)
    return [*lines, "", f"and {rest:,} more events"] if rest else lines


def draw_channel(axes: Axes, line: ChannelLine, part: EventsPart) -> None:
    """One channel of the first panel: seen, expected with its band, events shaded."""
    for mark in part.panels[0].marks:
        axes.axvspan(mark.start / _DAY, mark.end / _DAY, color=_FLAG, alpha=0.2, linewidth=0)
    if len(line.low):
        axes.fill_between(
            _days(line.low[:, 0]), line.low[:, 1], line.high[:, 1], color=_EXPECTED, alpha=0.2, linewidth=0
        )
    if len(line.expected):
        style: Any = {"drawstyle": "steps-post"} if line.names else {}
        axes.plot(
            _days(line.expected_seconds), line.expected, color=_EXPECTED, linewidth=0.8, ls="--", **style
        )
    axes.plot(_days(line.seconds), line.seen, color=_SEEN, linewidth=0.8)
    if line.limit is not None:
        axes.axhline(line.limit, color=_FLAG, linestyle="--", linewidth=1)
    if line.logarithmic:
        axes.set_yscale("log")
    if line.names and len(line.names) <= _EVENTS:
        axes.set_yticks(range(len(line.names)), [_plain(name) for name in line.names])
    clock = part.panels[0].clock
    if clock.kind == "count":
        axes.xaxis.set_major_formatter(lambda value, _: f"{value * _DAY:g}")
    else:
        zone = clock.zone or clock.shown_in
        axes.xaxis_date(zone_of(zone) if zone else None)
    axes.tick_params(axis="x", rotation=20)
    axes.set(title=_plain(f"{part.panels[0].name}: {line.name}" if part.series > 1 else line.name))


def channels(part: EventsPart) -> list[ChannelLine]:
    """The lines worth a picture: the score's and those of the columns most to blame."""
    return part.panels[0].lines[: 1 + _LINES] if part.panels else []


def _plain(text: str) -> str:
    safe = "".join(c if c.isprintable() else "?" for c in text)
    return (safe if len(safe) <= 40 else safe[:39] + "…").replace("$", r"\$")


def _days(seconds: np.ndarray[Any, Any]) -> Any:
    """Instants as matplotlib counts them: in days since 1970."""
    return seconds / _DAY
