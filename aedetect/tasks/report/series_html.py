"""The section of the page that tells of events, and a plot of the channels to zoom into.

Channels are inline SVG, one above the other on one axis of time. The drawing is stretched: text stands
beside it, as HTML. The page's script zooms by narrowing the view.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from aedetect.data.arrays import Floats
from aedetect.tasks.explain.format import shown
from aedetect.tasks.report.charts import Axis, number
from aedetect.tasks.report.series import ChannelLine, EventsPart, Panel
from aedetect.tasks.report.templates import template
from aedetect.tasks.report.time_ticks import time_ticks

_COLUMNS_SHOWN = 12
WIDTH, HEIGHT = 1000, 100
# Values so many times the expected range beyond it are drawn at the edge.
_BEYOND = 6.0
_PAD = 0.06
# An end of an axis so much smaller than this padding is 0.
_NOTHING = 1e-4
# Texts so near either end of an axis begin or end there; so near the top, they stand below their line.
_NEAR_EDGE, _LEAST_ROOM = 0.06, 16
_MOST_WORDS, _MOST_VALUES = 3, 4
_MOST_MISSED = 10
# Digits of a value; between these sizes it is written without powers of ten.
_DIGITS, _LEAST_PLAIN, _MOST_PLAIN = 3, 1e-3, 1e6
# Class and words of what labels say of an event.
_BADGES = {
    "hit": ("hit", "hit"),
    "near": ("near", "near a label"),
    "false alarm": ("false-alarm", "false alarm"),
}
_LONGEST_NAME, _MOST_NAMES = 60, 6


def section(part: EventsPart) -> Markup:
    """The section as HTML; all text from data is escaped."""
    leading = {one.columns[0].column for one in part.explanations if one.columns}
    places = [
        (number, place(part.panels[number], mark.start), place(part.panels[number], mark.end))
        if number >= 0
        else None
        for number, mark in part.places
    ]
    text = template("series.html").render(
        part=part,
        places=places,
        leading=sorted(leading),
        drawn=drawn,
        axis=axis,
        zone=zone,
        badges=_BADGES,
        most_missed=_MOST_MISSED,
        columns_shown=_COLUMNS_SHOWN,
    )
    return Markup(text)


@dataclass(frozen=True)
class ChannelDrawing:
    """A channel: its name, what its lowest and highest place mean, and the drawing."""

    name: str
    bottom: str
    top: str
    svg: Markup
    overlay: Markup
    scale: Markup


def drawn(panel: Panel) -> list[ChannelDrawing]:
    """The channels of a series, the score first."""
    return [_drawn(panel, line) for line in panel.lines]


def place(panel: Panel, seconds: float) -> float:
    """Where an instant stands on a panel, from 0 to `WIDTH`; so exactly that the second can be read off."""
    length = max(panel.end - panel.start, 1e-9)
    digits = max(2, math.ceil(math.log10(length / WIDTH)))
    return round(WIDTH * (seconds - panel.start) / length, digits)


def axis(panel: Panel) -> Markup:
    """The axis of time below the channels of a panel; it is as wide as they are, and not stretched."""
    parts = []
    for tick in time_ticks(panel.start, panel.end, panel.clock):
        at = place(panel, tick.seconds) / WIDTH
        anchor = "start" if at < _NEAR_EDGE else "end" if at > 1 - _NEAR_EDGE else "middle"
        parts.append(
            Markup(
                '<line x1="{0:.3f}%" x2="{0:.3f}%" y1="0" y2="5"/>'
                '<text x="{0:.3f}%" y="18" text-anchor="{1}">{2}</text>'
            ).format(100 * at, anchor, tick.text)
        )
    return Markup('<svg class="times" aria-hidden="true">') + Markup("").join(parts) + Markup("</svg>")


def _overlay(panel: Panel, line: ChannelLine, scale: _Scale) -> Markup:
    """Lines at the ticks of both axes, and values at those of the upright one; not stretched."""
    parts = [
        Markup('<line class="time" x1="{0:.3f}%" x2="{0:.3f}%" y1="0" y2="100%"/>').format(
            100 * place(panel, tick.seconds) / WIDTH
        )
        for tick in time_ticks(panel.start, panel.end, panel.clock)
    ]
    for value, text in _values(line, scale):
        up = float(scale.up(np.array([value]))[0])
        parts.append(Markup('<line x1="0" x2="100%" y1="{0:g}%" y2="{0:g}%"/>').format(up))
        # Written above its line, or below it where there is no room.
        shift = "-0.25em" if up > _LEAST_ROOM else "1em"
        parts.append(Markup('<text x="5" y="{:g}%" dy="{}">{}</text>').format(up, shift, text))
    return Markup('<svg class="overlay" aria-hidden="true">') + Markup("").join(parts) + Markup("</svg>")


def _values(line: ChannelLine, scale: _Scale) -> list[tuple[float, str]]:
    """Round values of a channel, or its words where they are few."""
    if line.names:
        few = len(line.names) <= _MOST_WORDS
        return [(float(code), shown(name, 20)) for code, name in enumerate(line.names)] if few else []
    values = Axis(scale.low, scale.high, 0, 1, scale.logarithmic).ticks(3)
    every = max(1, -(-len(values) // _MOST_VALUES))
    size = values[-1] - values[0] if values else 0.0
    return [(value, _tick(value, size)) for value in values[::every]]


def _tick(value: float, size: float) -> str:
    """A tick of an axis that is `size` long, whose ticks lie a third of it or less apart."""
    plain = _LEAST_PLAIN <= abs(value) < _MOST_PLAIN
    return _fine(value, size) if plain and size < abs(value) / 100 else number(float(f"{value:.6g}"))


def zone(panel: Panel) -> str:
    """The zone in which the page's script shows times; '' where they are no dates."""
    if panel.clock.kind == "count":
        return ""
    name = panel.clock.zone or panel.clock.shown_in or "UTC"
    if name[0] not in "+-" or not name.endswith(":00"):
        return name
    # Not every browser takes an offset; these zones are named with the sign turned.
    return f"Etc/GMT{'-' if name[0] == '+' else '+'}{int(name[1:3])}"


