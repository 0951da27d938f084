"""Files as inputs: opened, decompressed and read by format, with the same errors everywhere."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from aedetect.errors import DataError
from aedetect.io import csv, jsonl, sniff
from aedetect.io.locate import STDIN, Location, locate
from aedetect.io.options import ReadOptions
from aedetect.io.source import Reader

if TYPE_CHECKING:
    import pyarrow as pa

_BROKEN = (OSError, EOFError, UnicodeDecodeError)


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
    options: ReadOptions = ReadOptions()
    spool: Spool | None = None

    @property
    def name(self) -> str:
        return self.location.name

    @property
    def is_text(self) -> bool:
        return self._shape().format in ("csv", "jsonl")

    @property
    def format(self) -> str:
        """'csv', 'jsonl', 'parquet' or 'arrow', as found from the content."""
        return self._shape().format

    def open(self, batch_rows: int) -> Reader:
        shape = self._shape()
        with self._errors():
            if shape.format == "csv":
                reader: Reader = csv.CsvReader(
                    self.name,
                    self._text_stream(shape),
                    shape.delimiter,
                    self.options.encoding,
                    batch_rows,
                    self.locate,
                )
            elif shape.format == "jsonl":
                reader = jsonl.JsonLinesReader(
                    self.name, self._text_stream(shape), self.options.encoding, batch_rows
                )
            else:
                from aedetect.io import columnar

                local = self.spool is None and self.location.filesystem is None
                reader = columnar.open_columnar(
                    shape.format, self.location.path if local else self._raw(), batch_rows
                )
        return _FileReader(self, reader)

    def locate(self, row: int) -> str:
        shape = self._shape()
        if shape.format == "jsonl":
            return f"row {row} (line {row})"
        if shape.format != "csv":
            return f"row {row}"
        line = csv.line_of_row(self._text_stream(shape), shape.delimiter, self.options.encoding, row)
        return f"row {row} (line {line})" if line else f"row {row}"

    def _shape(self) -> sniff.Shape:
        with self._errors(), self._raw() as raw:
            head = raw.read(sniff.HEAD_BYTES)
        compression = sniff.compression_of(head)
        if compression:
            shape = sniff.Shape("", compression)
            with self._errors(), self._text_stream(shape) as stream:
                head = stream.read(sniff.HEAD_BYTES)
        return sniff.sniff(self.name, head, compression, self.options)

    def _raw(self) -> IO[bytes]:
        place = self.location
        if self.spool is not None:
            return self.spool.open()
        if place.filesystem is not None:
            return cast("IO[bytes]", place.filesystem.open_input_file(place.path))
        return open(place.path, "rb")

    def _text_stream(self, shape: sniff.Shape) -> IO[bytes]:
        raw = self._raw()
        if shape.compression == "gzip":
            return cast("IO[bytes]", gzip.GzipFile(fileobj=raw, mode="rb"))
        if shape.compression == "zstd":
            import pyarrow as pa

            return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd"))
        return raw

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

        with self._source._errors():
            for batch in self._reader.batches():
                if not self._partition:
                    yield batch
                    continue
                extra = [pa.repeat(pa.scalar(value, pa.string()), len(batch)) for _, value in self._partition]
                names = [*batch.schema.names, *(key for key, _ in self._partition)]
                yield pa.RecordBatch.from_arrays([*batch.columns, *extra], names=names)


class Spool:
    """Standard input kept in an unnamed temporary file, since training reads its input several times."""

    def __init__(self, stream: IO[bytes]):
        self._stream = stream
        self._file: IO[bytes] | None = None

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
