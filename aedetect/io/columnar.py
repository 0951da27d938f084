"""Parquet and Arrow files, read a batch at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

from aedetect.io.cell_text import is_uuid
from aedetect.io.source import Reader

# What text does not hold, but for tabs and line ends.
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"

Source = Callable[[], AbstractContextManager[IO[bytes]]]


def open_columnar(
    format: str,
    source: Source,
    batch_rows: int,
    texts: Collection[str] = (),
    groups: range | None = None,
    by_range: bool = False,
    before: int = 0,
) -> Reader:
    """A reader over the Parquet or Arrow file that `source` opens as a seekable stream.

    `texts`: columns of bytes that are text; see `unmarked_texts`. `groups`: the row groups of a Parquet file
    to be read, which follow the first `before` rows; None for all. `by_range`: each piece that is read is a
    request to a store, so that pieces beside one another are read as one.
    """
    if format == "parquet":
        return _PlainReader(_ParquetReader(source, batch_rows, groups, by_range), texts, before)
    return _PlainReader(_ArrowReader(source, batch_rows), texts)


def group_rows(source: Source) -> list[int]:
    """The number of rows in each row group of a Parquet file."""
    with _ParquetReader(source, 1).file() as file:
        return [file.metadata.row_group(place).num_rows for place in range(file.num_row_groups)]


def unmarked_texts(source: Source, batch_rows: int) -> frozenset[str]:
    """The columns of bytes in a Parquet file that hold text alone: some programs do not mark it as such."""
    with _ParquetReader(source, batch_rows).file() as file:
        names = [field.name for field in file.schema_arrow if _is_binary(field.type)]
        filled: set[str] = set()
        # A file without a group of rows has nothing that older releases of Arrow could look for.
        if names and file.num_row_groups:
            for batch in file.iter_batches(batch_size=batch_rows, columns=names):
                texts = {name: _holds_text(batch.column(name)) for name in names}
                names = [name for name in names if texts[name] is not False]
                filled |= {name for name in names if texts[name]}
        return frozenset(filled & set(names))


def _is_binary(type_: pa.DataType) -> bool:
    value = type_.value_type if pa.types.is_dictionary(type_) else type_
    return bool(
        pa.types.is_binary(value) or pa.types.is_large_binary(value) or pa.types.is_binary_view(value)
    )


def _holds_text(column: pa.Array) -> bool | None:
    """Whether all bytes in a column are text; None where there are none."""
    values = column.dictionary if isinstance(column, pa.DictionaryArray) else column
    try:
        text = values.cast(pa.large_binary()).cast(pa.large_string()).drop_null()
    except pa.ArrowInvalid:
        return False
    if not len(text):
        return None
    return not pc.any(pc.match_substring_regex(text, _CONTROL)).as_py()


def with_usual_types(table: pa.Table) -> pa.Table:
    """A table in memory with its columns in the types that they would have from a file."""
    texts = [
        name
        for name, column in zip(table.schema.names, table.columns, strict=True)
        if _is_binary(column.type) and {_holds_text(chunk) for chunk in column.chunks} - {None} == {True}
    ]
    fields = [_field(field, texts) for field in table.schema]
    schema = pa.schema(fields)
    if schema.equals(table.schema):
        return table
    columns = [
        pa.chunked_array([_as(chunk, field.type) for chunk in column.chunks], field.type)
        for column, field in zip(table.columns, fields, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


class _PlainReader:
    """Gives columns of types that little can be done with as the nearest usual ones."""

    def __init__(self, reader: Reader, texts: Collection[str] = (), before: int = 0):
        self._reader = reader
        self._before = before
        self.schema: pa.Schema = pa.schema([_field(field, texts) for field in reader.schema])

    def batches(self) -> Iterator[pa.RecordBatch]:
        usual = self.schema.equals(self._reader.schema)
        rows = self._before
        for batch in self._reader.batches():
            _check(batch, rows)
            rows += len(batch)
            if usual:
                yield batch
                continue
            columns = [_as(column, field.type) for column, field in zip(batch, self.schema, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)


def _check(batch: pa.RecordBatch, before: int) -> None:
    """Raises ArrowInvalid for cells that are not what their type says: Arrow reads damaged ones unseen.

    `before`: how many rows of the file came before these.
    """
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            reason = f"column {name!r}: {error}"
            # A dictionary holds the values of all rows, also of those that other batches hold.
            coded = isinstance(column, pa.DictionaryArray)
            place = _place_of_bad_text(column.dictionary if coded else column)
            if place is not None:
                where = "" if coded else f"row {before + place + 1}, "
                reason = f"{where}column {name!r}: not UTF-8 text"
            raise pa.ArrowInvalid(f"{reason}; the file is damaged, write it again") from None


def _place_of_bad_text(column: pa.Array) -> int | None:
    """The first cell whose text is not UTF-8; None where that is not what is wrong."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    for place, cell in enumerate(column.cast(pa.large_binary()).to_pylist()):
        try:
            (cell or b"").decode()
        except UnicodeDecodeError:
            return place
    return None


