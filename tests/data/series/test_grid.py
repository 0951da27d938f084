"""The step and the phase of series are learned from rows that are late, absent or sent twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.arrays import Floats
from aedetect.data.series.grid import Grid


def fitted(seconds: Floats, every: float | None = None) -> Grid:
    return Grid.fit(seconds, np.zeros(len(seconds), dtype=np.int64), every)


@given(seed=st.integers(0, 1000), offset=st.floats(0, 299))
def test_the_step_and_the_phase_of_rows_that_are_late_or_absent(seed: int, offset: float) -> None:
    random = np.random.default_rng(seed)
    seconds = 1.7e9 + offset + 300.0 * np.sort(random.choice(2000, 1700, replace=False))
    late = seconds + np.where(random.random(1700) < 0.2, random.uniform(0, 90, 1700), 0)
    grid = fitted(seconds)
    assert grid.step == pytest.approx(300)
    np.testing.assert_array_equal(grid.slots(late)[0], grid.slots(seconds)[0])


def test_a_step_that_is_not_quite_what_it_seems_is_measured_over_the_whole_time() -> None:
    seconds = 60.01 * np.arange(100_000)
    grid = fitted(np.round(seconds))
    assert grid.step == pytest.approx(60.01, abs=1e-5)
    slots = grid.slots(np.round(seconds))[0]
    assert (np.diff(slots) == 1).all()


def test_rows_of_one_instant_have_a_step_of_a_second() -> None:
    assert fitted(np.zeros(5)).step == 1


def test_a_step_that_is_given_counts() -> None:
    seconds = np.sort(np.random.default_rng(0).uniform(0, 1e6, 500))
    assert fitted(seconds, 300.0).step == 300


def test_pauses_longer_than_nearly_all_others_are_gaps() -> None:
    days = np.array([day for day in range(365) if day % 7 < 5]) * 86_400.0
    grid = fitted(days)
    assert grid.step == 86_400
    assert grid.gap == 200 * 86_400


def test_a_phase_that_is_not_known_is_that_of_the_rows() -> None:
    slots, phase = Grid(60.0, 180.0).slots(np.array([30.0, 90.0, 151.0]))
    assert slots.tolist() == [0, 1, 2]
    assert phase == pytest.approx(30)
