"""Several networks of one shape as one: a leading dimension of every weight."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from array_api_compat import is_numpy_array, is_torch_array

from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.kernels import CACHED_ROWS, EVEN_OUTPUTS, affine


class BatchedLinear:
    """A linear layer of several networks at once, each with weights of its own.

    Shape: [networks, rows, inputs] → [networks, rows, outputs].
    """

    def __init__(self, arrays: Arrays, networks: int, inputs: int, outputs: int):
        self.weight = arrays.take("weight", networks, inputs, outputs)
        self.bias = arrays.take("bias", networks, 1, outputs)

    def __call__(self, values: Array) -> Array:
        weight, bias = self._even
        networks, rows, inputs = values.shape
        if not is_numpy_array(values) or rows % CACHED_ROWS:
            return affine(values, weight, bias)[:, :, : self.weight.shape[2]]
        # A few rows at a time, however many there are, are all rounded alike.
        tiles = values.reshape(networks, rows // CACHED_ROWS, CACHED_ROWS, inputs)
        product = affine(tiles, weight[:, None], bias[:, None])
        return product.reshape(networks, rows, product.shape[-1])[:, :, : self.weight.shape[2]]

    @cached_property
    def _even(self) -> tuple[Array, Array]:
        spare = -self.weight.shape[2] % EVEN_OUTPUTS
        return (_padded(self.weight, spare), _padded(self.bias, spare)) if spare else (self.weight, self.bias)


def _padded(weights: Array, spare: int) -> Array:
    """Weights [networks, rows, outputs] with so many columns of zeros behind."""
    if is_numpy_array(weights):
        return np.pad(weights, ((0, 0), (0, 0), (0, spare)))
    if is_torch_array(weights):
        from torch.nn import functional

        return functional.pad(weights, (0, spare))
    return weights
