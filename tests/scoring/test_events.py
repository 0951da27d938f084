"""Flagged rows that belong together are one event."""

from __future__ import annotations

import numpy as np

from aedetect.data.series.grid import Grid
from aedetect.data.series.segments import Timeline
from aedetect.scoring.events import find_events


def events(flags: str, gap: int = 1, least: int = 1, series: str | None = None) -> list[list[int]]:
    flagged = np.array([mark == "x" for mark in flags])
    whose = np.array([int(mark) for mark in series or "0" * len(flags)])
    timeline = Timeline.of(np.arange(len(flags), dtype=float), whose, Grid(1.0, 10.0, 0.0))
    found = find_events(flagged, ~flagged, np.arange(len(flags), dtype=float), timeline, gap, least)
    return [event.rows.tolist() for event in found]


def test_rows_at_most_a_gap_apart_are_one_event() -> None:
    assert events("x.x..x") == [[0, 2], [5]]
    assert events("x.x..x", gap=2) == [[0, 2, 5]]
    assert events("xx.xx", gap=0) == [[0, 1], [3, 4]]


def test_empty_slots_count_as_steps_between() -> None:
    timeline = Timeline.of(np.array([0.0, 4, 5]), np.zeros(3, dtype=np.int64), Grid(1.0, 10.0, 0.0))
    found = find_events(np.ones(3, dtype=bool), np.zeros(3, dtype=bool), np.arange(3.0), timeline, 2, 1)
    assert [event.rows.tolist() for event in found] == [[0], [1, 2]]


def test_short_ones_are_none() -> None:
    assert events("x...xx", least=2) == [[4, 5]]


def test_nothing_flagged_no_event() -> None:
    assert events("....") == []


def test_each_series_has_its_own() -> None:
    assert events("xxxx", series="0011") == [[0, 1], [2, 3]]


def test_a_pause_ends_an_event() -> None:
    seconds = np.array([0.0, 1, 2, 50, 51])
    timeline = Timeline.of(seconds, np.zeros(5, dtype=np.int64), Grid(1.0, 10.0, 0.0))
    found = find_events(np.ones(5, dtype=bool), np.zeros(5, dtype=bool), np.arange(5.0), timeline, 3, 1)
    assert [event.rows.tolist() for event in found] == [[0, 1, 2], [3, 4]]
    assert [event.number for event in found] == [1, 2]
    assert [event.peak for event in found] == [2, 4]


def test_no_event_goes_on_beyond_a_break() -> None:
    timeline = Timeline.of(np.arange(6.0), np.zeros(6, dtype=np.int64), Grid(1.0, 10.0, 0.0))
    flagged = np.array([True, True, False, True, True, True])
    found = find_events(flagged, flagged, np.arange(6.0), timeline, 3, 1, breaks=[2])
    assert [event.rows.tolist() for event in found] == [[0, 1], [3, 4, 5]]
    found = find_events(flagged, flagged, np.arange(6.0), timeline, 3, 1, breaks=[4])
    assert [event.rows.tolist() for event in found] == [[0, 1, 3], [4, 5]]
