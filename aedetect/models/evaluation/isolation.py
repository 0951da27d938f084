"""Evidence from isolation: how small a ball around a normal point can hold a row."""

from __future__ import annotations

from functools import cached_property

from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.evidence_part import rounded
from aedetect.models.evaluation.kernels import by_blocks, namespace, product

SAMPLES = 64
# A mean share of isolation, in the units of logarithms of distances.
UNIT = 5.0
# A point on the rim of a ball, as many are where values repeat, is inside, whichever way sums are rounded.
_MARGIN = 1e-5


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
        mirrored, reach, isolation = self._balls
        ranks = xp.arange(count, dtype=points.dtype)[:, None]

        def of_block(block: Array) -> Array:
            apart = product(block, mirrored) + xp.sum(xp.square(block), axis=1, keepdims=True)
            outside = xp.astype(apart > reach, points.dtype)
            outside = xp.reshape(outside, (-1, count, SAMPLES))
            first = xp.min(outside * count + ranks, axis=1)
            places = xp.astype(xp.clip(first, None, float(count)), xp.int64)
            return xp.take_along_axis(isolation, places, axis=0)

        return by_blocks(of_block, points)

    @cached_property
    def _balls(self) -> tuple[Array, Array, Array]:
        """What points are multiplied with [width, balls], how far that may reach [balls], and isolation.

        That of each ball, and of none, in each sample [balls of a sample + 1, samples].
        """
        xp = namespace(self.centers)
        count, width = self.centers.shape[1:]
        # Samples vary fastest: what is looked for is the first ball of each that holds the point.
        centers = xp.reshape(xp.permute_dims(self.centers, (1, 0, 2)), (count * SAMPLES, width))
        # A ball holds a point p where |p|² - 2pc + |c|² is at most its squared radius.
        radii = xp.reshape(self.radii.T, (count * SAMPLES,))
        reach = radii * (1 + _MARGIN) + _MARGIN - xp.sum(xp.square(centers), axis=1)
        isolation = xp.concat([self.isolation.T, xp.ones_like(self.isolation.T[:1, :])], axis=0)
        return -2 * centers.T, reach, isolation
