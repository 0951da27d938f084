"""Long tables, of one reading a row: a column names the channel, another holds its value.

They are read as wide ones with as many rows, in which each row has the cell of one channel only, so
that rows keep their numbers and their order; rows of one time are gathered where series are put on a grid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.config.names import instead
from aedetect.data import cells
from aedetect.data.arrays import Integers
from aedetect.data.schema import Column, Schema
from aedetect.errors import DataError
from aedetect.io.source import Input, Reader

MOST_CHANNELS = 500
_MOST_NAMED = 10
# Columns of these roles are no channels.
_OF_ROWS = ("time", "entity", "id", "label")
# The channel number of a row whose name is empty, or was not learned.
UNKNOWN = -1


@dataclass(frozen=True)
class LongColumns:
    """What the columns of a long table are: `name` names channels, `value` holds their readings.

    `shared`: columns that belong to all channels (times, entities), which the wide table keeps;
    `optional`: such as an input may lack (ids, labels).
    """

    name: str
    value: str
    shared: tuple[str, ...]
    optional: tuple[str, ...] = ()

    def check(self, source: str, columns: Sequence[str]) -> None:
        """Raises DataError where a column is not among `columns`, those of the input called `source`."""
        for column in (self.name, self.value, *self.shared):
            if column not in columns:
                raise DataError(f"{source}: has no column {column!r}{instead(column, columns)}")

    def ignored(self, columns: Sequence[str]) -> list[str]:
        """Those of `columns` that have no part in a long table."""
        known = (self.name, self.value, *self.shared, *self.optional)
        return [column for column in columns if column not in known]

    def retained(self, columns: Sequence[str]) -> list[str]:
        """Those of `columns` that the wide table has too."""
        return [*self.shared, *(column for column in self.optional if column in columns)]

    def input_schema(self, wide: Schema) -> Schema:
        """The columns of the long table, where those of the wide one are `wide`."""
        others = [column for column in wide.columns if column.role in _OF_ROWS]
        name = Column(name=self.name, role="entity", reason="names channels", type="string")
        value = Column(name=self.value, role="numeric", reason="holds readings", type="double")
        return wide.model_copy(update={"columns": (*others, name, value)})


@dataclass(frozen=True)
class LongTable:
    """A long table's columns and the `channels` that were learned, in sorted order."""

    columns: LongColumns
    channels: tuple[str, ...]

    @classmethod
    def learn(cls, inputs: Iterable[Input], columns: LongColumns, rules: cells.CellRules) -> LongTable:
        """The table of all names in `inputs` that have a reading, whatever the order of their rows.

        Raises DataError for a column that is not there, for no name at all, for more than MOST_CHANNELS,
        and for a channel that is called as a shared column.
        """
        names: set[str] = set()
        for source in inputs:
            reader = source.open(MOST_CHANNELS * 64)
            columns.check(source.name, reader.schema.names)
            for batch in reader.batches():
                filled = pa.array(~cells.empty(batch.column(columns.value), rules))
                names |= set(_distinct(batch.column(columns.name).filter(filled), rules))
                if len(names) > MOST_CHANNELS:
                    raise DataError(
                        f"{source.name}: column {columns.name!r} names more than {MOST_CHANNELS} channels; "
                        "if it tells series of one kind apart, give it as --entity"
                    )
            for name in sorted(names.intersection((*columns.shared, *columns.optional))):
                raise DataError(
                    f"{source.name}: column {columns.name!r} names a channel {name!r}, as another column is "
                    "called; rename one of them"
                )
        if not names:
            raise DataError(
                f"column {columns.name!r} names no channel that has a reading in column {columns.value!r}"
            )
        return cls(columns, tuple(sorted(names)))

    def numbers(self, batch: pa.RecordBatch, rules: cells.CellRules) -> Integers:
        """The place of each row's channel in `channels`, UNKNOWN where it has none; [rows]."""
        names = cells.categories(batch.column(self.columns.name), rules)
        places = pc.index_in(names, value_set=pa.array(self.channels, names.type))
        return np.asarray(places.fill_null(UNKNOWN), dtype=np.int64)

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """The columns of the wide table: the shared ones as they are in `schema`, then the channels."""
        shared = [schema.field(column) for column in self.columns.retained(schema.names)]
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
                f"{locate(int(wrong[0]))}, column {self.columns.value!r}: {str(cell)[:40]!r} is no number; "
                "repair it, or train with --na-values and that text if it means 'missing'"
            )
        wide = [batch.column(column) for column in self.columns.retained(batch.schema.names)]
        for place in range(len(self.channels)):
            wide.append(pa.array(read.values, mask=(places != place) | read.missing))
        return pa.RecordBatch.from_arrays(wide, schema=self.schema(batch.schema))