@dataclass(frozen=True)
class _Scale:
    """The values at the lower and the upper edge of a drawing."""

    low: float
    high: float
    logarithmic: bool = False

    @classmethod
    def of(cls, line: ChannelLine) -> _Scale:
        if line.names:
            return cls(-0.5, max(len(line.names) - 0.5, 0.6))
        known = line.seen[np.isfinite(line.seen)]
        if line.logarithmic:
            values = [*known, *([] if line.limit is None else [line.limit])] or [1.0]
            reference = max(values) if line.limit is None else line.limit
            low = max(min(values), 1e-3 * reference, 1e-9)
            return cls(low / 1.15, max(*values, low) * 1.15, logarithmic=True)
        low, high = float(known.min(initial=np.inf)), float(known.max(initial=-np.inf))
        if len(line.low):
            least, most = float(line.low[:, 1].min()), float(line.high[:, 1].max())
            size = max(most - least, 1e-9)
            low = min(max(low, least - _BEYOND * size), least)
            high = max(min(high, most + _BEYOND * size), most)
        if not (np.isfinite(low) and np.isfinite(high)):
            return cls(0.0, 1.0)
        pad = _PAD * (high - low) or 0.5
        return cls(low - pad, high + pad)

    def up(self, values: Floats) -> Floats:
        """Where values [points] stand, from 0 at the top to `HEIGHT`; [points]."""
        low, high = self.low, self.high
        if self.logarithmic:
            values, low, high = np.log(np.maximum(values, low)), float(np.log(low)), float(np.log(high))
        ups: Floats = np.clip(HEIGHT * (1 - (values - low) / (high - low)), 0.0, HEIGHT).round(2)
        return ups

    def ends(self) -> tuple[str, str]:
        """The lowest and the highest value, for people."""
        low, high = self.low, self.high
        if not self.logarithmic:
            pad = _PAD * (high - low) / (1 + 2 * _PAD)
            # What float32 leaves beside an end of 0 is no value of the column.
            low, high = (0.0 if abs(end) < _NOTHING * pad else end for end in (low + pad, high - pad))
        return _fine(low, high - low), _fine(high, high - low)


def _drawn(panel: Panel, line: ChannelLine) -> ChannelDrawing:
    scale = _Scale.of(line)
    parts = [*_shaded(panel), *_band(panel, line, scale)]
    if line.limit is not None:
        at = scale.up(np.array([line.limit]))[0]
        parts.append(Markup('<line class="limit" x1="0" x2="{}" y1="{}" y2="{}"/>').format(WIDTH, at, at))
    for kind, seconds, values in (
        ("expected", line.expected_seconds, line.expected),
        ("seen", line.seconds, line.seen),
    ):
        path = _path(panel, line, seconds, values, scale)
        if path:
            parts.append(Markup('<path class="{}" d="{}"/>').format(kind, path))
    head = Markup(
        '<svg class="series" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
    )
    head = head.format(WIDTH, HEIGHT, _described(panel, line, scale))
    svg = head + Markup("").join(parts) + Markup("</svg>")
    overlay = _overlay(panel, line, scale)
    names = [shown(name, _LONGEST_NAME) for name in line.names]
    data = Markup('data-low="{}" data-high="{}" data-log="{}" data-names="{}"').format(
        f"{scale.low:.9g}", f"{scale.high:.9g}", int(scale.logarithmic), json.dumps(names)
    )
    if names:
        shown_names = ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
        return ChannelDrawing(line.name, f"from below: {shown_names}", "", svg, overlay, data)
    return ChannelDrawing(line.name, *scale.ends(), svg, overlay, data)


