"""Rows of many series, taken as they are read and given back one series at a time.

Few are held in memory. More go to a temporary file in runs, each sorted by series: a series is then
read back from as many places as there are runs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

import numpy as np

from aedetect.data.arrays import Integers
from aedetect.data.series.buffer import Rows, together
from aedetect.data.series.row_records import as_records, record_of, rows_of
from aedetect.io.atomic import writing

# What rows may take in memory before they go to a file, in bytes.
HELD_BYTES = 16_000_000


@dataclass(frozen=True)
class _Run:
    """Rows that were read one after the other, from number `first` on, in a file by series.

    They begin at byte `offset`. `series` [series in the run]: their numbers, ascending; `bounds`
    [series + 1]: where the rows of each lie among those of the run.
    """

    first: int
    offset: int
    series: Integers
    bounds: Integers

    @property
    def end(self) -> int:
        """The number behind that of its last row."""
        return self.first + int(self.bounds[-1])


class _Held:
    """Rows in memory: parts of them, how many rows, how many bytes."""

    def __init__(self) -> None:
        self.parts: list[Rows] = []
        self.count = self.size = 0

    def add(self, rows: Rows) -> None:
        self.parts.append(rows)
        self.count += len(rows)
        self.size += _size(rows)


class RowStore:
    """Rows of `width` channels, numbered from 0 in the order they are added.

    `limit`: bytes above which they go to a file; None for never. The file has no name, and is gone once
    the store is closed. Raises OutputError where it cannot be written.
    """

    def __init__(self, width: int, limit: int | None = HELD_BYTES):
        self._width = width
        self._limit = limit
        self._runs: list[_Run] = []
        self._settled_runs = 0
        self._settled = _Held()
        self._arriving = _Held()
        self._file: IO[bytes] | None = None
        self._record: np.dtype[np.void] | None = None

    @classmethod
    def of(cls, rows: Rows) -> RowStore:
        """A store of rows that are in memory, and stay there."""
        store = cls(rows.values.shape[1], None)
        store.add(rows)
        store.settle()
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def __len__(self) -> int:
        return self._written + self._settled.count + self._arriving.count

    def add(self, rows: Rows) -> None:
        """Take the next rows of an input."""
        self._arriving.add(rows)
        if self._limit is None or self._settled.size + self._arriving.size <= self._limit:
            return
        # Those of other inputs go to a run of their own, as this one may yet turn out to be unusable.
        if self._settled.count:
            self._write(self._settled.parts)
            self._settled, self._settled_runs = _Held(), len(self._runs)
        self._write(self._arriving.parts)
        self._arriving = _Held()

    def settle(self) -> None:
        """The input that was read is good to its end."""
        for rows in self._arriving.parts:
            self._settled.add(rows)
        self._arriving, self._settled_runs = _Held(), len(self._runs)

    def give_up(self) -> None:
        """Forget the rows of the input that was being read."""
        self._arriving = _Held()
        forgotten = self._runs[self._settled_runs :]
        if self._file is not None and forgotten:
            self._file.truncate(forgotten[0].offset)
        del self._runs[self._settled_runs :]

    def by_series(self, first: int = 0) -> Iterator[tuple[int, Integers, Rows]]:
        """Each series with rows from number `first` on, ascending: its number, theirs, and these rows.

        They come in the order they were added. `first`: where an input begins.
        """
        start, parts = self._written, [*self._settled.parts, *self._arriving.parts]
        if first >= start + self._settled.count:
            start, parts = start + self._settled.count, self._arriving.parts
        held = together(parts, self._width)
        order = np.argsort(held.series, kind="stable")
        owners = held.series[order]
        runs = [run for run in self._runs if run.end > first]
        numbers = np.unique(np.concatenate([owners, *(run.series for run in runs)]))
        for number in numbers.tolist():
            low, high = np.searchsorted(owners, [number, number + 1]).tolist()
            chunks = [self._read(run, number) for run in runs]
            chunks.append((order[low:high] + start, held.part(order[low:high])))
            places = np.concatenate([each for each, _ in chunks])
            rows = together([part for _, part in chunks], self._width)
            begin = int(np.searchsorted(places, first))
            if begin < len(places):
                yield number, places[begin:], rows.part(slice(begin, None)) if begin else rows

    def rows(self) -> Rows:
        """All of them, in the order they were added; of a store without a limit."""
        assert not self._runs
        return together([*self._settled.parts, *self._arriving.parts], self._width)

    @property
    def in_file(self) -> bool:
        """Whether there are too many rows for memory."""
        return bool(self._runs)

    @property
    def _written(self) -> int:
        """How many rows are in the file."""
        return self._runs[-1].end if self._runs else 0

    def _write(self, parts: Sequence[Rows]) -> None:
        rows = together(parts, self._width)
        if not len(rows):
            return
        order = np.argsort(rows.series, kind="stable")
        series, counts = np.unique(rows.series, return_counts=True)
        with writing(tempfile.gettempdir()):
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="aedetect-")  # noqa: SIM115 - lives as long as self
                self._record = record_of(rows)
            assert self._record is not None
            offset = self._file.seek(0, 2)
            self._file.write(as_records(rows, order, self._record).data)
            self._file.flush()
        self._runs.append(_Run(self._written, offset, series, np.r_[0, np.cumsum(counts)]))

    def _read(self, run: _Run, number: int) -> tuple[Integers, Rows]:
        """The rows of a series in a run, and their numbers."""
        assert self._file is not None
        assert self._record is not None
        low, high = run.bounds[np.searchsorted(run.series, [number, number + 1])].tolist()
        self._file.seek(run.offset + low * self._record.itemsize)
        records = np.frombuffer(self._file.read((high - low) * self._record.itemsize), self._record)
        rows = rows_of(records, np.full(len(records), number, dtype=np.int64))
        return records["place"].astype(np.int64) + run.first, rows


def _size(rows: Rows) -> int:
    """Bytes that rows take in memory."""
    columns = (rows.seconds, rows.series, rows.values, rows.unscorable, rows.infinite, rows.readings)
    return sum(column.nbytes for column in columns if column is not None)