def _field(field: pa.Field, texts: Collection[str]) -> pa.Field:
    """A column in its usual type; bytes that are text as such."""
    return field.with_type(pa.string() if field.name in texts else _usual(field.type))


def _usual(type_: pa.DataType) -> pa.DataType:
    """Without views, run lengths, half precision and extensions but UUIDs: little can be done with them."""
    kinds = pa.types
    if is_uuid(type_):
        return type_
    if isinstance(type_, pa.BaseExtensionType):
        return _usual(type_.storage_type)
    if kinds.is_run_end_encoded(type_):
        return _usual(type_.value_type)
    if kinds.is_dictionary(type_):
        return pa.dictionary(type_.index_type, _usual(type_.value_type), type_.ordered)
    if kinds.is_string_view(type_):
        return pa.large_string()
    if kinds.is_binary_view(type_):
        return pa.large_binary()
    return pa.float32() if kinds.is_float16(type_) else type_


def _as(column: pa.Array, type_: pa.DataType) -> pa.Array:
    if column.type == type_:
        return column
    if isinstance(column, pa.ExtensionArray):
        return _as(column.storage, type_)
    if pa.types.is_run_end_encoded(column.type):
        return _as(pc.run_end_decode(column), type_)
    if isinstance(column, pa.DictionaryArray) and not pa.types.is_dictionary(type_):
        return _as(column.dictionary_decode(), type_)
    if isinstance(column, pa.DictionaryArray):
        values = _as(column.dictionary, type_.value_type)
        return pa.DictionaryArray.from_arrays(column.indices, values, ordered=type_.ordered)
    return column.cast(type_)


class _ParquetReader:
    def __init__(self, source: Source, batch_rows: int, groups: range | None = None, by_range: bool = False):
        self._source = source
        self._batch_rows = batch_rows
        self._groups = groups
        self._by_range = by_range
        with self.file() as file:
            self.schema: pa.Schema = file.schema_arrow.remove_metadata()

    def batches(self) -> Iterator[pa.RecordBatch]:
        with self.file() as file:
            groups = range(file.num_row_groups) if self._groups is None else self._groups
            # What is fetched ahead is held until the next is asked for: a group at a time.
            together = [[each] for each in groups] if self._by_range else [groups]
            # Older releases of Arrow fail to look for rows where there is no group of them.
            for group in together if groups else ():
                yield from file.iter_batches(batch_size=self._batch_rows, row_groups=group)

    @contextlib.contextmanager
    def file(self) -> Iterator[Any]:
        """The file, open within the block; damaged pages that have a checksum are noticed."""
        from pyarrow import parquet

        with (
            self._source() as stream,
            parquet.ParquetFile(stream, pre_buffer=self._by_range, page_checksum_verification=True) as file,
        ):
            yield file


class _ArrowReader:
    """Reads both Arrow formats: files (Feather), and streams."""

    def __init__(self, source: Source, batch_rows: int):
        self._source = source
        self._batch_rows = batch_rows
        with self._file() as file:
            self.schema: pa.Schema = file.schema.remove_metadata()

    def batches(self) -> Iterator[pa.RecordBatch]:
        with self._file() as file:
            blocks = (
                (file.get_batch(index) for index in range(file.num_record_batches))
                if isinstance(file, pa.ipc.RecordBatchFileReader)
                else file
            )
            for block in blocks:
                for start in range(0, len(block), self._batch_rows):
                    yield block.slice(start, self._batch_rows)

    @contextlib.contextmanager
    def _file(self) -> Iterator[Any]:
        with self._source() as stream:
            try:
                file = pa.ipc.open_file(stream)
            except pa.ArrowInvalid:
                stream.seek(0)
                file = pa.ipc.open_stream(stream)
            with file:
                yield file
