"""Each series is scaled by its own centre and spread, whatever its unit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.series.buffer import Rows
from aedetect.data.series.scaling import Scales, series_scales

MEASURED = np.array([True])


def _rows(*series: np.ndarray) -> Rows:
    """One channel of each series, its rows interleaved with nobody's."""
    values = np.concatenate(series).astype(np.float32)[:, None]
    numbers = np.repeat(np.arange(len(series)), [len(one) for one in series])
    seconds = np.concatenate([np.arange(len(one), dtype=np.float64) for one in series])
    nothing = np.zeros(len(values), dtype=np.bool_)
    return Rows(seconds, numbers, values, nothing, nothing)


def _names(count: int) -> list[tuple[str, ...]]:
    return [(f"s{number}",) for number in range(count)]


def _noise(count: int, spread: float, center: float = 0.0, seed: int = 0) -> np.ndarray:
    return center + spread * np.random.default_rng(seed).normal(size=count)


def test_each_series_has_its_own_spread_whatever_the_units() -> None:
    rows = _rows(_noise(2000, 2e-5, -0.7), _noise(2000, 1e-3, -0.6, 1), _noise(2000, 0.02, 1.4, 2))
    scales = Scales.fit(rows, _names(3), MEASURED)
    assert scales is not None
    np.testing.assert_allclose(scales.spreads[:, 0], [2e-5, 1e-3, 0.02], rtol=0.1)
    np.testing.assert_allclose(scales.centers[:, 0], [-0.7, -0.6, 1.4], atol=2e-3)


def test_series_of_one_level_and_other_amplitudes_are_scaled_apart() -> None:
    rows = _rows(_noise(2000, 0.02), _noise(2000, 1.7, seed=1))
    scales = Scales.fit(rows, _names(2), MEASURED)
    assert scales is not None
    np.testing.assert_allclose(scales.spreads[:, 0], [0.02, 1.7], rtol=0.1)


def test_series_that_are_alike_share_a_scale() -> None:
    rows = _rows(*(_noise(300, 1, seed=seed) for seed in range(5)))
    assert Scales.fit(rows, _names(5), MEASURED) is None


def test_a_constant_among_others_has_a_floor_in_the_spread_of_its_peers() -> None:
    rows = _rows(_noise(2000, 0.1), _noise(2000, 0.1, 3, 1), np.full(2000, 5.0))
    scales = Scales.fit(rows, _names(3), MEASURED)
    assert scales is not None
    assert scales.spreads[2, 0] == pytest.approx(0.05 * 0.1, rel=0.1)


def test_gross_cells_hardly_move_a_scale() -> None:
    series = _noise(1000, 0.1, 2)
    series[[10, 400, 800]] = 900
    scales = Scales.fit(_rows(series, _noise(1000, 0.1, -2, 1)), _names(2), MEASURED)
    assert scales is not None
    assert scales.spreads[0, 0] == pytest.approx(0.1, rel=0.2)


def test_short_series_are_drawn_towards_alike_peers() -> None:
    peers = [_noise(3000, 0.1, seed, seed) for seed in range(6)]
    short = _noise(60, 0.025, 9, 7)
    scales = Scales.fit(_rows(*peers, short), _names(7), MEASURED)
    assert scales is not None
    assert 0.03 < scales.spreads[6, 0] < 0.1
    np.testing.assert_allclose(scales.spreads[:6, 0], 0.1, rtol=0.1)


def test_a_new_series_is_scaled_by_its_beginning() -> None:
    trained = Scales.fit(_rows(_noise(900, 0.1), _noise(900, 0.1, 5, 1)), _names(2), MEASURED)
    late = np.r_[_noise(400, 0.12, 20, 2), _noise(400, 0.12, 90, 3)]
    centers, spreads = series_scales(_rows(late), [("new",)], trained, 400)
    assert centers[0, 0] == pytest.approx(20, abs=0.1)
    assert spreads[0, 0] == pytest.approx(0.11, rel=0.2)


def test_one_scale_for_all() -> None:
    rows = _rows(_noise(900, 0.5, 3), _noise(900, 0.5, 3, 1))
    shared = Scales.shared(rows, MEASURED)
    assert not shared.apart
    centers, spreads = series_scales(rows, _names(2), shared, 100)
    np.testing.assert_allclose(centers[:, 0], 3, atol=0.1)
    np.testing.assert_allclose(spreads[:, 0], 0.5, rtol=0.1)


@given(
    st.lists(st.floats(-4, 2), min_size=2, max_size=4),
    st.integers(0, 1000),
    st.floats(0, 0.3),
)
def test_scales_are_finite_and_positive_whatever_is_missing(
    exponents: list[float], seed: int, missing: float
) -> None:
    rng = np.random.default_rng(seed)
    series = [_noise(80, 10**exponent, seed=seed + place) for place, exponent in enumerate(exponents)]
    for one in series:
        one[rng.random(len(one)) < missing] = np.nan
    rows = _rows(*series)
    scales = Scales.fit(rows, _names(len(series)), MEASURED)
    centers, spreads = series_scales(rows, _names(len(series)), scales, 50)
    assert np.isfinite(centers).all()
    assert (spreads > 0).all()
    assert np.isfinite(spreads).all()
