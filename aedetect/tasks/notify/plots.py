"""The picture that goes with a message, where matplotlib is installed."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats, Integers
from aedetect.data.series.timestamps import zone_of
from aedetect.scoring.events import Event
from aedetect.scoring.reconstruction import ReconstructedColumn
from aedetect.scoring.series import SeriesSession
from aedetect.tasks.figures import CALM_COLOUR, FLAG_COLOUR, drawable, drawn
from aedetect.tasks.report.bins import ScoreHistogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE, _DOTS = (7.0, 3.4), 100
# Of a name in a picture, at most so many letters.
_LONGEST = 60
_SEEN, _EXPECTED = "#1d2327", "#1f5f8b"
_DAY = 86_400
# Before and after an event so much of its length is drawn as well, but at least so many steps; of long
# events so many points.
_AROUND, _LEAST_AROUND, _POINTS = 0.5, 24, 1_000


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def event_plot(session: SeriesSession, event: Event, column: ReconstructedColumn) -> bytes:
    """A PNG of one column over an event and what surrounds it: seen, expected, the event shaded."""
    rows = _rows_around(session, event)
    rows = _thinned(rows, np.nan_to_num(np.abs(column.seen[rows] - column.expected[rows])))
    days = np.asarray(session.seconds[rows]) / _DAY
    first, last = (float(session.seconds[event.rows[place]]) / _DAY for place in (0, -1))
    name = "/".join(session.names[event.series])

    def draw(axes: Axes) -> None:
        half = session.step / _DAY / 2
        axes.axvspan(first - half, last + half, color=FLAG_COLOUR, alpha=0.2, linewidth=0)
        band = column.band[rows]
        axes.fill_between(
            days, column.expected[rows] - band, column.expected[rows] + band,
            color=_EXPECTED, alpha=0.2, linewidth=0,
        )  # fmt: skip
        axes.plot(days, column.expected[rows], color=_EXPECTED, linewidth=0.9, ls="--", label="expected")
        axes.plot(days, column.seen[rows], color=_SEEN, linewidth=0.9, label="seen")
        if column.names and len(column.names) <= 10:
            axes.set_yticks(range(len(column.names)), [drawable(each, _LONGEST) for each in column.names])
        if session.clock.kind == "count":
            axes.xaxis.set_major_formatter(lambda value, _: f"{value * _DAY:g}")
        else:
            zone = session.clock.zone or session.clock.shown_in
            axes.xaxis_date(zone_of(zone) if zone else None)
        axes.tick_params(axis="x", rotation=20)
        what = f"growth of {column.column} per row" if column.growth else column.column
        axes.set_title(drawable(f"{name}: {what}" if name else what, _LONGEST), loc="left")
        axes.legend(frameon=False, loc="upper right", bbox_to_anchor=(1, 1.14), ncols=2, fontsize=9)

    return drawn(draw, _SIZE, _DOTS)


def scores_plot(bins: ScoreHistogram, threshold: float) -> bytes:
    """A PNG of how many rows have which score, those above the threshold in red."""
    edges, counts = bins.filled()

    def draw(axes: Axes) -> None:
        colours = [FLAG_COLOUR if low >= threshold * (1 - 1e-9) else CALM_COLOUR for low in edges[:-1]]
        axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=colours)
        axes.axvline(threshold, color=FLAG_COLOUR, linestyle="--", linewidth=1)
        axes.set(xscale="log", yscale="log", xlabel="score", ylabel="rows")
        axes.set_title("Scores of this run, and the threshold", loc="left")

    return drawn(draw, _SIZE, _DOTS)


def _rows_around(session: SeriesSession, event: Event) -> Integers:
    """The rows of the event's series, in the order of time, from before it to after it."""
    assert session.series_data is not None
    order = session.series_data.timeline.order
    rows = order[session.series[order] == event.series]
    begin, end = np.searchsorted(session.seconds[rows], session.seconds[event.rows[[0, -1]]])
    around = max(int(_AROUND * (end - begin + 1)), _LEAST_AROUND)
    return np.asarray(rows[max(begin - around, 0) : end + around + 1])


def _thinned(rows: Integers, away: Floats) -> Integers:
    """At most so many rows, those farthest from what was expected among their neighbours; `away` [rows]."""
    if len(rows) <= _POINTS:
        return rows
    parts = np.array_split(np.arange(len(rows)), _POINTS)
    return np.asarray(rows[[part[away[part].argmax()] for part in parts]])
