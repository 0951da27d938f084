"""Writing tables: CSV, JSON lines, Parquet, Arrow; a batch at a time, atomically."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import re
import sys
from collections.abc import Iterator
from typing import IO, Any, Protocol, cast

import pyarrow as pa
import pyarrow.compute as pc

from aedetect.io.atomic import atomic_output, writing
from aedetect.io.cell_text import as_text, json_values
from aedetect.io.jsonl import nested_mark
from aedetect.io.locate import STDIN
from aedetect.io.output_format import output_format
from aedetect.io.source import Dialect
from aedetect.io.stores import suffixed

USUAL = Dialect()


class Sink(Protocol):
    """Takes record batches of one schema."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        ...

    def close(self) -> None:
        """End the file; the stream below stays open."""
        ...

    def abandon(self) -> None:
        """Let go of a file that will not be kept."""
        ...


@contextlib.contextmanager
def open_sink(path: str, schema: pa.Schema, dialect: Dialect = USUAL, header: bool = True) -> Iterator[Sink]:
    """A sink whose batches become the file `path` ('-' for standard output) when the block ends.

    `dialect`: how CSV is written, below the names of the columns if `header`.

    Raises OutputError where it cannot be written.
    """
    if path == STDIN:
        stream = cast("IO[bytes]", sys.stdout.buffer)
        with writing("standard output"):
            sink = _sink("csv", stream, schema, dialect, header)
            yield sink
            sink.close()
            stream.flush()
        return
    with atomic_output(path) as raw, _compressed(suffixed(path), raw) as stream:
        sink = _sink(output_format(path), stream, schema, dialect, header)
        try:
            yield sink
        except BaseException:
            sink.abandon()
            raise
        sink.close()


@contextlib.contextmanager
def _compressed(path: str, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    if path.lower().endswith(".gz"):
        # No name and no time in the header: the same rows give the same bytes.
        with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed:
            yield cast("IO[bytes]", packed)
    elif path.lower().endswith(".zst"):
        with pa.CompressedOutputStream(pa.PythonFile(_LeftOpen(raw), mode="w"), "zstd") as packed:
            yield packed
    else:
        yield raw


class _LeftOpen(io.RawIOBase):
    """A stream whose closing leaves the one below open: Arrow closes what it writes to."""

    def __init__(self, below: IO[bytes]):
        self._below = below

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._below.write(data)


def _sink(format: str, stream: IO[bytes], schema: pa.Schema, dialect: Dialect, header: bool) -> Sink:
    match format:
        case "csv" | "tsv":
            delimiter = "\t" if format == "tsv" else dialect.delimiter
            return CsvSink(stream, schema, delimiter, dialect.decimal, header)
        case "jsonl":
            return JsonLinesSink(stream, schema)
        case "parquet":
            from pyarrow import parquet

            texts = [field.name for field in schema if not pa.types.is_floating(field.type)]
            return _ArrowSink(
                # Numbers hardly ever repeat: a dictionary of them costs time and saves no space.
                parquet.ParquetWriter(stream, schema, compression="zstd", use_dictionary=texts)
            )
        case _:
            return _ArrowSink(pa.ipc.new_file(stream, schema))


class _ArrowSink:
    def __init__(self, writer: Any):
        self._writer = writer

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()

    def abandon(self) -> None:
        # Left open, Arrow would try to end the file once it is gone, and print a traceback.
        with contextlib.suppress(OSError, ValueError):
            self._writer.close()
        self._writer.is_open = False


class CsvSink:
    """CSV with quotes only where needed; text goes out as it came in."""

    def __init__(
        self,
        stream: IO[bytes],
        schema: pa.Schema,
        delimiter: str,
        decimal: str = ".",
        header: bool = True,
    ):
        self._stream = stream
        self._delimiter = delimiter
        self._decimal = decimal
        self._special = f'{re.escape(delimiter)}|["\\r\\n]'
        if header:
            names = self._quoted(pa.array(schema.names, pa.string())).to_pylist()
            self._stream.write((delimiter.join(names) + "\n").encode())

    def write(self, batch: pa.RecordBatch) -> None:
        if not len(batch):
            return
        texts = [self._quoted(self._text(column)) for column in batch.columns]
        if len(texts) == 1:
            # An empty line would be read as no row at all.
            texts = [pc.if_else(pc.equal(texts[0], ""), '""', texts[0])]
        lines = pc.binary_join_element_wise(*texts, self._delimiter)
        ended = pc.binary_join_element_wise(lines, "", "\n")
        self._stream.write(_bytes(ended))

    def close(self) -> None:
        return

    def abandon(self) -> None:
        return

    def _text(self, column: pa.Array) -> pa.Array:
        texts = as_text(column)
        marked = self._decimal != "." and pa.types.is_floating(column.type)
        return pc.replace_substring(texts, ".", self._decimal) if marked else texts

    def _quoted(self, texts: pa.Array) -> pa.Array:
        special = pc.match_substring_regex(texts, self._special)
        if not pc.any(special).as_py():
            return texts
        doubled = pc.replace_substring(texts, '"', '""')
        return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), texts)


class JsonLinesSink:
    """One JSON object a line; what JSON cannot express (NaN, infinity) becomes null.

    Columns that `schema` marks as nested, lists that came from JSON, go out as they came in.
    """

    def __init__(self, stream: IO[bytes], schema: pa.Schema):
        self._stream = stream
        self._nested = [nested_mark(field) is not None for field in schema]

    def write(self, batch: pa.RecordBatch) -> None:
        columns = [
            json_values(column) if not nested else [cell and json.loads(cell) for cell in column.to_pylist()]
            for column, nested in zip(batch.columns, self._nested, strict=True)
        ]
        rows = (dict(zip(batch.schema.names, row, strict=True)) for row in zip(*columns, strict=True))
        lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows]
        self._stream.write("".join(lines).encode())

    def close(self) -> None:
        return

    def abandon(self) -> None:
        return


def _bytes(strings: pa.Array) -> memoryview:
    """The bytes of all strings of an array without nulls, end to end."""
    import numpy as np

    _, offsets, data = strings.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[strings.offset : strings.offset + len(strings) + 1]
    return memoryview(data)[int(bounds[0]) : int(bounds[-1])]