@dataclass(frozen=True)
class WideInput:
    """A long table that is read as a wide one, row for row.

    Readings are numbers in it, whatever they were in the file, so its cells are no text.
    """

    source: Input
    table: LongTable
    rules: cells.CellRules
    is_text: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        return self.source.name

    def open(self, batch_rows: int) -> WideReader:
        """A fresh pass. Raises DataError where a column of the long table is not there."""
        reader = self.source.open(batch_rows)
        self.table.columns.check(self.name, reader.schema.names)
        return WideReader(self, reader)

    def locate(self, row: int) -> str:
        return self.source.locate(row)

    def widen(self, batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
        """Rows of the long table, of which the first is number `first` (from 1), as wide ones.

        Raises DataError for a reading that is no number.
        """
        return self.table.widen(batch, self.rules, partial(self._locate, first))

    def _locate(self, first: int, index: int) -> str:
        return f"{self.name}: {self.locate(first + index)}"


class WideReader:
    """One pass over a long table; what names it met is known afterwards."""

    def __init__(self, wide: WideInput, reader: Reader):
        self.schema = wide.table.schema(reader.schema)
        self._wide, self._reader = wide, reader
        self._rows_of: Counter[str] = Counter()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as wide ones. Raises DataError for a reading that is no number."""
        table, first = self._wide.table, 1
        for batch in self._reader.batches():
            names = cells.categories(batch.column(table.columns.name), self._wide.rules).fill_null("")
            for entry in names.value_counts().to_pylist():
                self._rows_of[str(entry["values"])] += entry["counts"]
            yield self._wide.widen(batch, first)
            first += len(batch)

    def notices(self, learned: Collection[str]) -> list[str]:
        """What is to be said of names that are not `learned`, and of learned ones without a row."""
        start = f"{self._wide.name}: column {self._wide.table.columns.name!r}"
        said = []
        unknown = sorted(name for name in self._rows_of if name not in learned and name)
        count = sum(self._rows_of[name] for name in (*unknown, ""))
        if count:
            of = f"of {_listed(unknown)}, which the model did not learn" if unknown else "without a name"
            of += " or without a name" * bool(unknown and self._rows_of[""])
            those = "these rows are" if count != 1 else "this row is"
            said.append(f"{start}: {count:,} row{'s' * (count != 1)} {of}; {those} unscorable")
        absent = sorted(name for name in learned if name not in self._rows_of)
        if absent and self._rows_of:
            said.append(f"{start}: no row of {_listed(absent)}; what is not there is not judged")
        return said


def rows_as_read(source: Input, batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
    """Rows of what `source` is read from, as it reads them; the first is number `first`, from 1."""
    return source.widen(batch, first) if isinstance(source, WideInput) else batch


def _distinct(names: pa.Array, rules: cells.CellRules) -> list[str]:
    return [str(name) for name in pc.unique(cells.categories(names, rules).drop_null()).to_pylist()]


def _listed(names: Sequence[str]) -> str:
    """Some of the names, as in 'a', 'b' and 3 more."""
    text = ", ".join(repr(name) for name in names[:_MOST_NAMED])
    return text + (f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else "")
