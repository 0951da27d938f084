"""Files as inputs: opened, decompressed and read by format, with the same errors everywhere."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, cast

from aedetect.errors import DataError
from aedetect.io import csv, jsonl, sniff
from aedetect.io.locate import STDIN, Location, locate
from aedetect.io.options import ReadOptions
from aedetect.io.source import Reader

if TYPE_CHECKING:
    import pyarrow as pa

_BROKEN = (OSError, EOFError, zlib.error)


def open_inputs(
    words: Sequence[str], options: ReadOptions, stdin: IO[bytes] | None = None
) -> list[FileInput]:
    """The files that the INPUT words of a command mean. Raises DataError where there is none."""
    return [
        FileInput(place, options, Spool(stdin or sys.stdin.buffer) if place.path == STDIN else None)
        for place in locate(words)
    ]


@dataclass(frozen=True)
class FileInput:
    """A file on disk, in an object store, or standard input (spooled, so that it can be reread)."""

    location: Location
    options: ReadOptions = field(default_factory=ReadOptions)
    spool: Spool | None = None

    @property
    def name(self) -> str:
        return self.location.name

    @property
    def is_text(self) -> bool:
        return self._shape.format in ("csv", "jsonl")

    @property
    def format(self) -> str:
        """'csv', 'jsonl', 'parquet' or 'arrow', as found from the content."""
        return self._shape.format

    def open(self, batch_rows: int) -> Reader:
        return _FileReader(self, self._reader(batch_rows))

    def _reader(self, batch_rows: int) -> Reader:
        shape, encoding = self._shape, self.options.encoding
        with self._errors():
            if shape.format == "csv":
                return csv.CsvReader(
                    self.name, self._stream, shape.delimiter, encoding, batch_rows, self.locate
                )
            if shape.format == "jsonl":
                return jsonl.JsonLinesReader(self._stream, self._json_types, batch_rows, self.name, encoding)
            from aedetect.io import columnar

            if self.spool is None and self.location.filesystem is None and not shape.compression:
                return columnar.open_columnar(shape.format, self.location.path, batch_rows)
            return columnar.open_columnar(shape.format, self._seekable, batch_rows)

    def locate(self, row: int) -> str:
        if self._shape.format not in ("csv", "jsonl"):
            return f"row {row}"
        with self._stream() as stream:
            if self._shape.format == "jsonl":
                line = jsonl.line_of_row(stream, self.options.encoding, row)
            else:
                line = csv.line_of_row(stream, self._shape.delimiter, self.options.encoding, row)
        return f"row {row} (line {line})" if line else f"row {row}"

    @cached_property
    def _shape(self) -> sniff.Shape:
        with self._errors(), self._raw() as raw:
            head = raw.read(sniff.HEAD_BYTES)
        compression = sniff.compression_of(head)
        if compression:
            with self._errors(), self._raw() as raw, _decompressed(raw, compression) as stream:
                head = stream.read(sniff.HEAD_BYTES)
        return sniff.sniff(self.name, head, compression, self.options)

    @cached_property
    def _json_types(self) -> pa.Schema:
        with self._stream() as stream:
            return jsonl.settle_types(stream, self.name, self.options.encoding)

    def _raw(self) -> IO[bytes]:
        place = self.location
        if self.spool is not None:
            return self.spool.open()
        if place.filesystem is not None:
            return cast("IO[bytes]", place.filesystem.open_input_file(place.path))
        return open(place.path, "rb")

    @contextlib.contextmanager
    def _stream(self) -> Iterator[IO[bytes]]:
        """The decompressed content from its start; closed with the block."""
        with self._raw() as raw, _decompressed(raw, self._shape.compression) as stream:
            yield stream

    @contextlib.contextmanager
    def _seekable(self) -> Iterator[IO[bytes]]:
        """The decompressed content, for formats that are read from their end."""
        if self._shape.compression is None:
            with self._raw() as raw:
                yield raw
            return
        with tempfile.TemporaryFile(prefix="aedetect-") as spool:
            with self._stream() as stream:
                shutil.copyfileobj(stream, spool)
            spool.seek(0)
            yield spool

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        import pyarrow as pa

        try:
            yield
        except DataError:
            raise
        except IsADirectoryError:
            raise DataError(f"{self.name}: is a directory") from None
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.name}: not {error.encoding} text (byte {error.object[error.start]:#04x}); "
                "name its encoding with --encoding, e.g. --encoding latin-1"
            ) from None
        except (*_BROKEN, pa.ArrowException) as error:
            reason = (
                getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
            )
            raise DataError(f"{self.name}: cannot be read: {reason}") from None


@contextlib.contextmanager
def _decompressed(raw: IO[bytes], compression: str | None) -> Iterator[IO[bytes]]:
    if compression == "gzip":
        with gzip.GzipFile(fileobj=raw, mode="rb") as stream:
            yield cast("IO[bytes]", stream)
    elif compression == "zstd":
        import pyarrow as pa

        with pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd") as stream:
            yield cast("IO[bytes]", stream)
    else:
        yield raw


class _FileReader:
    """Adds the hive partition's columns to a file's own, and turns faults into DataError."""

    def __init__(self, source: FileInput, reader: Reader):
        import pyarrow as pa

        self._source = source
        self._reader = reader
        names = reader.schema.names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(
                f"{source.name}: the column name {twice[0]!r} stands twice in the header; rename one"
            )
        if not names:
            raise DataError(f"{source.name}: holds no columns")
        self._partition = [pair for pair in source.location.partition if pair[0] not in names]
        self.schema: pa.Schema = pa.schema(
            [*reader.schema, *(pa.field(key, pa.string()) for key, _ in self._partition)]
        )

    def batches(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        rows = 0
        with self._source._errors():
            for batch in self._reader.batches():
                rows += len(batch)
                if not self._partition:
                    yield batch
                    continue
                extra = [pa.repeat(pa.scalar(value, pa.string()), len(batch)) for _, value in self._partition]
                names = [*batch.schema.names, *(key for key, _ in self._partition)]
                yield pa.RecordBatch.from_arrays([*batch.columns, *extra], names=names)
        if not rows:
            raise DataError(f"{self._source.name}: holds no rows")


class Spool:
    """Standard input kept in an unnamed temporary file, since training reads its input several times."""

    def __init__(self, stream: IO[bytes]):
        self._stream = stream
        self._file: IO[bytes] | None = None

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def open(self) -> IO[bytes]:
        """A fresh reader from the start of what stood on standard input."""
        if self._file is None:
            spool = tempfile.TemporaryFile(prefix="aedetect-stdin-")  # noqa: SIM115 - lives as long as self
            shutil.copyfileobj(self._stream, spool)
            spool.flush()
            self._file = spool
        return io.BufferedReader(_SpoolView(self._file.fileno()))


class _SpoolView(io.RawIOBase):
    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        self._offset = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._offset, os.SEEK_END: os.fstat(self._descriptor).st_size}
        self._offset = base[whence] + offset
        return self._offset

    def tell(self) -> int:
        return self._offset

    def readinto(self, buffer: Any) -> int:
        data = os.pread(self._descriptor, len(buffer), self._offset)
        buffer[: len(data)] = data
        self._offset += len(data)
        return len(data)
