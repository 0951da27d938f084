"""The nearest point, wherever a row stands."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aedetect.models.evaluation import kernels
from aedetect.models.evaluation.search import Search


def drawn(rows: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)


@pytest.fixture(params=["as it is", "as with AVX2"])
def processor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What this processor does, and the way for those that round a row by its place."""
    if request.param == "as with AVX2":
        monkeypatch.setattr("aedetect.models.evaluation.tiles.rows_round_alike", lambda: False)
    return str(request.param)


@given(st.integers(0, 1000), st.integers(0, 150), st.integers(1, 300), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_numpy_and_torch_find_points_as_near(seed: int, rows: int, stored: int, width: int) -> None:
    points, memory = drawn(rows, width, seed), drawn(stored, width, seed + 1)
    in_numpy = Search(memory)(points)
    in_torch = Search(torch.from_numpy(memory))(torch.from_numpy(points)).numpy()
    assert in_numpy.shape == in_torch.shape == (rows,)
    apart = [np.linalg.norm(points - memory[places], axis=1) for places in (in_numpy, in_torch)]
    np.testing.assert_allclose(*apart, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("width", [3, 20, 65])
def test_what_is_nearest_depends_on_the_point_alone(processor: str, width: int) -> None:
    # Of many points on a grid, several are as near.
    memory, points = drawn(700, width).round(), drawn(300, width, 1).round()
    whole = Search(memory)(points)
    order = np.random.default_rng(2).permutation(len(points))
    assert np.array_equal(Search(memory)(points[order]), whole[order])
    singly = [Search(memory)(points[place : place + 1])[0] for place in range(0, len(points), 17)]
    assert np.array_equal(singly, whole[::17])


def test_a_point_is_its_own_nearest_unless_it_does_not_count(processor: str) -> None:
    memory = drawn(200, 6)
    places = np.arange(200)
    assert np.array_equal(Search(memory)(memory), places)
    excluded = np.where(places % 3 == 0, places, -1)
    others = Search(memory)(memory, excluded)
    assert np.array_equal(others == places, places % 3 != 0)


def test_no_points_have_no_nearest() -> None:
    assert Search(drawn(50, 4))(drawn(0, 4)).shape == (0,)


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("shape", [(64, 9, 1), (64, 9, 20), (10, 65, 33)])
def test_products_are_those_of_numpy(
    alike: bool, shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "rows_round_alike", lambda: alike)
    rows, inner, outputs = shape
    values, weight = drawn(rows, inner), drawn(inner, outputs, 1)
    np.testing.assert_allclose(kernels.matmul(values, weight), values @ weight, rtol=1e-4, atol=1e-5)
    room = np.empty((rows, outputs), np.float32)
    assert kernels.matmul(values, weight, out=room) is room
    stacked = np.stack([weight, 2 * weight])
    both = kernels.matmul(np.broadcast_to(values, (2, *values.shape)), stacked)
    np.testing.assert_allclose(both, values @ stacked, rtol=1e-4, atol=1e-5)
