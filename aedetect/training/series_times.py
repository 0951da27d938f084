"""From when to when the rows of series are, in one line, and whether that can be."""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import Floats
from aedetect.data.series.grid import Grid
from aedetect.data.series.segments import Timeline
from aedetect.data.series.timestamps import Clock, span
from aedetect.errors import DataError

# Counted seconds of the first two months of 1970, or of times after 2100, count something else.
_BEGIN = float(np.datetime64("1970-03-01", "s").astype(np.int64))
_END = float(np.datetime64("2101-01-01", "s").astype(np.int64))
# By so much of itself a month may be longer or shorter than 30 days.
_UNEVEN = 0.1
_UNITS = {1.0: "seconds", 1e-3: "milliseconds", 1e-6: "microseconds", 1e-9: "nanoseconds"}


def check_span(name: str, clock: Clock, seconds: Floats) -> None:
    """Raises DataError for epoch numbers of the input called `name` that mean times nobody recorded.

    `seconds` [rows]: since 1970, NaN where there is no time.
    """
    if clock.kind != "number" or np.isnan(seconds).all():
        return
    first, last = float(np.nanmin(seconds)), float(np.nanmax(seconds))
    if first >= _BEGIN and last < _END:
        return
    least, most = first / clock.unit, last / clock.unit
    raise DataError(
        f"{name}: column {clock.column!r}: numbers from {least:.15g} to {most:.15g}, read as "
        f"{_UNITS[clock.unit]} since 1970, are times from {_shown(first)} to {_shown(last)}; say how they "
        "are written: --time-format steps where they only count, excel for days of spreadsheets, or as in "
        "'%Y%m%d'"
    )


def times_in_words(clock: Clock, seconds: Floats, timeline: Timeline, grid: Grid) -> str:
    """'2024-01-01 00:00 to 2024-03-01 23:55, every 5 min, 3 series, 12 gaps (longest 2 h)'.

    `seconds` [rows]: those of the rows, NaN where there is no time.
    """
    first, last = float(np.nanmin(seconds)), float(np.nanmax(seconds))
    series = len(np.unique(timeline.series))
    pauses = _pauses(timeline)
    gaps = "no gaps"
    if len(pauses):
        longest = f"{pauses.max():.6g}" if clock.kind == "count" else span(float(pauses.max()))
        gaps = f"{len(pauses):,} gap{'s' * (len(pauses) != 1)} (longest {longest})"
    when = f"{clock.shown(first)} to {clock.shown(last)}{clock.zone_name}"
    return f"{when}, every {_step(clock, grid.step)}, {series:,} series, {gaps}"


def _pauses(timeline: Timeline) -> Floats:
    """Seconds from the row before each gap to the row after it [gaps], of gaps that windows span too."""
    ends = timeline.starts + timeline.lengths - 1
    between = timeline.seconds[timeline.starts[1:]] - timeline.seconds[ends[:-1]]
    edges = np.diff(np.r_[0, timeline.empty().astype(np.int8), 0])
    begins, over = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    pauses: Floats = np.r_[
        between[~timeline.first[1:]], timeline.seconds[over] - timeline.seconds[begins - 1]
    ]
    return pauses


def _step(clock: Clock, step: float) -> str:
    if clock.kind == "count":
        return f"{step:.6g}"
    # Months and years are of different lengths.
    usual = {"y": (365, "year"), "ym": (30, "month"), "by": (30, "month"), "yq": (91, "3 months")}
    days, name = usual.get(clock.order, (0, ""))
    return name if days and abs(step / 86_400 / days - 1) < _UNEVEN else span(step)


def _shown(seconds: float) -> str:
    with np.errstate(all="ignore"):
        return str(np.datetime64(round(seconds), "s")).replace("T", " ")
