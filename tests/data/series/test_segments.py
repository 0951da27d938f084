"""Rows find their slots in time, and a gap ends a segment."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.arrays import Floats
from aedetect.data.series.buffer import Rows
from aedetect.data.series.grid import Grid
from aedetect.data.series.segments import Timeline, repeated_instants, slot_values

ONE = np.zeros(5, dtype=np.int64)
TENS = Grid(10.0, 50.0, 0.0)


def rows(seconds: list[float], values: list[float]) -> Rows:
    nothing = np.zeros(len(seconds), dtype=np.bool_)
    cells = np.array(values, dtype=np.float32).reshape(len(seconds), 1)
    return Rows(np.array(seconds), np.zeros(len(seconds), dtype=np.int64), cells, nothing, nothing)


def cells_of(made: Rows, grid: Grid = TENS) -> list[float]:
    return slot_values(made, Timeline.of(made.seconds, made.series, grid)).ravel().tolist()


def test_rows_are_sorted_and_equal_ones_keep_their_order() -> None:
    timeline = Timeline.of(np.array([30.0, 10.0, 20.0, 10.0, np.nan]), ONE, TENS)
    assert timeline.order.tolist() == [1, 3, 2, 0]
    assert timeline.slot_of.tolist() == [2, 0, 1, 0, -1]
    assert timeline.lengths.tolist() == [3]
    assert repeated_instants(np.array([30.0, 10.0, 20.0, 10.0, np.nan]), timeline) == 1


def test_gaps_and_series_end_a_segment() -> None:
    seconds = np.array([0.0, 10.0, 100.0, 0.0, 10.0])
    timeline = Timeline.of(seconds, np.array([0, 0, 0, 1, 1]), TENS)
    assert timeline.starts.tolist() == [0, 2, 3]
    assert timeline.lengths.tolist() == [2, 1, 2]
    assert timeline.first.tolist() == [True, False, True]
    assert timeline.series.tolist() == [0, 0, 1]
    assert [part.tolist() for part in timeline.rows_in_segments] == [[0, 1], [2], [3, 4]]


def test_shorter_pauses_leave_empty_slots() -> None:
    made = rows([0, 10, 40], [1, 2, 5])
    timeline = Timeline.of(made.seconds, made.series, TENS)
    assert timeline.seconds.tolist() == [0, 10, 20, 30, 40]
    assert timeline.empty().tolist() == [False, False, True, True, False]
    np.testing.assert_array_equal(slot_values(made, timeline).ravel(), [1, 2, np.nan, np.nan, 5])


def test_rows_of_a_slot_are_averaged_and_those_of_an_instant_count_once() -> None:
    assert cells_of(rows([0, 10, 12, 20], [1, 2, 4, 5])) == [1, 3, 5]
    assert cells_of(rows([0, 10, 10, 20], [1, 2, 4, 5])) == [1, 4, 5]
    assert cells_of(rows([0, 10, 20, 0, 10, 20], [1, 2, 5, 1, 2, 5])) == [1, 2, 5]


def test_each_row_has_what_is_said_of_its_slot() -> None:
    timeline = Timeline.of(np.array([0.0, 12, 10, np.nan]), np.zeros(4, dtype=np.int64), TENS)
    assert timeline.of_rows(np.array([1.0, 2.0]), -1.0).tolist() == [1, 2, 2, -1]
    assert timeline.marked(np.array([False, True, False, True])).tolist() == [False, True]


def test_no_rows_no_segments() -> None:
    timeline = Timeline.of(np.full(5, np.nan), ONE, TENS)
    assert timeline.segments == []
    assert timeline.rows_in_segments == []
    assert timeline.of_rows(np.empty(0), 7.0).tolist() == [7.0] * 5


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 500)), min_size=1, max_size=60))
def test_every_row_is_in_one_segment_and_none_spans_a_gap(members: list[tuple[int, int]]) -> None:
    series = np.array([row[0] for row in members])
    seconds: Floats = np.array([row[1] for row in members], dtype=np.float64)
    timeline = Timeline.of(seconds, series, Grid(10.0, 20.0, 0.0))
    assert sorted(timeline.order.tolist()) == list(range(len(members)))
    parts = timeline.rows_in_segments
    assert sum(len(part) for part in parts) == len(members)
    for part, slots in zip(parts, timeline.segments, strict=True):
        assert len(np.unique(series[part])) == 1
        assert (np.diff(seconds[part]) <= 20).all()
        assert timeline.slot_of[part].min() == slots.start
        assert timeline.slot_of[part].max() == slots.stop - 1
        assert (np.abs(timeline.seconds[timeline.slot_of[part]] - seconds[part]) <= 5).all()
