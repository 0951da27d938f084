"""Reconstruction from a memory bank, by numpy and by torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aedetect.models.evaluation.arrays import Arrays
from aedetect.models.evaluation.memory_bank import MemoryBank, mixture_weights

WIDTH = 3


def arrays_of(stored: int, penalty: float = 0.0, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        "points": random.normal(size=(stored, WIDTH)).astype(np.float32),
        "penalties": np.float32(penalty) * random.random(stored, dtype=np.float32),
        "temperature": np.array(0.1, np.float32),
        "typical": np.array(1.0, np.float32),
    }


def points(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)


@pytest.mark.parametrize("penalty", [0.0, 2.0])
@pytest.mark.parametrize("count", [1, 64, 150])
def test_numpy_and_torch_say_the_same(penalty: float, count: int) -> None:
    stored, asked = arrays_of(50, penalty), points(count)
    tensors = {name: torch.from_numpy(values) for name, values in stored.items()}
    in_numpy, in_torch = MemoryBank(Arrays(stored), WIDTH), MemoryBank(Arrays(tensors), WIDTH)
    given = torch.from_numpy(asked)
    np.testing.assert_allclose(in_numpy(asked), in_torch(given).numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        in_numpy.retrieve(asked), in_torch.retrieve(given).numpy(), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("stored", [1, 7, 300])
def test_a_point_is_judged_alike_wherever_it_stands(stored: int) -> None:
    bank, asked = MemoryBank(Arrays(arrays_of(stored, 1.0)), WIDTH), points(300)
    whole = bank(asked)
    for first, end in [(0, 1), (5, 6), (63, 130), (299, 300)]:
        np.testing.assert_array_equal(bank(asked[first:end]), whole[first:end])


def test_what_is_stored_far_from_all_else_is_reconstructed_as_itself() -> None:
    stored = arrays_of(20)
    stored["points"][3] = 100.0
    bank = MemoryBank(Arrays(stored), WIDTH)
    np.testing.assert_allclose(bank.retrieve(stored["points"][3:4]), [[100.0] * WIDTH], rtol=1e-6)


def test_penalties_cost_what_they_say() -> None:
    stored = arrays_of(1)
    stored["penalties"][:] = 6.0
    np.testing.assert_allclose(
        MemoryBank(Arrays(stored), WIDTH)(stored["points"]).sum(axis=1), 6.0, rtol=1e-6
    )


def test_arrays_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^points has the shape \(5, 3\), not \(5, 4\)$"):
        MemoryBank(Arrays(arrays_of(5)), 4)
    with pytest.raises(ValueError, match=r"^penalties has the shape \(2,\), not \(5\)$"):
        MemoryBank(Arrays({**arrays_of(5), "penalties": np.zeros(2)}), WIDTH)


def test_a_mixture_is_a_softmax_without_denormal_numbers() -> None:
    logits = 100 * torch.randn(50, 300, generator=torch.Generator().manual_seed(0))
    shares = mixture_weights(logits)
    torch.testing.assert_close(shares, torch.softmax(logits, dim=1), rtol=1e-6, atol=1e-20)
    assert shares.min() > torch.finfo(torch.float32).tiny
    np.testing.assert_allclose(mixture_weights(logits.numpy()), shares.numpy(), rtol=1e-5, atol=1e-20)
