"""From flagged rows to events: what happened, when, on which series."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from aedetect.config import SeriesConfig
from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.data.series.segments import Timeline


@dataclass(frozen=True)
class Event:
    """Flagged rows that belong together. `number` counts the events of its series, from 1.

    `rows` [flagged rows] are their numbers among all rows, in the order of time; `peak` is the
    strangest of them. `continued`: the alarm had begun before, and went on all the while.
    """

    series: int
    number: int
    rows: Integers
    peak: int
    continued: bool = False


# Of a window, by default, so much may lie between two flagged rows of an event; but at least so many steps.
_GAP_SHARE, _LEAST_GAP = 12, 4


def usual_gap(window: int) -> int:
    """Steps between two flagged rows of one event, at most, where windows have `window` steps."""
    return max(window // _GAP_SHARE, _LEAST_GAP)


def event_gap(settings: SeriesConfig, window: int) -> int:
    """The same, unless the settings say otherwise."""
    return usual_gap(window) if settings.event_gap is None else settings.event_gap


def find_events(
    flagged: Mask,
    continued: Mask,
    scores: Floats,
    timeline: Timeline,
    gap: int,
    least: int,
    breaks: Collection[int] = (),
) -> list[Event]:
    """Group flagged rows [rows] of each series, in the order of series and time.

    Two flagged rows with at most `gap` steps between them, and no pause, are of one event; so are those
    marked in `continued` [rows] and the flagged row before them. None goes on beyond the rows numbered in
    `breaks`. An event has at least `least` flagged rows.
    """
    ends = np.sort(timeline.slot_of[list(breaks)])
    events: list[Event] = []
    counts: dict[int, int] = {}
    for rows, series in zip(timeline.rows_in_segments, timeline.series.tolist(), strict=True):
        for flagged_rows in _runs(rows[flagged[rows]], continued, timeline.slot_of, gap, ends):
            if len(flagged_rows) < least:
                continue
            counts[series] = counts.get(series, 0) + 1
            peak = int(flagged_rows[np.argmax(scores[flagged_rows])])
            goes_on = bool(continued[flagged_rows[0]])
            events.append(Event(series, counts[series], flagged_rows, peak, goes_on))
    return events


def _runs(rows: Integers, continued: Mask, slot_of: Integers, gap: int, ends: Integers) -> Iterator[Integers]:
    if len(rows):
        apart = (np.diff(slot_of[rows]) > gap + 1) & ~continued[rows[1:]]
        apart |= np.diff(np.searchsorted(ends, slot_of[rows], side="right")) > 0
        yield from np.split(rows, np.flatnonzero(apart) + 1)
