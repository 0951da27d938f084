"""Rows find their places in time, and a gap ends a stretch."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.series.segments import Timeline, find_interval, repeated_instants

ONE = np.zeros(5, dtype=np.int64)


def test_rows_are_sorted_and_equal_ones_keep_their_order() -> None:
    found = Timeline.of(np.array([30.0, 10.0, 20.0, 10.0, np.nan]), ONE, gap=50)
    assert found.order.tolist() == [1, 3, 2, 0]
    assert found.lengths.tolist() == [4]
    assert repeated_instants(np.array([30.0, 10.0, 20.0, 10.0, np.nan]), found) == 1


def test_gaps_and_series_end_a_stretch() -> None:
    seconds = np.array([0.0, 10.0, 100.0, 0.0, 10.0])
    found = Timeline.of(seconds, np.array([0, 0, 0, 1, 1]), gap=50)
    assert found.starts.tolist() == [0, 2, 3]
    assert found.lengths.tolist() == [2, 1, 2]
    assert found.first.tolist() == [True, False, True]
    assert found.series.tolist() == [0, 0, 1]


def test_the_usual_step_and_what_is_a_gap() -> None:
    seconds = np.arange(100.0) * 60
    found = find_interval(seconds, np.zeros(100, dtype=np.int64))
    assert (found.step, found.gap) == (60, 180)


def test_weekends_are_no_gaps() -> None:
    days = np.array([day for day in range(365) if day % 7 < 5]) * 86_400.0
    found = find_interval(days, np.zeros(len(days), dtype=np.int64))
    assert found.step == 86_400
    assert found.gap > 3 * 86_400


def test_rows_of_one_instant_have_a_step_of_a_second() -> None:
    assert find_interval(np.zeros(5), ONE).step == 1


def test_no_rows_no_stretches() -> None:
    found = Timeline.of(np.full(5, np.nan), ONE, 1)
    assert found.segments == []


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 500)), min_size=1, max_size=60))
def test_every_row_is_in_one_stretch_and_no_stretch_spans_a_gap(rows: list[tuple[int, int]]) -> None:
    series = np.array([row[0] for row in rows])
    seconds = np.array([row[1] for row in rows], dtype=float)
    found = Timeline.of(seconds, series, gap=20)
    assert sorted(found.order.tolist()) == list(range(len(rows)))
    assert found.lengths.sum() == len(rows)
    for part in found.segments:
        inside = found.order[part]
        assert len(set(series[inside])) == 1
        assert (np.diff(seconds[inside]) >= 0).all()
        assert (np.diff(seconds[inside]) <= 20).all()
