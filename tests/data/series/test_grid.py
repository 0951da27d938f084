"""Rows fall into slots one step apart, however late they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.series.calendar import local_seconds
from aedetect.data.series.grid import Grid

STEP = 300.0
DAY = np.arange(288) * STEP
ONE = np.zeros(288, dtype=np.int64)


@pytest.mark.parametrize("begin", [0.0, 17.0, 149.0, 150.0, 299.0, 1.7e9 + 123])
@given(seed=st.integers(0, 999))
def test_a_row_up_to_30_percent_late_stays_in_its_slot(begin: float, seed: int) -> None:
    late = np.random.default_rng(seed).uniform(0, 0.3 * STEP, 288)
    late[::2] = 0
    seconds = begin + DAY + late
    grid = Grid.fit(seconds, ONE, every=STEP)
    slots, _ = grid.slots(seconds)
    np.testing.assert_array_equal(slots - slots[0], np.arange(288))


@pytest.mark.slow
@given(st.lists(st.integers(0, 287), min_size=100, max_size=280, unique=True))
def test_a_grid_is_that_of_all_rows_where_most_are_there(rows: list[int]) -> None:
    some = np.sort(DAY[rows])
    grid = Grid.fit(some, ONE[: len(some)], every=STEP)
    assert grid.phase == pytest.approx(0.0, abs=1e-6) or grid.phase == pytest.approx(STEP, abs=1e-6)


def test_the_step_is_the_usual_one() -> None:
    lossy = np.delete(DAY, [5, 6, 7, 100, 200])
    repeated = np.sort(np.r_[lossy, lossy[::3]])
    for seconds in (DAY, lossy, repeated):
        assert Grid.fit(seconds, np.zeros(len(seconds), dtype=np.int64)).step == STEP


def test_the_step_asked_for_overrules_that_of_the_rows() -> None:
    grid = Grid.fit(DAY, ONE, every=600.0)
    assert grid.step == 600.0
    slots, _ = grid.slots(DAY)
    assert np.bincount(slots - slots[0]).max() == 2


def test_a_step_that_is_not_quite_the_usual_one_does_not_drift() -> None:
    # Half of the pauses are a second longer: by the median alone a slot would be skipped every so often.
    seconds = np.cumsum(np.r_[0.0, np.tile([300.0, 301.0, 300.0], 1000)])
    grid = Grid.fit(seconds, np.zeros(len(seconds), dtype=np.int64))
    slots, _ = grid.slots(seconds)
    np.testing.assert_array_equal(np.diff(slots), 1)


def test_counted_time_is_seconds() -> None:
    counts = np.arange(50.0)
    grid = Grid.fit(counts, np.zeros(50, dtype=np.int64))
    assert grid.step == 1
    np.testing.assert_array_equal(np.diff(grid.slots(counts)[0]), 1)


def test_weekends_are_no_gaps() -> None:
    days = np.array([day for day in range(365) if day % 7 < 5]) * 86_400.0
    grid = Grid.fit(days, np.zeros(len(days), dtype=np.int64))
    assert grid.step == 86_400
    assert grid.gap > 3 * 86_400


@pytest.mark.parametrize("seconds", [np.zeros(5), np.full(5, np.nan), np.empty(0)])
def test_rows_of_one_instant_have_a_step_of_a_second(seconds: np.ndarray) -> None:
    assert Grid.fit(seconds, np.zeros(len(seconds), dtype=np.int64)).step == 1


def test_by_the_clock_on_the_wall_a_day_is_a_day_where_the_clock_is_moved() -> None:
    # 8 o'clock in Berlin, from the day before the clock goes forward to the day after.
    mornings = np.array([1774681200.0, 1774764000.0, 1774850400.0])
    every_day = np.zeros(3, dtype=np.int64)
    grid = Grid.fit(mornings, every_day, every=86_400.0).on_the_wall(mornings, "Europe/Berlin")
    slots, phase = grid.slots(local_seconds(mornings, "Europe/Berlin"))
    np.testing.assert_array_equal(np.diff(slots), 1)
    assert (phase, grid.zone) == (8 * 3600.0, "Europe/Berlin")
