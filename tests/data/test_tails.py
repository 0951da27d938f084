"""Tails of laws, against those of scipy, which are written otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from aedetect.data.tails import (
    chi_squared_above,
    chi_squared_tail,
    kolmogorov_above,
    kolmogorov_tail,
)

CHANCES = st.floats(-12, -0.01).map(lambda power: 10.0**power)


@given(st.integers(1, 5000), st.floats(0.01, 3))
def test_tail_of_chi_squared(degrees: int, share: float) -> None:
    value = share * degrees
    expected = float(special.chdtrc(degrees, value))
    assert chi_squared_tail(degrees, value) == pytest.approx(expected, rel=1e-10, abs=1e-14)


@given(st.integers(1, 5000), CHANCES)
def test_value_of_chi_squared(degrees: int, chance: float) -> None:
    assert chi_squared_above(degrees, chance) == pytest.approx(special.chdtri(degrees, chance), rel=1e-10)


@given(st.floats(0.05, 6))
def test_tail_of_kolmogorov(reach: float) -> None:
    expected = float(special.kolmogorov(reach))
    assert kolmogorov_tail(reach) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@given(CHANCES)
def test_value_of_kolmogorov(chance: float) -> None:
    assert kolmogorov_above(chance) == pytest.approx(special.kolmogi(chance), rel=1e-12)


def test_nothing_is_beyond_everything() -> None:
    assert (chi_squared_tail(3, 0.0), kolmogorov_tail(0.0)) == (1.0, 1.0)
