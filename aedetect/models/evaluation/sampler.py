"""New rows near training rows, along the directions in which neighbours vary: what `sample` computes."""

from __future__ import annotations

import numpy as np
from array_api_compat import device

from aedetect.data.arrays import AnyArray
from aedetect.models.evaluation.alike import few_smallest
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.imputer import NEIGHBOURS
from aedetect.models.evaluation.kernels import by_blocks, matmul, namespace


class Sampler:
    """Draws rows from a manifold Parzen density over memory rows (Vincent & Bengio, 2003).

    A memory row is drawn, pulled towards the mean of its neighbours, and moved by a random
    combination of their deviations from it: a normal law of the local covariance. The pull makes up for
    the spread that the move adds (West, 1993). How far is learned: so that new rows are not nearer to
    learned ones than validation rows are. Its categories are those of one neighbour.

    Shape: memory [memory rows, width] → values [rows, width].
    """

    def __init__(self, width: int, numeric: int, arrays: Arrays):
        self.numeric = numeric
        self.reach = arrays.take("reach")
        # Which values are of columns in which values repeat.
        self.repeating = arrays.take("repeating", width)

    def draw(self, memory: Array, among: Array, count: int, random: np.random.Generator) -> Array:
        """`count` new rows of values, near the memory rows with the places `among`."""
        xp = namespace(memory)

        def here(values: AnyArray) -> Array:
            return xp.asarray(values, device=device(memory))

        pool, near = xp.take(memory, among, axis=0), min(NEIGHBOURS + 1, among.shape[0])
        origins = xp.take(pool, here(random.integers(len(pool), size=count)), axis=0)
        around = xp.take(pool, xp.reshape(_nearest(origins, pool, near), (-1,)), axis=0)
        around = xp.reshape(around, (count, near, memory.shape[1]))
        middle = xp.mean(around, axis=1)
        weights = here(random.standard_normal((count, near, 1), dtype=np.float32)) * self.reach
        moves = xp.sum(weights * (around - middle[:, None, :]), axis=1) / max(near - 1, 1) ** 0.5
        shrinkage = xp.sqrt(xp.clip(1 - xp.square(self.reach), 0.0, None))
        moved = middle + shrinkage * (origins - middle) + moves
        nearest = xp.argmin(xp.abs(around - moved[:, None, :]), axis=1)
        seen = xp.take_along_axis(around, nearest[:, None, :], axis=1)[:, 0]
        drawn = xp.where(self.repeating, seen, moved)
        donor = here(random.integers(near, size=count))
        categories = xp.take_along_axis(around[:, :, self.numeric :], donor[:, None, None], axis=1)[:, 0]
        return xp.concat([drawn[:, : self.numeric], categories], axis=1)


def _nearest(rows: Array, pool: Array, count: int) -> Array:
    """Places [rows, count] of the nearest of `pool` [pool, width] to each of `rows` [rows, width]."""
    xp = namespace(pool)
    mirrored, lengths = -2 * pool.T, xp.sum(xp.square(pool), axis=1)
    return by_blocks(lambda block: few_smallest(matmul(block, mirrored) + lengths, count), rows)
