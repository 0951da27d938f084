"""Rows find their slots in time, and a gap ends a segment."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.series.buffer import Rows
from aedetect.data.series.grid import Grid
from aedetect.data.series.segments import Timeline, repeated_instants, segment_values

ONE = np.zeros(5, dtype=np.int64)
GRID = Grid(step=10.0, gap=50.0, phase=0.0)
NAN = float("nan")


def rows_of(seconds: np.ndarray, values: np.ndarray, series: np.ndarray | None = None) -> Rows:
    count = len(seconds)
    nothing = np.zeros(count, dtype=np.bool_)
    owners = np.zeros(count, dtype=np.int64) if series is None else series
    return Rows(seconds, owners, values.reshape(count, -1).astype(np.float32), nothing, nothing)


def slotted(seconds: np.ndarray, values: np.ndarray, grid: Grid = GRID) -> np.ndarray:
    """The values of the slots of one series."""
    rows = rows_of(seconds, values)
    return np.concatenate(list(segment_values(rows, Timeline.of(rows.seconds, rows.series, grid))))


def test_rows_are_sorted_and_equal_ones_keep_their_order() -> None:
    seconds = np.array([30.0, 10.0, 20.0, 10.0, NAN])
    timeline = Timeline.of(seconds, ONE, GRID)
    assert timeline.order.tolist() == [1, 3, 2, 0]
    assert timeline.slot_of.tolist() == [2, 0, 1, 0, -1]
    assert timeline.lengths.tolist() == [3]
    assert timeline.seconds.tolist() == [10.0, 20.0, 30.0]
    assert repeated_instants(seconds, timeline) == 1


def test_gaps_and_series_end_a_segment() -> None:
    seconds = np.array([0.0, 20.0, 100.0, 0.0, 10.0])
    timeline = Timeline.of(seconds, np.array([0, 0, 0, 1, 1]), GRID)
    assert timeline.starts.tolist() == [0, 3, 4]
    assert timeline.lengths.tolist() == [3, 1, 2]
    assert timeline.first.tolist() == [True, False, True]
    assert timeline.series.tolist() == [0, 0, 1]
    assert timeline.slot_of.tolist() == [0, 2, 3, 4, 5]
    assert timeline.empty().tolist() == [False, True, False, False, False, False]


def test_rows_have_what_their_slots_have() -> None:
    timeline = Timeline.of(np.array([0.0, NAN, 12.0, 8.0]), ONE[:4], GRID)
    assert timeline.of_rows(np.array([5.0, 7.0]), -1.0).tolist() == [5.0, -1.0, 7.0, 7.0]
    assert timeline.marked(np.array([False, True, False, True])).tolist() == [False, True]


def test_no_rows_no_segments() -> None:
    timeline = Timeline.of(np.full(5, NAN), ONE, GRID)
    assert timeline.segments == []
    assert timeline.rows_in_segments == []
    assert timeline.of_rows(np.empty(0), 3.0).tolist() == [3.0] * 5


def test_a_slot_holds_the_mean_of_its_rows() -> None:
    found = slotted(np.array([0.0, 9.0, 11.0, 30.0]), np.array([1.0, 2.0, 4.0, 8.0]))
    np.testing.assert_array_equal(found.ravel(), [1, 3, NAN, 8])


def test_the_last_row_of_an_instant_counts_and_its_missing_cells_do_not() -> None:
    found = slotted(np.array([0.0, 0.0, 10.0, 10.0]), np.array([[1.0, 5], [2, NAN], [3, 7], [4, 8]]))
    np.testing.assert_array_equal(found, [[2, 5], [4, 8]])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 500)), min_size=1, max_size=60))
def test_every_row_is_in_one_segment_and_no_segment_spans_a_gap(rows: list[tuple[int, int]]) -> None:
    series = np.array([row[0] for row in rows])
    seconds = np.array([row[1] for row in rows], dtype=float)
    timeline = Timeline.of(seconds, series, GRID)
    assert sorted(timeline.order.tolist()) == list(range(len(rows)))
    assert timeline.lengths.sum() == len(timeline.seconds)
    assert np.abs(timeline.seconds[timeline.slot_of] - seconds).max() <= GRID.step / 2
    inside = timeline.rows_in_segments
    assert len(inside) == len(timeline.segments)
    for part, members, owner in zip(timeline.segments, inside, timeline.series, strict=True):
        assert set(series[members]) == {owner}
        assert (np.diff(seconds[members]) <= GRID.gap).all()
        assert (np.diff(timeline.seconds[part]) == GRID.step).all()
        assert set(timeline.slot_of[members]) <= set(range(part.start, part.stop))


CELLS = st.lists(st.one_of(st.just(NAN), st.integers(-9, 9)), min_size=12, max_size=40)


@given(CELLS, st.data())
def test_absent_rows_are_empty_cells(cells: list[float], data: st.DataObject) -> None:
    values = np.array(cells, dtype=float)
    seconds = np.arange(len(values)) * 10.0
    # No pause as long as a gap, and both ends stay.
    absent = data.draw(st.sets(st.integers(1, len(values) - 2), max_size=4))
    emptied = values.copy()
    emptied[list(absent)] = NAN
    rest = np.setdiff1d(np.arange(len(values)), list(absent))
    np.testing.assert_array_equal(slotted(seconds[rest], values[rest]), slotted(seconds, emptied))


@given(CELLS, st.data())
def test_rows_sent_twice_change_nothing(cells: list[float], data: st.DataObject) -> None:
    values = np.array(cells, dtype=float)
    # Two rows a slot: what is repeated must not weigh more than the other.
    seconds = np.arange(len(values)) * 5.0
    again = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=20))
    found = slotted(np.r_[seconds, seconds[again]], np.r_[values, values[again]])
    np.testing.assert_array_equal(found, slotted(seconds, values))


@given(CELLS, st.integers(0, 999))
def test_rows_up_to_30_percent_late_fall_into_the_same_slots(cells: list[float], seed: int) -> None:
    values = np.array(cells, dtype=float)
    seconds = np.arange(len(values)) * 10.0
    late = seconds + np.random.default_rng(seed).uniform(0, 3, len(values))
    np.testing.assert_array_equal(slotted(late, values), slotted(seconds, values))
