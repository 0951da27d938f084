"""Rows as they stream by, all or a uniform sample: the same however they were cut into batches."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import Floats, Mask
from aedetect.data.sampling import uniform


class RowStore:
    """Keeps rows whose number hashes below a limit, which halves whenever they are more than `most`.

    So it is a sample without replacement of which every row has the same chance (adaptive sampling; Wegman,
    in Flajolet, 1990), and takes room for `most` rows and one batch.
    """

    def __init__(self, most: int, seed: int = 0):
        self._most, self._seed = most, seed
        self._limit = 1.0
        self._parts: list[tuple[Floats, pa.RecordBatch]] = []
        self._held = 0
        self.seen = 0

    def add(self, first: int, among: Mask, rows: pa.RecordBatch) -> None:
        """Of a batch whose first row is number `first` over all inputs, the rows marked in `among` [rows]."""
        places = np.flatnonzero(among)
        self.seen += len(places)
        hashes = uniform((first + places).astype(np.uint64), self._seed)
        within = hashes < self._limit
        if not within.any():
            return
        self._parts.append((hashes[within], rows.take(pa.array(places[within]))))
        self._held += int(within.sum())
        while self._held > self._most:
            self._limit /= 2
            self._thin()

    @property
    def complete(self) -> bool:
        """Whether no row was left out."""
        return self._held == self.seen

    @property
    def weight(self) -> float:
        """How many rows each one held stands for."""
        return self.seen / self._held if self._held else 1.0

    def table(self) -> pa.Table:
        """The rows held, in order; columns that some batches lack are null there."""
        if not self._parts:
            return pa.table({})
        tables = [pa.Table.from_batches([rows]) for _, rows in self._parts]
        return pa.concat_tables(tables, promote_options="default").combine_chunks()

    def _thin(self) -> None:
        parts = []
        for hashes, rows in self._parts:
            within = hashes < self._limit
            if within.all():
                parts.append((hashes, rows))
            elif within.any():
                parts.append((hashes[within], rows.filter(pa.array(within))))
        self._parts = parts
        self._held = sum(len(hashes) for hashes, _ in parts)
