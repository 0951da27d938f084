"""Straight lines between known values: where a number stands among the knots of its row."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from array_api_compat import is_numpy_array

from aedetect.data.arrays import AnyArray, Integers
from aedetect.models.evaluation.arrays import Array
from aedetect.models.evaluation.kernels import along_rows, lerp, namespace, searchsorted_rows

# Cells of equal width that tell nearly where a number stands: few knots share one.
_CELLS = 8192
# Where more knots do, halving the row takes fewer steps than going from knot to knot.
_MOST_IN_CELL = 6
# Nothing is divided by less.
_LEAST = 1e-30


class Interpolation:
    """Lines from `knots` to `heights` [rows, knots], those of a row ascending; level beyond its ends.

    Shape: values [rows, these] → heights at these [rows, these].

    >>> line = Interpolation(np.array([[0, 1, 3]], np.float32), np.array([[0, 10, 20]], np.float32))
    >>> line(np.array([[-1, 0.5, 2, 9]], np.float32))
    array([[ 0.,  5., 15., 20.]], dtype=float32)
    """

    def __init__(self, knots: Array, heights: Array):
        self.knots = knots
        self.heights = heights

    def __call__(self, values: Array) -> Array:
        if is_numpy_array(values):
            return self._in_numpy(values)
        xp = namespace(values)
        right = xp.clip(searchsorted_rows(self.knots, values), None, self.knots.shape[1] - 1)
        left = xp.clip(right - 1, 0, None)
        low, high = along_rows(self.knots, left), along_rows(self.knots, right)
        share = xp.clip((values - low) / xp.clip(high - low, _LEAST, None), 0.0, 1.0)
        return lerp(along_rows(self.heights, left), along_rows(self.heights, right), share)

    def _in_numpy(self, values: AnyArray) -> AnyArray:
        if not values.size:
            return values.copy()
        count = self.knots.shape[1]
        starts = count * np.arange(len(values), dtype=np.int32)[:, None]
        right = self._cells.places(values)
        np.minimum(right, starts + (count - 1), out=right)
        left = np.maximum(right - 1, starts)
        low, rise = self.knots.take(left), self.knots.take(right)
        rise -= low
        np.maximum(rise, _LEAST, out=rise)
        share = values - low
        share /= rise
        np.clip(share, 0.0, 1.0, out=share)
        heights, climb = self.heights.take(left), self.heights.take(right)
        climb -= heights
        climb *= share
        heights += climb
        return np.asarray(heights)

    @cached_property
    def _cells(self) -> _Cells:
        return _Cells(self.knots)


class _Cells:
    """Finds where numbers stand among ascending knots [rows, knots] by dividing each row into equal cells.

    A number's cell grows with it, also once rounded: knots in cells below are below it, and only those in its
    own cell are compared with it.
    """

    def __init__(self, knots: AnyArray):
        self._knots = np.ascontiguousarray(knots)
        self._low, self._high = knots[:, :1], knots[:, -1:]
        width = self._high - self._low
        self._scale = np.where(width > _LEAST, _CELLS / np.maximum(width, _LEAST), 1).astype(np.float32)
        own = self._cell(self._knots)
        first = [np.searchsorted(cells, np.arange(_CELLS)) for cells in own]
        self._first = np.array(first, dtype=np.int32) + knots.shape[1] * np.arange(len(knots))[:, None]
        self._first = self._first.astype(np.int32)
        crowds = [self._crowd(cells, row) for cells, row in zip(own, self._knots, strict=True)]
        self._crowded = [place for place, crowd in enumerate(crowds) if crowd > _MOST_IN_CELL]
        self._steps = max((crowd for crowd in crowds if crowd <= _MOST_IN_CELL), default=0)

    def places(self, values: AnyArray) -> Integers:
        """Places [rows, these] in all knots, those of one row behind those of another; float32 values."""
        rows, count = self._knots.shape
        cells = self._cell(values)
        cells += _CELLS * np.arange(rows, dtype=np.int32)[:, None]
        places = self._first.take(cells, mode="clip")
        # Behind the last knot of a row, the next row's would be compared with.
        last = count * np.arange(1, rows + 1, dtype=np.int32)[:, None] - 1
        for _ in range(self._steps):
            places += self._knots.take(np.minimum(places, last)) < values
        np.copyto(places, last, where=values > self._high)
        for row in self._crowded:
            places[row] = np.searchsorted(self._knots[row], values[row]) + count * row
        return np.asarray(places)

    def _cell(self, values: AnyArray) -> Integers:
        cells = values - self._low
        cells *= self._scale
        np.clip(cells, 0, _CELLS - 1, out=cells)
        return cells.astype(np.int32)

    @staticmethod
    def _crowd(cells: Integers, row: AnyArray) -> int:
        """How many knots of a row share a cell at most; those that repeat its last one are never passed."""
        return int(np.bincount(cells[row < row[-1]], minlength=1).max())
