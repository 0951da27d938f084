from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.features.numeric import location_and_spread, mean_and_deviation, scale, unscale
from aedetect.data.profile import NumberProfile

NORMAL = np.random.default_rng(0).normal(10, 2, 5000)


def profile(*values: float) -> NumberProfile:
    found = NumberProfile()
    found.update(np.array(values, dtype=np.float64))
    return found


def test_normal_values() -> None:
    center, spread = location_and_spread(profile(*NORMAL))
    assert center == pytest.approx(10, abs=0.1)
    assert spread == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("outlier", [1e6, -1e30, 3e38])
def test_outliers_move_neither_view(outlier: float) -> None:
    found = profile(*NORMAL, *[outlier] * 20)
    assert location_and_spread(found) == pytest.approx(location_and_spread(profile(*NORMAL)), rel=0.02)
    mean, deviation = mean_and_deviation(found, 2.0)
    assert (mean, deviation) == pytest.approx((10, 2), rel=0.1)


@pytest.mark.parametrize("values", [[], [5.0] * 9, [1e38] * 3, [0.0]])
def test_columns_without_spread_get_one(values: list[float]) -> None:
    center, spread = location_and_spread(profile(*values))
    assert center == (values[0] if values else 0.0)
    assert spread == 1.0


def test_mostly_equal_values_take_the_spread_of_the_rest() -> None:
    center, spread = location_and_spread(profile(*[0.0] * 950, *np.linspace(50, 100, 50)))
    assert center == 0.0
    assert 10 < spread < 30


@given(st.lists(st.floats(-1e38, 1e38), min_size=1, max_size=50))
def test_statistics_are_always_usable(values: list[float]) -> None:
    center, spread = location_and_spread(profile(*values))
    mean, deviation = mean_and_deviation(profile(*values), spread)
    assert np.isfinite([center, spread, mean, deviation]).all()
    assert spread > 0
    assert deviation > 0


@given(st.floats(allow_nan=False), st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_scaled_values_are_finite(value: float, center: float, spread: float) -> None:
    assert np.isfinite(scale(np.array([[value]]), np.array([center]), np.array([spread]))).all()


@given(st.floats(-1e6, 1e6), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_unscale_undoes_scale(value: float, center: float, spread: float) -> None:
    center_, spread_ = np.array([center]), np.array([spread])
    back = unscale(scale(np.array([[value]]), center_, spread_), center_, spread_)
    np.testing.assert_allclose(back, [[value]], rtol=1e-4, atol=1e-4 * (spread + abs(center)))


def test_order_is_kept_to_the_very_end() -> None:
    values = np.array([[-np.inf], [-1e300], [-1.0], [0.0], [1.0], [1e300], [np.inf]])
    scaled = scale(values, np.zeros(1), np.ones(1))[:, 0]
    assert (np.diff(scaled) > 0).all()


def test_missing_stays_missing() -> None:
    assert np.isnan(scale(np.array([[np.nan]]), np.zeros(1), np.ones(1))).all()
