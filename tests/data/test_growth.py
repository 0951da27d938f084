from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.growth import growth, rank_correlation


@given(st.integers(0, 10_000), st.sampled_from(["normal", "lognormal", "integers", "few"]))
def test_values_in_random_order_neither_run_nor_reach_on(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    values = {
        "normal": rng.normal(size=400),
        "lognormal": rng.lognormal(sigma=3, size=400),
        "integers": rng.integers(0, 100_000, 400).astype(float),
        "few": rng.integers(0, 4, 400).astype(float),
    }[kind]
    seen = growth(values)
    assert not seen.runs
    assert not seen.reaches_on


def test_a_running_number_runs_and_is_even() -> None:
    seen = growth(500.0 + np.arange(2000) // 40)
    assert seen.runs
    assert seen.is_even
    assert seen.trend == pytest.approx(1)
    assert seen.distinct == 50


def test_falling_counts_too_and_gaps_do_not_matter() -> None:
    values = 9000.0 - np.arange(300)
    values[::7] = np.nan
    seen = growth(values)
    assert seen.runs
    assert seen.trend == pytest.approx(-1)


def test_sorted_measurements_run_but_are_not_even() -> None:
    seen = growth(np.sort(np.random.default_rng(1).lognormal(3, 1, 1000)))
    assert seen.runs
    assert not seen.is_even


def test_numbers_drawn_from_all_given_out_so_far_are_told() -> None:
    rng, at = np.random.default_rng(2), np.arange(2000)
    assert growth(rng.integers(1, 2000 + at).astype(float)).is_drawn_from_all_so_far
    assert not growth(rng.integers(1, 4000, 2000).astype(float)).is_drawn_from_all_so_far


def test_few_rows_say_nothing() -> None:
    assert not growth(np.arange(49.0)).runs
    assert not growth(np.full(100, 3.0)).runs


def test_equal_values_share_their_rank() -> None:
    assert rank_correlation(np.array([1.0, 1, 2, 2]), np.array([5.0, 5, 9, 9])) == pytest.approx(1)
    assert rank_correlation(np.ones(4), np.arange(4)) == 0
