"""Long tables, of one reading a row: a column names the channel, another holds its value.

They are read as wide ones with as many rows, in which each row has the cell of one channel only, so
that rows keep their numbers and their order; rows of one time are gathered where series are put on a grid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data.arrays import Integers
from aedetect.errors import DataError
from aedetect.io.source import Input, Reader

MOST_CHANNELS = 500
# The channel number of a row whose name is empty, or was not learned.
UNKNOWN = -1


@dataclass(frozen=True)
class LongColumns:
    """What the columns of a long table are: `name` names channels, `value` holds their readings.

    `shared`: columns that belong to all channels (times, entities), which the wide table keeps.
    """

    name: str
    value: str
    shared: tuple[str, ...]

    def check(self, source: str, columns: Sequence[str]) -> None:
        """Raises DataError where a column is not among `columns`, those of the input called `source`."""
        for column in (self.name, self.value, *self.shared):
            if column not in columns:
                raise DataError(f"{source}: has no column {column!r}; there are: {', '.join(columns[:20])}")

    def ignored(self, columns: Sequence[str]) -> list[str]:
        """Those of `columns` that have no part in a long table."""
        return [column for column in columns if column not in (self.name, self.value, *self.shared)]


@dataclass(frozen=True)
class LongTable:
    """A long table's columns and the `channels` that were learned, in sorted order."""

    columns: LongColumns
    channels: tuple[str, ...]

    @classmethod
    def learn(cls, inputs: Iterable[Input], columns: LongColumns, rules: cells.CellRules) -> LongTable:
        """The table of all names in `inputs`, whatever the order of their rows.

        Raises DataError for a column that is not there, for no name at all, for more than MOST_CHANNELS,
        and for a channel that is called as a shared column.
        """
        names: set[str] = set()
        for source in inputs:
            reader = source.open(MOST_CHANNELS * 64)
            columns.check(source.name, reader.schema.names)
            for batch in reader.batches():
                names |= set(_distinct(batch.column(columns.name), rules))
                if len(names) > MOST_CHANNELS:
                    raise DataError(
                        f"{source.name}: column {columns.name!r} names more than {MOST_CHANNELS} channels; "
                        "if it tells series of one kind apart, give it as --entity"
                    )
            for name in sorted(names.intersection(columns.shared)):
                raise DataError(
                    f"{source.name}: column {columns.name!r} names a channel {name!r}, as another column is "
                    "called; rename one of them"
                )
        if not names:
            raise DataError(f"column {columns.name!r} names no channel: all its cells are empty")
        return cls(columns, tuple(sorted(names)))

    def numbers(self, batch: pa.RecordBatch, rules: cells.CellRules) -> Integers:
        """The place of each row's channel in `channels`, UNKNOWN where it has none; [rows]."""
        names = cells.categories(batch.column(self.columns.name), rules)
        places = pc.index_in(names, value_set=pa.array(self.channels, names.type))
        return np.asarray(places.fill_null(UNKNOWN), dtype=np.int64)

    def unknown(self, batch: pa.RecordBatch, rules: cells.CellRules) -> list[str]:
        """The names in `batch` that were not learned, sorted: rows of theirs cannot be scored."""
        return sorted(set(_distinct(batch.column(self.columns.name), rules)).difference(self.channels))

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """The columns of the wide table: the shared ones as they are in `schema`, then the channels."""
        shared = [schema.field(column) for column in self.columns.shared]
        return pa.schema([*shared, *(pa.field(channel, pa.float64()) for channel in self.channels)])

    def widen(
        self, batch: pa.RecordBatch, rules: cells.CellRules, locate: Callable[[int], str]
    ) -> pa.RecordBatch:
        """As many rows as `batch`, a column a channel; null in all but the one that the row is of.

        `locate` says where the row with an index (from 0) stands. Raises DataError for a value that is
        no number; one of an unknown channel is not looked at.
        """
        places = self.numbers(batch, rules)
        read = cells.numbers(batch.column(self.columns.value), rules)
        wrong = np.flatnonzero(read.bad & (places != UNKNOWN))
        if len(wrong):
            cell = batch.column(self.columns.value)[int(wrong[0])].as_py()
            raise DataError(
                f"{locate(int(wrong[0]))}: column {self.columns.value!r}: {cell!r} is not a number"
            )
        wide = [batch.column(column) for column in self.columns.shared]
        for place in range(len(self.channels)):
            wide.append(pa.array(read.values, mask=(places != place) | read.missing))
        return pa.RecordBatch.from_arrays(wide, schema=self.schema(batch.schema))


@dataclass(frozen=True)
class WideInput:
    """A long table that is read as a wide one, row for row."""

    source: Input
    table: LongTable
    rules: cells.CellRules

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def is_text(self) -> bool:
        return self.source.is_text

    def open(self, batch_rows: int) -> Reader:
        """A fresh pass. Raises DataError where a column of the long table is not there."""
        reader = self.source.open(batch_rows)
        self.table.columns.check(self.name, reader.schema.names)
        return _WideReader(self, reader)

    def locate(self, row: int) -> str:
        return self.source.locate(row)


class _WideReader:
    def __init__(self, wide: WideInput, reader: Reader):
        self.schema = wide.table.schema(reader.schema)
        self._wide, self._reader = wide, reader

    def batches(self) -> Iterator[pa.RecordBatch]:
        first = 1
        for batch in self._reader.batches():
            yield self._wide.table.widen(batch, self._wide.rules, partial(self._locate, first))
            first += len(batch)

    def _locate(self, first: int, index: int) -> str:
        return f"{self._wide.name}: {self._wide.locate(first + index)}"


def _distinct(names: pa.Array, rules: cells.CellRules) -> list[str]:
    return [str(name) for name in pc.unique(cells.categories(names, rules).drop_null()).to_pylist()]
