"""From flagged rows to events: what happened, when, on which series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.data.series.segments import Timeline


@dataclass(frozen=True)
class Event:
    """Flagged rows that belong together. `number` counts the events of its series, from 1.

    `rows` [flagged rows] are their numbers among all rows, in the order of time; `peak` is the
    strangest of them.
    """

    series: int
    number: int
    rows: Integers
    peak: int


def find_events(flagged: Mask, scores: Floats, timeline: Timeline, gap: int, least: int) -> list[Event]:
    """Group flagged rows [rows] of each series, in the order of series and time.

    Two flagged rows with at most `gap` rows between them, and no pause, are of one event; an
    event has at least `least` flagged rows.
    """
    events: list[Event] = []
    counts: dict[int, int] = {}
    for part, series in zip(timeline.segments, timeline.series.tolist(), strict=True):
        rows = timeline.order[part]
        for places in _runs(np.flatnonzero(flagged[rows]), gap):
            if len(places) < least:
                continue
            counts[series] = counts.get(series, 0) + 1
            flagged_rows = rows[places]
            peak = int(flagged_rows[np.argmax(scores[flagged_rows])])
            events.append(Event(series, counts[series], flagged_rows, peak))
    return events


def with_all_rows(events: Sequence[Event], standing: Integers, flagged: Mask, scores: Floats) -> list[Event]:
    """The events with all flagged rows of the instants that they are of; see `readings.Instants`.

    `standing` [rows]: the row that stands for each.
    """
    order = np.flatnonzero(flagged)
    order = order[np.argsort(standing[order], kind="stable")]
    owners = standing[order]
    whole = []
    for event in events:
        first = np.searchsorted(owners, event.rows, "left")
        last = np.searchsorted(owners, event.rows, "right")
        rows = order[np.concatenate([np.arange(*ends) for ends in zip(first, last, strict=True)])]
        whole.append(replace(event, rows=rows, peak=int(rows[np.argmax(scores[rows])])))
    return whole


def event_numbers(events: list[Event], rows: int) -> Integers:
    """The number of each row's event; [rows], 0 outside events."""
    numbers = np.zeros(rows, dtype=np.int64)
    for event in events:
        numbers[event.rows] = event.number
    return numbers


def _runs(places: Integers, gap: int) -> Iterator[Integers]:
    if len(places):
        yield from np.split(places, np.flatnonzero(np.diff(places) > gap + 1) + 1)
