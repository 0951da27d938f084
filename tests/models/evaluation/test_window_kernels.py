"""What array libraries do in different ways with windows: each does the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.kernels import CACHED_ROWS, side_by_side
from aedetect.models.evaluation.window_kernels import (
    Convolution,
    as_series,
    as_windows,
    few_at_once,
    many_at_once,
    projected,
    windows_of,
)


@pytest.mark.parametrize("make", [np.asarray, torch.from_numpy])
def test_windows_of_a_segment(make: type) -> None:
    segment = make(np.arange(8.0).reshape(4, 2))
    assert windows_of(segment, 3).tolist() == [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 6, 7]]
    assert tuple(windows_of(segment, 5).shape) == (0, 10)


def test_windows_of_a_part_of_a_segment() -> None:
    segment = np.arange(12.0).reshape(3, 4)[:, 1:3]
    assert windows_of(segment, 2).tolist() == [[1, 2, 5, 6], [5, 6, 9, 10]]


@pytest.mark.parametrize("count", [0, 1, 64, 65, 200])
def test_work_on_several_arrays_at_once(count: int) -> None:
    first, second = np.arange(2.0 * count).reshape(count, 2), np.arange(count) % 2 == 0
    sizes = []

    def work(values: Array, chosen: Array) -> Array:
        sizes.append((len(values), len(chosen)))
        return np.where(chosen, values[:, 0], -1)

    outcome = side_by_side(work, first, second, size=64)
    np.testing.assert_array_equal(outcome, np.where(second, first[:, 0], -1))
    assert set(sizes) == {(64, 64)}


def test_of_narrow_rows_more_are_taken_at_once() -> None:
    sizes = [many_at_once(np.zeros((1, width), np.float32)) for width in (24, 500, 8000)]
    assert sizes == [1024, 256, CACHED_ROWS]


@pytest.mark.parametrize("count", [1, 64, 1100])
def test_a_projection_and_what_is_off_it(count: int) -> None:
    random = np.random.default_rng(0)
    basis = np.linalg.qr(random.normal(size=(6, 2)))[0].astype(np.float32)
    center, windows = np.ones(6, np.float32), random.normal(size=(count, 6)).astype(np.float32)
    counted = (random.random((count, 6)) < 0.7).astype(np.float32)
    apart = windows.astype(float) - center
    off = (apart - apart @ basis @ basis.T) ** 2
    for weights, expected in [(None, off.sum(axis=1)), (counted, (off * counted).sum(axis=1))]:
        codes, distances = projected(windows, center, basis, weights)
        np.testing.assert_allclose(codes, apart @ basis, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(distances, expected, rtol=1e-4, atol=1e-5)
        given = (windows, center, basis, weights)
        in_torch = projected(*(None if array is None else torch.from_numpy(array) for array in given))
        np.testing.assert_allclose(in_torch[0].numpy(), codes, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(in_torch[1].numpy(), distances, rtol=1e-4, atol=1e-5)


def test_few_windows_at_once_come_out_whole() -> None:
    windows, counts = np.arange(5000.0).reshape(50, 100, 1), []

    def work(part: Array) -> Array:
        counts.append(len(part))
        return part + 1

    np.testing.assert_array_equal(few_at_once(work, windows), windows + 1)
    assert counts == [20, 20, 10]


@pytest.mark.parametrize("dilation", [0, 1, 4])
def test_a_convolution_is_that_of_torch(dilation: int) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Conv1d(3, 5, 3 if dilation else 1, padding=dilation, dilation=max(dilation, 1))
    windows = torch.randn(7, 11, 3)
    tensors = {name: tensor.detach() for name, tensor in layer.state_dict().items()}
    in_numpy = Convolution(Arrays({name: tensor.numpy() for name, tensor in tensors.items()}), 3, 5, dilation)
    in_torch = Convolution(Arrays(tensors), 3, 5, dilation)
    with torch.no_grad():
        expected = layer(windows.transpose(1, 2)).transpose(1, 2).numpy()
    np.testing.assert_allclose(in_numpy(as_series(windows.numpy())), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(as_windows(in_torch(as_series(windows))).numpy(), expected)
