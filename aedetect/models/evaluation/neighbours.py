"""Evidence from the nearest normal rows: in random halves of the columns, and relative to local density."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from aedetect.data.arrays import AnyArray
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.evidence_part import GRAIN, as_shares, rounded
from aedetect.models.evaluation.kernels import (
    any_of,
    at_hand,
    in_numpy,
    namespace,
    same,
    take_columns,
)
from aedetect.models.evaluation.search import Search

# How much of the neighbourhood's own width counts: all of it would find what is odd among dense rows alone.
_DENSITY_POWER = 0.5
# Added to distances: closer than this is the same.
_FLOOR, _LEAST_DISTANCE = 0.03, 1e-3
# The log score, by distance, of a point that equals a learned one.
SAME = round(math.log(_LEAST_DISTANCE) / GRAIN) * GRAIN
# Pairs of halves of the columns.
PAIRS = 3


class SubspaceNeighbours:
    """The distance to the nearest normal point, over random halves of the features, in the logarithmic mean.

    A row that is strange in a few features lies far off in the halves that have them, and is not hidden by
    all the others, as in feature bagging (Lazarevic & Kumar, 2005).

    Shape: points [rows, width] → log scores [rows, 1], shares [rows, width]. `owners` [width]: the feature
    of each value, in numpy.
    """

    def __init__(self, owners: AnyArray, arrays: Arrays):
        features = int(owners.max()) + 1
        self.memory = arrays.take("memory", arrays.size("memory", 0), len(owners))
        self.halves = in_numpy(arrays.take("halves", 2 * PAIRS, features))
        self.owners = owners

    @cached_property
    def _searches(self) -> list[tuple[int, AnyArray, Search]]:
        """Of each half, how many features it has, the places of their values, and the search among these."""
        searches = []
        for half in self.halves:
            values = np.flatnonzero(half[self.owners])
            searches.append((int(half.sum()), values, Search(take_columns(self.memory, values))))
        return searches

    def __call__(self, points: Array, itself: Array | None = None) -> tuple[Array, Array]:
        xp = namespace(points)
        excluded = among(itself, self.memory)
        total: Array = 0.0
        parts: Array = 0.0
        for features, values, search in self._searches:
            some = take_columns(points, values)
            squared = xp.square(some - xp.take(search.memory, search(some, excluded), axis=0)) / features
            total = total + xp.log(xp.sqrt(xp.sum(squared, axis=1)) + _FLOOR)
            parts = parts + _spread(squared, values, points)
        return rounded(total / len(self.halves))[:, None], as_shares(parts)


class NearestRow:
    """The distance to the nearest normal point, and the same relative to how close points lie around it.

    Relative to the root of the distance to its own fifth neighbour: between the distance itself (Knorr &
    Ng, 1998) and local outlier factors (Breunig et al., 2000).

    Shape: points [rows, width] → log scores [rows, 2], shares [rows, width].
    """

    def __init__(self, width: int, arrays: Arrays):
        count = arrays.size("memory", 0)
        self.memory = arrays.take("memory", count, width)
        self.widths = arrays.take("widths", count, 2)
        self._search = Search(self.memory)

    def __call__(self, points: Array, itself: Array | None = None) -> tuple[Array, Array]:
        excluded = among(itself, self.memory)
        return self._judged(points, self._search(points, excluded), excluded)

    def judged_apart(self, points: Array) -> tuple[Array, Array, Array | None]:
        """As a call, but a learned point that equals one of `points` does not count.

        The place of that one [rows], or -1, comes third; None where no point equals any.
        """
        xp = namespace(points)
        index = self._search(points)
        equal = xp.all(same(points, xp.take(self.memory, index, axis=0)), axis=1)
        if at_hand(equal) and not any_of(equal):
            return *self._judged(points, index, None), None
        itself = xp.where(equal, index, -1)
        index = self._second_nearest(points, index, equal)
        return *self._judged(points, index, itself), itself

    def _second_nearest(self, points: Array, index: Array, equal: Array) -> Array:
        """`index` [rows] of the nearest, or of the second nearest where that is `equal` to the point."""
        if not at_hand(equal):
            # A second search of all costs less than waiting for which they are.
            others = self._search(points, index)
            return namespace(points).where(equal, others, index)
        index[equal] = self._search(points[equal], index[equal])
        return index

    def _judged(self, points: Array, index: Array, itself: Array | None) -> tuple[Array, Array]:
        xp = namespace(points)
        squared = xp.square(points - xp.take(self.memory, index, axis=0))
        distances = xp.sqrt(xp.sum(squared, axis=1))
        around = xp.take(self.widths, index, axis=0)
        widths = around[:, 0]
        if itself is not None:
            # It may be among the neighbours of the one it is nearest to: without it, the next one counts.
            widths = xp.where((itself >= 0) & (distances <= widths), around[:, 1], widths)
        logarithms = xp.log(distances + _LEAST_DISTANCE)
        relative = logarithms - _DENSITY_POWER * xp.log(widths + _FLOOR)
        return rounded(xp.stack([logarithms, relative], axis=1)), as_shares(squared)


def among(itself: Array | None, memory: Array) -> Array | None:
    """Places `itself` [rows] that are within a memory; -1 for others."""
    return None if itself is None else namespace(itself).where(itself < memory.shape[0], itself, -1)


def _spread(squared: Array, values: AnyArray, points: Array) -> Array:
    """Squares [rows, some] in their places `values` [some] among those of `points` [rows, width]; else 0."""
    xp = namespace(squared)
    # A place for each value: its own among the squares, or a column of zeros behind them.
    places = np.full(points.shape[1], len(values))
    places[values] = np.arange(len(values))
    return take_columns(xp.concat([squared, xp.zeros_like(squared[:, :1])], axis=1), places)
