"""Evenly spaced rows of training data, in bounded memory: what columns do from row to row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import Integers

# An input's name, and its place among those given, which alone tells tables in memory apart.
Key = tuple[str, int]
MOST_ROWS, LEAST_ROWS, _MOST_CELLS = 4096, 256, 1_000_000


class RowSample:
    """Some thousand rows, or all of fewer, spaced evenly over those taken in, with the named columns.

    Of very wide tables fewer.
    """

    def __init__(self, columns: Sequence[str]):
        self._columns = list(columns)
        self._most = max(LEAST_ROWS, min(MOST_ROWS, _MOST_CELLS // max(len(columns), 1)))
        self._stride = 1
        self._seen = 0
        self._parts: list[tuple[Key, Integers, pa.RecordBatch]] = []
        self._rows = 0

    def take(self, key: Key, batch: pa.RecordBatch, numbers: Integers) -> None:
        """Take in rows of one input; `numbers` [rows]: which of its rows they are."""
        batch = batch.select(self._columns)
        places = np.arange(-self._seen % self._stride, len(batch), self._stride)
        self._seen += len(batch)
        if not len(places):
            return
        self._parts.append((key, numbers[places], batch.take(pa.array(places))))
        self._rows += len(places)
        while self._rows > self._most:
            self._thin()

    def _thin(self) -> None:
        self._stride *= 2
        parts, at = [], 0
        for key, numbers, batch in self._parts:
            places = np.arange(at % 2, len(batch), 2)
            at += len(batch)
            if len(places):
                parts.append((key, numbers[places], batch.take(pa.array(places))))
        self._parts = parts
        self._rows = sum(len(numbers) for _, numbers, _ in parts)

    def add(self, later: RowSample) -> None:
        """Take in a sample of the rows behind these; spaced as those of whichever is the wider of both."""
        while self._stride < later._stride:
            self._thin()
        while later._stride < self._stride:
            later._thin()
        self._parts += later._parts
        self._rows += later._rows
        self._seen += later._seen
        while self._rows > self._most:
            self._thin()

    def __len__(self) -> int:
        return self._rows

    @property
    def inputs(self) -> list[Key]:
        """The inputs that rows are of, by name: their order is not that in which they were given."""
        return sorted({key for key, _, _ in self._parts})

    @property
    def columns(self) -> Sequence[str]:
        """The columns whose cells are here."""
        return self._columns

    def numbers(self, key: Key) -> Integers:
        """Which rows of one input these are [rows], from 1."""
        return np.concatenate([numbers for at, numbers, _ in self._parts if at == key])

    def column(self, key: Key, column: str) -> Sequence[pa.Array]:
        """The cells of one column in the rows of one input, in order, in pieces."""
        return [batch.column(column) for at, _, batch in self._parts if at == key]
