"""Auxiliary heads of a small table, in numpy and in torch."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from support.layouts import layout

from aedetect.config import ModelConfig
from aedetect.data.arrays import AnyArray, Matrix
from aedetect.models.auxiliary import heads as learning
from aedetect.models.evaluation.arrays import Arrays
from aedetect.models.evaluation.heads import AuxiliaryHeads

LAYOUT = layout(3, 3, gaps=True)
SETTINGS = ModelConfig(width=8)
MEMORY_ROWS = 900


def rows(count: int, seed: int = 0, gaps: float = 0.0) -> Matrix:
    """Encoded rows [rows, 4]: numbers of which one follows from the others, and a category."""
    random = np.random.default_rng(seed)
    two = random.standard_normal((count, 2))
    third = two.sum(axis=1) + 0.1 * random.standard_normal(count)
    numbers = np.column_stack([two, third])
    numbers[random.random(numbers.shape) < gaps] = np.nan
    return np.column_stack([numbers, random.integers(0, 3, count)]).astype(np.float32)


@cache
def heads() -> AuxiliaryHeads:
    """Heads with weights of chance, a factor model and a memory, in numpy."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = learning.AuxiliaryHeads(LAYOUT, SETTINGS, 2, 4, MEMORY_ROWS)
        learned = torch.from_numpy(rows(1000))
        network.codes.fit_linear(learned)
        network.repair.fit_memory(learned)
        for layer in (network.codes.bend, network.codes.unbend, network.repair.blend.change):
            layer.weight.normal_(std=0.1)
        memory = network.repair.memory
        network.sampler.fit(memory, memory, memory[:300] + 0.1, np.random.default_rng(0))
        return network.settled()


def in_torch() -> AuxiliaryHeads:
    """The same heads on tensors, as a GPU has them."""
    tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays_of(heads()).items()}
    return AuxiliaryHeads(LAYOUT, SETTINGS, Arrays(tensors, torch.from_numpy))


def arrays_of(some: AuxiliaryHeads) -> dict[str, AnyArray]:
    return {name: np.asarray(array) for name, array in some.arrays.values.items()}
