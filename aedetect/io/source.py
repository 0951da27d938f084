"""Inputs that can be read more than once: files or tables in memory, as streams of Arrow batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from aedetect.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.config import Config


class Reader(Protocol):
    """One pass over one input.

    Columns of text formats arrive as strings, with empty cells as empty strings: what a cell
    means is decided against a schema, not guessed batch by batch. No file stays open but while
    `batches` is being consumed.
    """

    @property
    def schema(self) -> pa.Schema:
        """The columns, known before any row is read."""
        ...

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order, none where it has none. Raises DataError where it cannot be read."""
        ...


class Input(Protocol):
    """Something that can be opened for reading, repeatedly."""

    @property
    def name(self) -> str:
        """What messages call it: a path, say."""
        ...

    @property
    def is_text(self) -> bool:
        """Whether cells are text as somebody typed them, and rows have line numbers."""
        ...

    def open(self, batch_rows: int) -> Reader:
        """A fresh pass, in batches of at most `batch_rows` rows. Raises DataError where it cannot be read."""
        ...

    def locate(self, row: int) -> str:
        """Where row `row` (from 1) stands: 'row 7', or 'row 7 (line 8)' in a text file."""
        ...


class InputAround:
    """What stands around another input, `source`, and passes on what it does not change."""

    source: Input

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def is_text(self) -> bool:
        return self.source.is_text

    def open(self, batch_rows: int) -> Reader:
        return self.source.open(batch_rows)

    def locate(self, row: int) -> str:
        return self.source.locate(row)


@dataclass(frozen=True)
class TableInput:
    """An Arrow table (or what was made into one) as an input."""

    table: pa.Table
    name: str = "data"
    is_text: bool = field(default=False, init=False)

    def open(self, batch_rows: int) -> Reader:
        return _TableReader(self.table, batch_rows)

    def locate(self, row: int) -> str:
        return f"row {row}"


class _TableReader:
    def __init__(self, table: pa.Table, batch_rows: int):
        self.schema = table.schema
        self._table = table
        self._batch_rows = batch_rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._table.to_batches(max_chunksize=self._batch_rows)


@dataclass(frozen=True)
class ReadOptions:
    """Overrides of what is otherwise found from a file's content and name.

    `decimal`: the mark of decimals in outputs. Of CSV: `usual_delimiter` is tried first where none is
    given; `skip_rows`, `comment`, `header` and `units_row` as in `config.DataConfig`.
    """

    format: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"
    usual_delimiter: str | None = None
    skip_rows: int = 0
    comment: str | None = None
    header: bool | None = None
    units_row: bool = False
    decimal: str = "."


@dataclass(frozen=True)
class Dialect:
    """How a CSV output is written: the delimiter between cells, the decimal mark of numbers."""

    delimiter: str = ","
    decimal: str = "."


@runtime_checkable
class Counted(Protocol):
    """An input that may know how many rows it has without reading them."""

    def known_rows(self) -> int | None:
        """The number of rows; None where only reading them tells. Raises DataError as reading does."""
        ...


def has_rows(source: Input) -> bool:
    """Whether an input has any row. Raises DataError where it cannot be read."""
    rows = source.known_rows() if isinstance(source, Counted) else None
    if rows is not None:
        return rows > 0
    return any(len(batch) for batch in source.open(1024).batches())


def no_rows(source: Input) -> DataError:
    """The error where an input of no rows is all there is."""
    empty = not source.open(1024).schema.names
    return DataError(f"{source.name}: {'the file is empty' if empty else 'holds no rows'}")


MOST_CELLS = 4_000_000


def batch_rows(config: Config, columns: int) -> int:
    """Rows a batch: as configured, fewer for very wide tables."""
    return min(config.scoring.batch_rows, max(1024, MOST_CELLS // max(columns, 1)))
