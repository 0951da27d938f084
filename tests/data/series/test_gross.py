"""Gross cells are told from heavy tails, recurring peaks, regimes and channels of few values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aedetect.data.series.buffer import Rows
from aedetect.data.series.gross import (
    LONGEST_ACCIDENT,
    accidents,
    find_gross_cells,
    gross_cells,
    limits_of,
    rows_by_column,
    set_aside,
)  # fmt: skip
from aedetect.data.series.scaling import Scales

MEASURED = np.array([True])
DAY = 288


def _rows(values: np.ndarray, series: np.ndarray | None = None) -> Rows:
    """Rows every five minutes, of one channel where `values` has one axis."""
    table = values.astype(np.float32).reshape(len(values), -1)
    nothing = np.zeros(len(values), dtype=np.bool_)
    numbers = np.zeros(len(values), dtype=np.int64) if series is None else series
    return Rows(np.arange(len(values)) * 300.0, numbers, table, nothing, nothing)


def _daily(days: int = 30, seed: int = 0) -> np.ndarray:
    steps = np.arange(days * DAY)
    return 50 + 10 * np.sin(steps / DAY * 2 * np.pi) + np.random.default_rng(seed).normal(size=len(steps))


def _found(values: np.ndarray) -> list[int]:
    return np.flatnonzero(find_gross_cells(_rows(values), MEASURED)[:, 0]).tolist()


def test_three_cells_are_found_exactly() -> None:
    values = _daily()
    values[[1011, 6064, 7017]] = 9000
    assert _found(values) == [1011, 6064, 7017]


def test_a_code_for_no_reading_is_found_in_two_percent_of_the_rows() -> None:
    values = _daily()
    bad = np.sort(np.random.default_rng(1).choice(len(values), len(values) // 50, replace=False))
    values[bad] = -999
    assert _found(values) == bad.tolist()


def test_wild_values_to_both_sides_and_an_outage_are_found() -> None:
    values = _daily()
    values[[10, 4000]] = [1e6, -5000]
    values[6000:6100] = -999
    assert _found(values) == [10, 4000, *range(6000, 6100)]


def test_missing_cells_are_not_gross() -> None:
    values = _daily()
    values[100:200], values[300] = np.nan, 9000
    assert _found(values) == [300]


@pytest.mark.parametrize("hours", [(3,), (3, 8, 21)])
def test_daily_peaks_are_not_gross(hours: tuple[int, ...]) -> None:
    values = _daily()
    rng = np.random.default_rng(2)
    for hour in hours:
        values[hour * 12 :: DAY] *= rng.uniform(18, 22, 30)
    assert _found(values) == []


def test_a_peak_a_day_at_any_time_is_not_gross() -> None:
    values = _daily()
    rng = np.random.default_rng(3)
    values[np.arange(30) * DAY + rng.integers(0, DAY, 30)] *= 20
    assert _found(values) == []


@pytest.mark.parametrize("seed", range(5))
def test_heavy_tails_are_not_gross(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for values in (rng.lognormal(0, 1.5, 5000), rng.pareto(2, 5000), rng.standard_t(2.5, 5000)):
        assert _found(values) == []


def test_a_regime_is_not_gross() -> None:
    values = _daily()
    values[1000:1300] += 900
    assert _found(values) == []


def test_channels_of_few_values_are_not_gross() -> None:
    rng = np.random.default_rng(4)
    states = rng.integers(0, 3, 5000).astype(np.float64)
    states[[7, 4000]] = 99
    rare = (rng.random(5000) < 0.01).astype(np.float64)
    assert _found(states) == _found(rare) == []


def test_channels_that_are_no_numbers_are_left_alone() -> None:
    values = _daily()
    values[99] = 9000
    assert not find_gross_cells(_rows(values), np.array([False])).any()


def test_each_series_is_looked_at_by_itself() -> None:
    small, large = _daily(10), _daily(10, 1) * 1000
    small[500] = 5000
    values = np.stack([small, large], axis=1).ravel()
    series = np.tile([0, 1], len(small))
    gross = find_gross_cells(_rows(values, series), MEASURED)
    assert np.flatnonzero(gross[:, 0]).tolist() == [1000]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(-100, 100), st.floats(1e-3, 1e3))
def test_neither_unit_nor_level_matters(seed: int, shift: float, unit: float) -> None:
    values = np.random.default_rng(seed).normal(size=600)
    bad = [3, 77, 401]
    values[bad] = [1e5, -1e5, 1e5]
    assert _found((values + shift) * unit) == bad


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 2))
def test_noise_alone_is_never_gross(seed: int, power: float) -> None:
    values = np.random.default_rng(seed).normal(size=400)
    assert _found(np.sign(values) * np.abs(values) ** power) == []


def test_limits_are_wide_and_only_those_of_numbers() -> None:
    values = np.random.default_rng(0).normal(size=(500, 2))
    limits = limits_of(values, np.array([True, False]))
    assert limits[0, 0] < -15
    assert limits[1, 0] > 15
    assert np.isfinite(limits).all()
    cells = np.array([[-100.0, -1e9], [0, 1e9], [np.nan, 0], [100, 0]], dtype=np.float32)
    assert gross_cells(cells, limits).tolist() == [
        [True, False],
        [False, False],
        [False, False],
        [True, False],
    ]


def test_another_level_is_an_accident_for_its_first_rows_only() -> None:
    values = np.zeros((300, 1), dtype=np.float32)
    values[100:250], values[20] = 900, 900
    limits = np.array([[-10], [10]], dtype=np.float32)
    marked = np.flatnonzero(accidents(_rows(values), values, limits))
    assert marked.tolist() == [20, *range(100, 100 + LONGEST_ACCIDENT)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 399))
def test_what_is_gross_depends_on_no_later_row(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.choice([0.0, 50.0], 40), rng.integers(1, 90, 40))[:400]
    values = np.r_[levels, np.zeros(400)][:400, None].astype(np.float32)
    series = rng.integers(0, 2, 400)
    limits = np.array([[-10], [10]], dtype=np.float32)
    whole = accidents(_rows(values, series), values, limits)
    begun = accidents(_rows(values[:cut], series[:cut]), values[:cut], limits)
    assert (whole[:cut] == begun).all()


def test_what_is_set_aside_is_missing_in_its_own_scale() -> None:
    values = np.r_[np.full(50, 1.0), np.full(50, 500.0)]
    values[[10, 60]] = 500, 560
    series = np.repeat([0, 1], 50)
    centers, spreads = np.array([[1], [500]], np.float32), np.array([[1], [100]], np.float32)
    scales = Scales((("a",), ("b",)), centers, spreads, MEASURED)
    limits = np.array([[-10], [10]], dtype=np.float32)
    sound, gross = set_aside(_rows(values, series), [("a",), ("b",)], scales, limits, 20)
    assert np.flatnonzero(gross).tolist() == [10]
    assert np.flatnonzero(np.isnan(sound.values)).tolist() == [10]


def test_older_models_set_nothing_aside() -> None:
    rows = _rows(np.array([1.0, 1e6]))
    sound, gross = set_aside(rows, [()], None, None, 20)
    assert sound is rows
    assert not gross.any()


def test_rows_are_given_by_column() -> None:
    gross = np.array([[True, False, False], [False, True, False], [False, False, False]])
    rows = rows_by_column(gross, ["a", "a", "b"])
    assert {name: places.tolist() for name, places in rows.items()} == {"a": [0, 1]}
