"""The nearest of many points to each of some rows."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from array_api_compat import is_numpy_array

from aedetect.data.arrays import Integers, Matrix
from aedetect.models.evaluation.arrays import Array
from aedetect.models.evaluation.kernels import by_blocks, excluding, matmul, namespace, smallest
from aedetect.models.evaluation.tiles import Tiles

# The squared distance of no point: where infinite, its product with a 0 would be no number.
_NOWHERE = 1e30


class Search:
    """Index of the nearest of `memory` [memory, width] to each of some points.

    What a point is given depends neither on the points beside it nor on its place among them.

    Shape: points [rows, width] → places in the memory [rows].

    >>> memory = np.random.default_rng(0).normal(size=(500, 5)).astype(np.float32)
    >>> Search(memory)(memory[:4])
    array([0, 1, 2, 3])
    """

    def __init__(self, memory: Array):
        self.memory = memory

    def __call__(self, points: Array, excluded: Array | None = None) -> Array:
        """`excluded` [rows]: for each point one place in the memory that does not count, or -1."""
        xp, width = namespace(points), points.shape[1] + 1
        # One more value makes the product add the squared lengths of the memory.
        asked = xp.concat([points, xp.ones_like(points[:, :1])], axis=1)
        if is_numpy_array(points):
            return self._in_tiles(asked, excluded)
        if excluded is not None:
            asked = xp.concat([asked, xp.astype(excluded[:, None], points.dtype)], axis=1)

        def places(block: Array) -> Array:
            distances = matmul(block[:, :width], self._mirrored)
            if excluded is not None:
                distances = excluding(distances, xp.astype(block[:, width], xp.int64))
            return smallest(distances)

        return by_blocks(places, asked)

    def _in_tiles(self, asked: Matrix, excluded: Integers | None) -> Integers:
        def places(distances: Matrix, rows: slice) -> Integers:
            if excluded is not None:
                excluding(distances, excluded[rows])
            return np.asarray(distances.argmin(axis=1))

        return self._tiles.by_rows(asked, places)

    @cached_property
    def _mirrored(self) -> Array:
        """What points [rows, width + 1], their last value 1, are multiplied with; [width + 1, memory].

        It gives squared distances, but for the squared length of the point itself.
        """
        xp = namespace(self.memory)
        lengths = xp.sum(xp.square(self.memory), axis=1)
        return xp.concat([-2 * self.memory.T, lengths[None, :]], axis=0)

    @cached_property
    def _tiles(self) -> Tiles:
        beyond = np.zeros(self.memory.shape[1] + 1, dtype=np.float32)
        beyond[-1] = _NOWHERE
        return Tiles(self._mirrored, beyond)
