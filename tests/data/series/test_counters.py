"""Counters are told from trends and states, and their growth from resets, stalls and pauses."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.profiles import profile, schema_of

from aedetect.data.features import FeatureEncoder
from aedetect.data.series.counters import CounterSearch, growth_per_step, is_counter


def _counter(count: int = 2000, seed: int = 0, start: float = 0.0) -> np.ndarray:
    return start + np.cumsum(np.random.default_rng(seed).integers(80, 120, count)).astype(np.float64)


def _reset(values: np.ndarray, at: int, to: float = 3.0) -> np.ndarray:
    return np.r_[values[:at], values[at:] - values[at] + to]


def _is_counter(*series: np.ndarray) -> bool:
    cuts = np.cumsum([len(one) for one in series])[:-1]
    return is_counter(np.concatenate(series), np.split(np.arange(sum(map(len, series))), cuts))


def _growth(values: np.ndarray, seconds: np.ndarray | None = None, series: np.ndarray | None = None) -> list:
    times = np.arange(len(values)) * 60.0 if seconds is None else seconds
    numbers = np.zeros(len(values), dtype=np.int64) if series is None else series
    return growth_per_step(values[:, None], times, numbers, 60)[:, 0].tolist()


def test_counters_are_noticed_with_and_without_resets() -> None:
    plain = _counter()
    assert _is_counter(plain)
    assert _is_counter(_reset(_reset(plain, 500), 1200))
    assert _is_counter(plain, _counter(300, 1, 1e12))


def test_a_counter_that_seldom_grows_is_one() -> None:
    errors = np.cumsum(np.random.default_rng(0).random(3000) < 0.03).astype(np.float64)
    assert _is_counter(errors)


def test_what_grows_by_the_same_fraction_is_a_position_and_what_a_meter_reads_is_none() -> None:
    random = np.random.default_rng(0)
    assert not _is_counter(0.5 + 0.0001 * np.arange(2000))
    assert not _is_counter((0.5 + 0.0001 * np.arange(4000)) % 1)
    assert _is_counter(100.5 + np.cumsum(random.uniform(0.1, 0.4, 2000)))
    assert _is_counter(np.arange(2000.0))


def test_missing_cells_make_it_no_less_of_one() -> None:
    values = _counter()
    values[::7] = np.nan
    assert _is_counter(values)


def test_noisy_trends_states_and_waves_are_none() -> None:
    rng = np.random.default_rng(0)
    steps = np.arange(2000.0)
    assert not _is_counter(steps + rng.normal(0, 5, 2000))
    assert not _is_counter(np.where(steps > 900, 2.0, 1.0))
    assert not _is_counter(50 + 10 * np.sin(steps / 300))
    assert not _is_counter(steps % 50)
    assert not _is_counter(np.full(2000, 7.0))


def test_a_level_that_drops_but_not_to_near_nothing_is_none() -> None:
    steps = np.arange(3000.0)
    assert not _is_counter(1000 + steps % 400)


def test_growth_is_the_step_from_the_row_before() -> None:
    assert _growth(np.array([5.0, 7, 12]))[1:] == [2, 5]
    assert np.isnan(_growth(np.array([5.0, 7, 12]))[0])


def test_a_reset_is_missing_and_a_smaller_fall_is_negative() -> None:
    growth = _growth(np.array([500.0, 600, 4, 104, 100]))
    assert growth[1] == 100
    assert np.isnan(growth[2])
    assert growth[3:] == [100, -4]


def test_pauses_and_missing_cells_are_divided_out() -> None:
    seconds = np.array([0, 60, 240, 301, 359, 420.0])
    growth = _growth(np.array([0, 10, 40, 50, np.nan, 70]), seconds)
    assert growth[1:4] == [10, 10, 10]
    assert np.isnan(growth[4])
    assert growth[5] == 10


def test_rows_sent_twice_and_rows_without_a_time_have_none() -> None:
    growth = _growth(np.array([0, 10, 10, 20, 30.0]), np.array([0, 60, 60, 120, np.nan]))
    assert growth[1] == growth[3] == 10
    assert np.isnan([growth[2], growth[4]]).all()


def test_series_and_late_rows_are_put_in_order() -> None:
    series = np.array([0, 1, 0, 1, 0])
    growth = _growth(np.array([30.0, 500, 10, 507, 20]), np.array([120.0, 0, 0, 60, 60]), series)
    assert growth[0] == growth[4] == 10
    assert growth[3] == 7


def test_small_growth_of_a_large_reading_is_exact() -> None:
    values = 1e15 + np.cumsum(np.full(100, 3.0))
    assert _growth(values)[1:] == [3.0] * 99


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 98))
def test_growth_depends_on_no_later_row(seed: int, cut: int) -> None:
    values = _reset(_counter(100, seed), seed % 90 + 5)
    np.testing.assert_array_equal(_growth(values)[:cut], _growth(values[:cut]))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.9))
def test_rows_that_are_absent_do_not_change_a_steady_growth(seed: int, lost: float) -> None:
    sent = np.flatnonzero(np.random.default_rng(seed).random(200) >= lost)
    growth = _growth(sent * 25.0, sent * 60.0)
    assert growth[1:] == pytest.approx([25.0] * (len(sent) - 1))


def test_only_what_grows_is_held_while_searching() -> None:
    rng = np.random.default_rng(0)
    columns = {"count": _counter(400), "noise": rng.uniform(0, 9, 400)}
    profiles = {
        name: profile([str(value) for value in values], batches=1) for name, values in columns.items()
    }
    encoder = FeatureEncoder.fit(schema_of(profiles), profiles, 10)
    search = CounterSearch(encoder)
    # From the last row to the first, two series in turn.
    seconds, series = np.arange(400.0)[::-1], np.tile([0, 1], 200)
    for part in (slice(0, 150), slice(150, 400)):
        cells = {name: [str(value) for value in values[::-1][part]] for name, values in columns.items()}
        search.take(encoder.transform(pa.record_batch(cells)), series[part])
    places, readings = search.result(seconds, series)
    assert [encoder.owners[place] for place in places] == ["count"]
    np.testing.assert_array_equal(readings[:, 0], columns["count"][::-1])