def _described(panel: Panel, line: ChannelLine, scale: _Scale) -> str:
    """What those hear of a channel who cannot see it."""
    values = f", {' to '.join(scale.ends())}" if not line.names else ""
    events = f"{len(panel.marks):,} event{'' if len(panel.marks) == 1 else 's'}"
    begin, end = panel.clock.shown(panel.start), panel.clock.shown(panel.end)
    return f"{line.name} from {begin} to {end}{values}; {events}"


def _shaded(panel: Panel) -> list[Markup]:
    """The events of a series, darker where they are clearly off, and along the foot what is labelled."""
    parts = []
    for start, end in panel.labelled:
        left, right = place(panel, start), place(panel, end)
        parts.append(
            Markup('<rect class="labelled" x="{}" width="{}" y="{}" height="5"/>').format(
                left, _wide(left, right), HEIGHT - 5
            )
        )
    for mark in panel.marks:
        outcome = f", {_BADGES[mark.outcome][1]}" if mark.outcome else ""
        left, right = place(panel, mark.start), place(panel, mark.end)
        parts.append(
            Markup(
                '<rect class="event" x="{}" width="{}" y="0" height="{}" data-event="event {}: {} to {}, '
                'highest score {}{}"/>'
            ).format(
                left, _wide(left, right), HEIGHT, mark.number, panel.clock.shown(mark.start),
                panel.clock.shown(mark.end), number(mark.score), outcome,
            )
        )  # fmt: skip
        if mark.clear:
            left, right = (place(panel, second) for second in mark.clear)
            parts.append(
                Markup('<rect class="clear" x="{}" width="{}" y="0" height="{}"/>').format(
                    left, _wide(left, right), HEIGHT
                )
            )
    return parts


def _wide(left: float, right: float) -> float:
    """The width of a rectangle, wide enough to be seen."""
    return round(max(right - left, 0.4), 2)


def _band(panel: Panel, line: ChannelLine, scale: _Scale) -> list[Markup]:
    """Where most rows that are not flagged lie about what was expected."""
    if not len(line.low):
        return []
    upper, lower = (_points(panel, edge[:, 0], edge[:, 1], scale) for edge in (line.high, line.low))
    return [
        Markup('<polygon class="band" points="{}"/>').format(
            " ".join([*upper[first:last], *reversed(lower[first:last])])
        )
        for first, last in _runs(line.high[:, 0], line.gap)
    ]


def _fine(value: float, size: float) -> str:
    """A value in three digits, or in as many as tell values apart that lie within `size` of each other."""
    if not (value and size > 0 and np.isfinite([value, size]).all()):
        return number(value)
    digits = int(np.floor(np.log10(abs(value))) - np.floor(np.log10(size))) + 2
    if digits <= _DIGITS or not _LEAST_PLAIN <= abs(value) < _MOST_PLAIN:
        return number(float(f"{value:.{_DIGITS}g}"))
    return f"{value:,.{max(0, 1 - int(np.floor(np.log10(size))))}f}"


def _points(panel: Panel, seconds: Floats, values: Floats, scale: _Scale) -> list[str]:
    ups = scale.up(values)
    return [
        f"{place(panel, second):.12g},{up:g}"
        for second, up in zip(seconds.tolist(), ups.tolist(), strict=True)
    ]


def _path(panel: Panel, line: ChannelLine, seconds: Floats, values: Floats, scale: _Scale) -> str:
    known = ~np.isnan(values)
    seconds, values = seconds[known], values[known]
    ups = scale.up(values).tolist()
    gap = _pause(seconds, line.gap)
    commands: list[str] = []
    before: float | None = None
    for second, up in zip(seconds.tolist(), ups, strict=True):
        new = before is None or second - before > gap
        if line.names and not new:
            # Words change at once.
            commands.append(f"H{place(panel, second):.12g}V{up:g}")
        else:
            commands.append(f"{'M' if new else 'L'}{place(panel, second):.12g} {up:g}")
        before = second
    return "".join(commands)


def _runs(seconds: Floats, gap: float) -> Sequence[tuple[int, int]]:
    """First and one after the last place of runs without a gap."""
    cuts = np.flatnonzero(np.diff(seconds) > _pause(seconds, gap)) + 1
    bounds = [0, *cuts.tolist(), len(seconds)]
    return list(pairwise(bounds))


def _pause(seconds: Floats, gap: float) -> float:
    """From which distance two points are not joined; a thinned line has pauses of its own."""
    usual = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
    return max(gap, 3 * usual)
