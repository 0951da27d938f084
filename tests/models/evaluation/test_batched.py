"""A linear layer of several networks at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aedetect.models.batched import BatchedLinear
from aedetect.models.evaluation import batched
from aedetect.models.live import live_arrays, settled_arrays


def in_torch(layer: BatchedLinear) -> batched.BatchedLinear:
    return batched.BatchedLinear(live_arrays(layer), *layer.weight.shape)


@given(st.integers(1, 4), st.integers(0, 40), st.integers(1, 20), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_each_network_is_a_linear_map_of_its_own(networks: int, rows: int, inputs: int, outputs: int) -> None:
    layer, values = BatchedLinear(networks, inputs, outputs), torch.randn(networks, rows, inputs)
    results = in_torch(layer)(values)
    in_numpy = batched.BatchedLinear(settled_arrays(layer), *layer.weight.shape)(values.numpy())
    np.testing.assert_allclose(in_numpy, results.detach(), rtol=1e-4, atol=1e-5)
    assert results.shape == (networks, rows, outputs)
    for place in range(networks):
        expected = values[place] @ layer.weight[place] + layer.bias[place]
        torch.testing.assert_close(results[place], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("outputs", [1, 7, 32])
def test_a_row_gives_the_same_wherever_it_stands(outputs: int) -> None:
    layer, values = BatchedLinear(2, 9, outputs), np.random.default_rng(0).standard_normal((2, 1024, 9))
    linear, values = batched.BatchedLinear(settled_arrays(layer), 2, 9, outputs), values.astype(np.float32)
    assert np.array_equal(linear(values[:, ::-1])[:, ::-1], linear(values))
