"""Products with a wide matrix, a few rows and columns at a time: in numpy, twice as fast as all at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aedetect.data.arrays import AnyArray, Matrix
from aedetect.models.evaluation.kernels import EVEN_ROWS, padded, rows_round_alike

# Products of tiles of this size take the way through BLAS that neither packs nor clears anything.
_ROWS, _COLUMNS = 32, 128
# Numbers of a product that are looked at before the next ones are computed.
_CACHED = 1 << 17


class Tiles:
    """A `matrix` [inner, columns] in numpy that rows are multiplied with.

    Columns are filled up with `beyond` [inner] to a multiple of 128. A row's product depends neither on the
    rows beside it nor on its place among them.
    """

    def __init__(self, matrix: Matrix, beyond: Matrix):
        spare = np.repeat(beyond[:, None], -matrix.shape[1] % _COLUMNS, axis=1)
        both = np.concatenate([matrix, spare], axis=1).astype(np.float32)
        self._tiles = np.ascontiguousarray(both.reshape(len(both), -1, _COLUMNS).transpose(1, 0, 2))

    def by_rows(self, rows: Matrix, work: Callable[[Matrix, slice], AnyArray]) -> AnyArray:
        """What `work` makes of the products of `rows` [rows, inner], a few at a time, one below the other.

        It is given a product, which is overwritten with the next, and which rows it is of.
        """
        count, tiles = len(rows), self._tiles
        height = _ROWS if rows_round_alike() else EVEN_ROWS
        columns = len(tiles) * _COLUMNS
        # So many rows that their product stays in the processor's cache.
        size = max(_CACHED // columns // height, 1) * height
        size = min(size, -(-max(count, 1) // height) * height)
        rows = padded(rows, -(-max(count, 1) // size) * size)
        product = np.empty((size, columns), dtype=np.float32)
        by_tile = product.reshape(-1, height, len(tiles), _COLUMNS).transpose(0, 2, 1, 3)
        parts = []
        for start in range(0, len(rows), size):
            block = slice(start, start + size)
            np.matmul(rows[block].reshape(-1, 1, height, rows.shape[1]), tiles, out=by_tile)
            parts.append(work(product, block))
        return np.concatenate(parts)[:count]
