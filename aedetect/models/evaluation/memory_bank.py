"""Reconstruction from a memory bank of normal points."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from array_api_compat import is_numpy_array

from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.kernels import (
    CACHED_ROWS,
    affine,
    any_of,
    at_hand,
    by_blocks,
    matmul,
    namespace,
    padded,
    softmax,
)

# A weight of exp(-60) is nothing beside 1. Smaller ones would be denormal numbers, over which some processors
# take many times longer.
_FAINTEST = 60.0


class MemoryBank:
    """Reconstructs points as softmin-weighted means of stored ones (after Gong et al., 2019).

    Shape: points [rows, width] → squared deviations from their reconstruction [rows, width].
    """

    def __init__(self, arrays: Arrays, width: int):
        stored = arrays.size("points", 0)
        self.width = width
        self.points = arrays.take("points", stored, width)
        self.penalties = arrays.take("penalties", stored)
        self.temperature = arrays.take("temperature")
        self.typical = arrays.take("typical")

    def __call__(self, points: Array) -> Array:
        means, costs = self._mixed(points)
        squared = namespace(points).square(points - means)
        return squared + costs[:, None] / self.width if self._penalised else squared

    def retrieve(self, points: Array) -> Array:
        """What `points` [rows, width] are reconstructed as; [rows, width]."""
        return self._mixed(points)[0]

    def _mixed(self, points: Array) -> tuple[Array, Array]:
        """What `points` [rows, width] are reconstructed as [rows, width], and what that costs [rows]."""
        if is_numpy_array(points):
            return self._mixed_in_numpy(points)
        sharpened, offsets = self._sharpened
        stored = namespace(points).concat([self.points, self.penalties[:, None]], axis=1)
        mixed = by_blocks(
            lambda block: matmul(mixture_weights(affine(block, sharpened, offsets)), stored), points
        )
        return mixed[:, : self.width], mixed[:, self.width]

    def _mixed_in_numpy(self, points: Array) -> tuple[Array, Array]:
        count, rows = len(points), -(-max(len(points), 1) // CACHED_ROWS) * CACHED_ROWS
        asked = padded(np.concatenate([points, np.ones_like(points[:, :1])], axis=1), rows)
        matrix, costs = self._matrices
        means, sums = np.empty((rows, self.width), points.dtype), np.empty((rows, 2), points.dtype)
        # Room that is used again stays in the processor's cache.
        weights = np.empty((CACHED_ROWS, len(self.points)), points.dtype)
        for start in range(0, rows, CACHED_ROWS):
            block = slice(start, start + CACHED_ROWS)
            matmul(asked[block], matrix, out=weights)
            weights -= weights.max(axis=1, keepdims=True)
            np.maximum(weights, -_FAINTEST, out=weights)
            np.exp(weights, out=weights)
            matmul(weights, self.points, out=means[block])
            matmul(weights, costs, out=sums[block])
        # Divided by their sum are the few means, not the many weights.
        means /= sums[:, 1:]
        return means[:count], (sums[:, 0] / sums[:, 1])[:count]

    @cached_property
    def _matrices(self) -> tuple[Array, Array]:
        """In numpy: what points with a 1 behind them are multiplied with; what weights are, for costs."""
        sharpened, offsets = self._sharpened
        costs = np.stack([self.penalties, np.ones_like(self.penalties)], axis=1)
        return np.concatenate([sharpened, offsets[None]], axis=0), costs

    @cached_property
    def _penalised(self) -> bool:
        return not at_hand(self.penalties) or bool(any_of(self.penalties != 0))

    @cached_property
    def _sharpened(self) -> tuple[Array, Array]:
        """What points are multiplied with [width, stored], and what is added to that [stored]."""
        # The squared length of a point is the same for all that is stored: softmax drops it.
        xp = namespace(self.points)
        lengths = xp.sum(xp.square(self.points), axis=1)
        return (2 / self.temperature * self.points).T, -(lengths + self.penalties) / self.temperature


def mixture_weights(logits: Array) -> Array:
    """Softmax of each row of `logits` [rows, choices], without denormal numbers; [rows, choices].

    >>> mixture_weights(np.array([[0.0, 0.0, -1000.0]])).round(3)
    array([[0.5, 0.5, 0. ]])
    """
    xp = namespace(logits)
    faintest = xp.max(logits, axis=1, keepdims=True) - _FAINTEST
    return softmax(xp.maximum(logits, faintest))
