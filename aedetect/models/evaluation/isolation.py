"""Evidence from isolation: how small a ball around a normal point can hold a row."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from array_api_compat import is_numpy_array

from aedetect.data.arrays import Matrix
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.evidence_part import rounded
from aedetect.models.evaluation.kernels import by_blocks, counted, matmul, namespace
from aedetect.models.evaluation.tiles import Tiles

SAMPLES = 64
# A mean share of isolation, in the units of logarithms of distances.
UNIT = 5.0
# A point on the rim of a ball, as many are where values repeat, is inside, whichever way sums are rounded.
_MARGIN = 1e-5
# Balls of a sample that fit a word, and the exponent of a float of 32 bits that is a half.
_BITS, _EXPONENT_OF_HALF = 32, 126


class Isolation:
    """Isolation by nearest neighbours (Bandaragoda et al., 2018), over small samples of normal points.

    Around each point of a sample is a ball that reaches to the next one. A row counts by the smallest ball
    that holds it: how much larger it is than the one around that next point; in none, it is isolated.

    Shape: points [rows, width] → log scores [rows, 1], no shares.
    """

    def __init__(self, width: int, arrays: Arrays):
        count = arrays.size("centers", 1)
        self.centers = arrays.take("centers", SAMPLES, count, width)
        self.radii = arrays.take("radii", SAMPLES, count)
        self.isolation = arrays.take("isolation", SAMPLES, count)

    def __call__(self, points: Array, itself: Array | None = None) -> tuple[Array, None]:
        xp = namespace(points)
        return rounded(UNIT * xp.mean(self.isolated(points), axis=1))[:, None], None

    def isolated(self, points: Array) -> Array:
        """Isolation in each sample [rows, samples]."""
        xp, count = namespace(points), self.centers.shape[1]
        if is_numpy_array(points) and count <= _BITS:
            return self._in_words(points)
        products, reach = self._balls
        ranks = counted(count, points)
        isolation = xp.concat([self.isolation, xp.ones_like(self.isolation[:, :1])], axis=1)

        def of_block(block: Array) -> Array:
            apart = matmul(block, products) + xp.sum(xp.square(block), axis=1, keepdims=True)
            outside = xp.astype(apart > reach, points.dtype)
            outside = xp.reshape(outside, (-1, SAMPLES, count))
            first = xp.min(outside * count + ranks, axis=2)
            places = xp.astype(xp.clip(first, None, float(count)), xp.int64)
            return xp.take_along_axis(isolation, places.T, axis=1).T

        return by_blocks(of_block, points)

    def _in_words(self, points: Matrix) -> Matrix:
        """A bit for each ball that holds a point, of which the lowest that is set is the first."""
        asked = np.concatenate(
            [points, np.square(points).sum(axis=1, keepdims=True), np.ones_like(points[:, :1])], axis=1
        )

        def isolation(apart: Matrix, _: slice) -> Matrix:
            words = np.packbits(apart <= 0, axis=1, bitorder="little").view("<u4")
            lowest = words & (~words + np.uint32(1))
            # The exponent of a power of two, in a float of 32 bits; 0 where no bit is set.
            exponents = lowest.astype(np.float32).view(np.int32) >> 23
            places = np.maximum(exponents - _EXPONENT_OF_HALF, 0)
            return np.asarray(self._table.take(places + np.arange(SAMPLES) * self._table.shape[1]))

        return self._tiles.by_rows(asked, isolation)

    @cached_property
    def _tiles(self) -> Tiles:
        """What points, their squared lengths and a 1 are multiplied with: not positive in a ball."""
        products, reach = self._balls
        matrix = np.concatenate([products, np.ones_like(reach[None]), -reach[None]], axis=0)
        nowhere = np.zeros(len(matrix), np.float32)
        nowhere[-1] = 1
        by_sample = matrix.reshape(len(matrix), SAMPLES, -1)
        spare = np.broadcast_to(nowhere[:, None, None], (*by_sample.shape[:2], _BITS - by_sample.shape[2]))
        return Tiles(np.concatenate([by_sample, spare], axis=2).reshape(len(matrix), -1), nowhere)

    @cached_property
    def _table(self) -> Array:
        """Isolation in no ball, then in each [samples, balls of a sample + 1]."""
        return np.concatenate([np.ones_like(self.isolation[:, :1]), self.isolation], axis=1)

    @cached_property
    def _balls(self) -> tuple[Array, Array]:
        """What points are multiplied with [width, balls], and how far that may reach [balls]; by sample."""
        xp = namespace(self.centers)
        count, width = self.centers.shape[1:]
        centers = xp.reshape(self.centers, (SAMPLES * count, width))
        # A ball holds a point p where |p|² - 2pc + |c|² is at most its squared radius.
        radii = xp.reshape(self.radii, (SAMPLES * count,))
        reach = radii * (1 + _MARGIN) + _MARGIN - xp.sum(xp.square(centers), axis=1)
        return -2 * centers.T, reach
