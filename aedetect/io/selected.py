"""An input without some of its rows: as if they were not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.io.source import Input, InputAround, Reader

if TYPE_CHECKING:
    import pyarrow as pa

Rows = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass
class RowMarks:
    """Which rows of an input are marked: a bit for each, so that a hundred million take 12 MB.

    Marks are added in the order of the rows.
    """

    count: int = 0
    marked: int = 0
    _blocks: list[np.ndarray[Any, np.dtype[np.uint8]]] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _ranks: list[int] = field(default_factory=list)

    def add(self, marks: Rows) -> None:
        """Marks of the next rows [rows]."""
        self._blocks.append(np.packbits(marks))
        self._starts.append(self.count)
        self._ranks.append(self.marked)
        self.count += len(marks)
        self.marked += int(marks.sum())

    def part(self, first: int, count: int) -> Rows:
        """The marks of `count` rows from number `first` (from 0) on; rows that were never seen have none."""
        out = np.zeros(count, dtype=np.bool_)
        block = max(int(np.searchsorted(self._starts, first, side="right")) - 1, 0)
        while block < len(self._blocks) and self._starts[block] < first + count:
            start, marks = self._starts[block], self._unpacked(block)
            begin, end = max(start, first), min(start + len(marks), first + count)
            if begin < end:
                out[begin - first : end - first] = marks[begin - start : end - start]
            block += 1
        return out

    def number_of(self, rank: int) -> int:
        """The number (from 0) of the marked row that has `rank` marked ones before it."""
        block = int(np.searchsorted(self._ranks, rank, side="right")) - 1
        places = np.flatnonzero(self._unpacked(block))
        return self._starts[block] + int(places[rank - self._ranks[block]])

    def _unpacked(self, block: int) -> Rows:
        end = self._starts[block + 1] if block + 1 < len(self._starts) else self.count
        return np.unpackbits(self._blocks[block], count=end - self._starts[block]).astype(np.bool_)


@dataclass(frozen=True)
class SelectedInput(InputAround):
    """Those rows of an input that are marked, under their numbers in it."""

    source: Input
    marks: RowMarks

    def open(self, batch_rows: int) -> Reader:
        return _SelectedReader(self.source.open(batch_rows), self.marks)

    def locate(self, row: int) -> str:
        return self.source.locate(self.marks.number_of(row - 1) + 1)


class _SelectedReader:
    def __init__(self, reader: Reader, marks: RowMarks):
        self._reader = reader
        self._marks = marks
        self.schema: pa.Schema = reader.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        first = 0
        for batch in self._reader.batches():
            kept = self._marks.part(first, len(batch))
            first += len(batch)
            if kept.all():
                yield batch
            elif kept.any():
                yield batch.filter(pa.array(kept))
