"""Lines between knots: as numpy's search has them, whichever way they are looked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aedetect.models.evaluation.interpolation import Interpolation

NUMBERS = st.floats(-1e4, 1e4, width=32)


def expected(knots: np.ndarray, heights: np.ndarray, values: np.ndarray) -> np.ndarray:
    rows = []
    for row, levels, those in zip(knots, heights, values, strict=True):
        right = np.minimum(np.searchsorted(row, those), len(row) - 1)
        left = np.maximum(right - 1, 0)
        share = np.clip((those - row[left]) / np.maximum(row[right] - row[left], 1e-30), 0, 1)
        rows.append(levels[left] + share * (levels[right] - levels[left]))
    return np.array(rows, dtype=np.float32)


@given(
    arrays.arrays(np.float32, (3, 9), elements=NUMBERS),
    arrays.arrays(np.float32, (3, 20), elements=NUMBERS),
)
def test_any_knots_and_values(knots: np.ndarray, values: np.ndarray) -> None:
    knots, heights = np.sort(knots, axis=1), np.sort(knots[::-1], axis=1)
    values = np.concatenate([values, knots], axis=1)
    line = Interpolation(knots, heights)
    with np.errstate(over="ignore"):
        assert np.array_equal(line(values), expected(knots, heights, values))
        others = Interpolation(torch.from_numpy(knots), torch.from_numpy(heights))(torch.from_numpy(values))
        np.testing.assert_allclose(others.numpy(), line(values), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["normal", "coarse", "heavy-tailed", "padded"])
def test_many_knots(kind: str) -> None:
    random = np.random.default_rng(0)
    knots = random.standard_cauchy((4, 1024)) if kind == "heavy-tailed" else random.normal(size=(4, 1024))
    if kind == "coarse":
        knots = knots.round(1)
    knots = np.sort(knots.astype(np.float32), axis=1)
    if kind == "padded":
        knots[:2, 100:] = knots[:2, 99:100]
    heights = np.sort(random.normal(size=knots.shape).astype(np.float32), axis=1)
    values = (5 * random.normal(size=(4, 3000))).astype(np.float32)
    values[:, :4] = np.inf, -np.inf, 1e30, 0
    with np.errstate(over="ignore"):
        assert np.array_equal(Interpolation(knots, heights)(values), expected(knots, heights, values))


def test_no_rows_and_no_values() -> None:
    assert Interpolation(np.zeros((0, 1)), np.zeros((0, 1)))(np.zeros((0, 5))).shape == (0, 5)
    one = np.zeros((2, 1), np.float32)
    assert Interpolation(one, one)(np.zeros((2, 0), np.float32)).shape == (2, 0)
