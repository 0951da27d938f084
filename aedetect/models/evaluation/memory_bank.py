"""Reconstruction from a memory bank of normal points."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.kernels import any_of, by_blocks, namespace, softmax

# A weight of exp(-60) is nothing beside 1. Smaller ones would be denormal numbers, over which some processors
# take many times longer.
_FAINTEST = 60.0


class MemoryBank:
    """Reconstructs points as softmin-weighted means of stored ones (after Gong et al., 2019).

    Shape: points [rows, width] → squared deviations from their reconstruction [rows, width].
    """

    def __init__(self, arrays: Arrays, width: int):
        stored = arrays.size("points", 0)
        self.points = arrays.take("points", stored, width)
        self.penalties = arrays.take("penalties", stored)
        self.temperature = arrays.take("temperature")
        self.typical = arrays.take("typical")

    def __call__(self, points: Array) -> Array:
        xp = namespace(points)
        penalised = any_of(self.penalties != 0) is not False

        def squared(block: Array, weights: Array) -> Array:
            deviations = xp.square(block - weights @ self.points)
            if penalised:
                deviations = deviations + (weights @ self.penalties / self.points.shape[1])[:, None]
            return deviations

        return self._by_blocks(points, squared)

    def retrieve(self, points: Array) -> Array:
        """What `points` [rows, width] are reconstructed as; [rows, width]."""
        return self._by_blocks(points, lambda _, weights: weights @ self.points)

    def _by_blocks(self, points: Array, work: Callable[[Array, Array], Array]) -> Array:
        """`work` on points, a few at a time, and on the weights of the stored ones in each [rows, stored]."""
        sharpened, offsets = self._sharpened

        def weighted(block: Array) -> Array:
            return work(block, mixture_weights(block @ sharpened + offsets))

        return by_blocks(weighted, points)

    @cached_property
    def _sharpened(self) -> tuple[Array, Array]:
        """What points are multiplied with [width, stored], and what is added to that [stored]."""
        # The squared length of a point is the same for all that is stored: softmax drops it.
        lengths = namespace(self.points).sum(self.points * self.points, axis=1)
        return (2 / self.temperature * self.points).T, -(lengths + self.penalties) / self.temperature


def mixture_weights(logits: Array) -> Array:
    """Softmax of each row of `logits` [rows, choices], without denormal numbers; [rows, choices]."""
    xp = namespace(logits)
    faintest = xp.max(logits, axis=1, keepdims=True) - _FAINTEST
    return softmax(xp.maximum(logits, faintest))
