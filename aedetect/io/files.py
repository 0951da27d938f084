"""Files as inputs: opened, decompressed and read by format, with the same errors everywhere.

The formats' own modules load pyarrow and are loaded when a file is read: a name that leads nowhere
is told before.
"""

from __future__ import annotations

import codecs
import contextlib
import mmap
import os
import re
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Self

from aedetect.errors import DataError
from aedetect.io import sniff
from aedetect.io.locate import STDIN, Location, format_of_name, locate
from aedetect.io.source import Dialect, Input, Reader, ReadOptions
from aedetect.io.stores import BLOCK_BYTES, FETCHED_AHEAD

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.config import DataConfig

# At a time, for what is to be known of a whole file before its rows are handed out.
_ROWS_LOOKED_AT = 32768
_PICKLED = ("location", "options", "spool", "_shape", "_json_types", "_unmarked_texts")
_ARROW_DETAIL = re.compile(r"^Failed to open .*Detail: \[errno \d+\] ")


def open_inputs(
    words: Sequence[str], options: ReadOptions, stdin: IO[bytes] | None = None
) -> list[FileInput]:
    """The files that the INPUT words of a command mean. Raises DataError where there is none."""
    return [
        FileInput(place, options, _spooled(stdin or sys.stdin.buffer) if place.path == STDIN else None)
        for place in locate(words)
    ]


@dataclass(frozen=True)
class FileInput:
    """A file on disk, in an object store, or standard input (spooled, so that it can be reread)."""

    location: Location
    options: ReadOptions = field(default_factory=ReadOptions)
    spool: Spool | None = None

    def __getstate__(self) -> dict[str, Any]:
        # What was set aside to read it stays here; how it is to be read goes along.
        return {name: self.__dict__[name] for name in _PICKLED if name in self.__dict__}

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

    @property
    def is_compressed(self) -> bool:
        """Whether the file as a whole is compressed, whatever is compressed inside."""
        return self._shape.compression is not None

    @property
    def dialect(self) -> Dialect:
        """How a CSV output of this input is written, so that what reads the one reads the other."""
        is_csv = self._shape.format == "csv" and (self.options.format or format_of_name(self.name)) != "tsv"
        return Dialect(self._shape.form.delimiter if is_csv else ",", self.options.decimal)

    def with_columns(self, names: Collection[str]) -> FileInput:
        """This file with those of the columns `names` that only the folders above it tell of."""
        place = self.location
        known = {key for key, _ in place.partition}
        taken = tuple(pair for pair in place.above if pair[0] in names and pair[0] not in known)
        return replace(self, location=replace(place, partition=(*place.partition, *taken))) if taken else self

    def open(self, batch_rows: int) -> Reader:
        return _FileReader(self, self._reader(batch_rows))

    def open_groups(self, batch_rows: int, groups: range, before: int) -> Reader:
        """As `open`, over row groups of a Parquet file that follow its first `before` rows."""
        return _FileReader(self, self._reader(batch_rows, groups, before))

    def group_rows(self) -> list[int]:
        """Rows in each row group of a Parquet file. Raises DataError where it cannot be read."""
        from aedetect.io import columnar

        with self._errors():
            return columnar.group_rows(self._seekable)

    def known_rows(self) -> int | None:
        """Of a Parquet file in a store, of which the first rows would take the request of a whole group."""
        if self.location.object is None or self._shape.format != "parquet":
            return None
        from pyarrow import parquet

        with self._errors(), self._seekable() as stream:
            return int(parquet.read_metadata(stream).num_rows)

    def _reader(self, batch_rows: int, groups: range | None = None, before: int = 0) -> Reader:
        from aedetect.io import columnar, csv, jsonl

        shape = self._shape
        with self._errors():
            if shape.format == "csv":
                content = self._content.open if shape.form.comment else None
                return csv.CsvReader(self.name, self._text, shape.form, batch_rows, self.locate, content)
            if shape.format == "jsonl":
                return jsonl.JsonLinesReader(
                    self._read_on, self._json_types, batch_rows, self.name, shape.document
                )
            texts = self._unmarked_texts if shape.format == "parquet" else ()
            by_range = self.location.object is not None and shape.compression is None
            return columnar.open_columnar(
                shape.format, self._seekable, batch_rows, texts, groups, by_range, before
            )

    def locate(self, row: int) -> str:
        if self._shape.format not in ("csv", "jsonl"):
            return f"row {row}"
        from aedetect.io import csv, jsonl

        with self._read_on() as stream:
            if self._shape.format == "jsonl":
                line = jsonl.line_of_row(stream, row, self._shape.document)
            else:
                line = csv.line_of_row(stream, self._shape.form, row)
        return f"row {row} (line {line})" if line else f"row {row}"

    @cached_property
    def _shape(self) -> sniff.Shape:
        with self._errors(), self._raw() as raw:
            head = raw.read(sniff.HEAD_BYTES)
            compression = sniff.compression_of(head)
            if compression is None:
                head, whole = _head(raw, self.options.skip_rows, head)
        if compression is not None:
            with self._errors(), self._bytes(compression) as stream:
                head, whole = _head(stream, self.options.skip_rows, stream.read(sniff.HEAD_BYTES))
        return sniff.sniff(self.name, head, compression, self.options, whole)

    @cached_property
    def _json_types(self) -> pa.Schema:
        from aedetect.io import jsonl

        with self._read_on() as stream:
            return jsonl.settle_types(stream, self.name, self._shape.document)

    @cached_property
    def _unmarked_texts(self) -> frozenset[str]:
        from aedetect.io import columnar

        return columnar.unmarked_texts(self._seekable, _ROWS_LOOKED_AT)

    def _raw(self) -> pa.NativeFile:
        import pyarrow as pa

        place = self.location
        if self.spool is not None:
            return self.spool.open()
        if place.object is not None:
            return place.object.open()
        assert place.filesystem is None
        return pa.OSFile(os.fsencode(place.path))

    @contextlib.contextmanager
    def _bytes(self, compression: str | None) -> Iterator[IO[bytes]]:
        """The decompressed content from its start; closed with the block."""
        import pyarrow as pa

        with self._raw() as raw:
            if compression is None:
                yield raw
                return
            # What is decompressed is asked for in small pieces, each of which would be a request to a store.
            source = raw if self.location.object is None else pa.BufferedInputStream(raw, BLOCK_BYTES)
            with pa.CompressedInputStream(source, compression) as stream:
                yield stream

    @contextlib.contextmanager
    def _text(self) -> Iterator[IO[bytes]]:
        """The decompressed content in UTF-8."""
        if self._recoded is not None:
            with self._recoded.open() as stream:
                yield stream
            return
        with self._bytes(self._shape.compression) as stream:
            yield stream

    @contextlib.contextmanager
    def _read_on(self) -> Iterator[IO[bytes]]:
        """As `_text`, for who reads small pieces one after the other: of a store each would be a request."""
        import pyarrow as pa

        with self._text() as stream:
            yield stream if self.location.object is None else pa.BufferedInputStream(stream, BLOCK_BYTES)

    @cached_property
    def _recoded(self) -> Spool | None:
        if sniff.is_utf8(self.options.encoding):
            return None
        with self._bytes(self._shape.compression) as stream:
            text = codecs.getreader(self.options.encoding)(stream)
            return Spool(codecs.iterencode(iter(lambda: text.read(1 << 20), ""), "utf-8")).filled()

    @cached_property
    def _content(self) -> Spool:
        """What Arrow is to read of a text with comments, which it knows nothing of."""
        from aedetect.io import csv

        with self._text() as stream:
            return Spool(csv.without_comments(stream, self._shape.form)).filled()

    @contextlib.contextmanager
    def _seekable(self) -> Iterator[IO[bytes]]:
        """The decompressed content, for formats that are read from their end."""
        if self._shape.compression is None:
            with self._raw() as raw:
                yield raw
            return
        with self._bytes(self._shape.compression) as packed:
            spool = _spooled(packed).filled()
        with spool.open() as stream:
            yield stream

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
        except UnicodeError as error:
            raise DataError(
                f"{self.name}: not {self.options.encoding} text ({error}); "
                "name its encoding with --encoding, e.g. --encoding utf-16-le"
            ) from None
        except MemoryError:
            # Arrow's is an ArrowException too, but no fault of the file.
            raise
        except (OSError, pa.ArrowException) as error:
            reason = (
                getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
            )
            # Arrow names the file again, and the number of the error, before it says what is wrong.
            reason = _ARROW_DETAIL.sub("", reason)
            raise DataError(f"{self.name}: cannot be read: {reason}") from None


def fetched_ahead(sources: Sequence[Input]) -> Iterator[Input]:
    """The inputs one after the other; of those in a store the next few are being fetched meanwhile."""
    for place, source in enumerate(sources):
        for following in sources[place : place + FETCHED_AHEAD]:
            if isinstance(following, FileInput) and following.location.object is not None:
                following.location.object.fetch_ahead()
        yield source


def read_options(config: DataConfig) -> ReadOptions:
    """How files are read under the settings of a configuration."""
    return ReadOptions(
        config.format,
        config.delimiter,
        config.encoding,
        skip_rows=config.skip_rows,
        comment=config.comment,
        header=config.header,
        units_row=config.units_row,
        decimal=config.decimal,
    )


# What is said of the files at training holds for those at scoring, unless said otherwise.
_REMEMBERED = ("encoding", "decimal", "skip_rows", "comment", "header", "units_row")


def as_trained(sources: Sequence[FileInput], trained: DataConfig, asked: DataConfig) -> list[FileInput]:
    """The files, to be read as those of the training were, but for the settings in `asked` that are set."""
    options = options_as_trained(trained, asked)
    return [replace(source, options=options) for source in sources]


def options_as_trained(trained: DataConfig, asked: DataConfig) -> ReadOptions:
    """How `as_trained` has files read."""
    update = {name: getattr(trained, name) for name in _REMEMBERED if name not in asked.model_fields_set}
    return replace(read_options(asked.model_copy(update=update)), usual_delimiter=trained.delimiter)


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
                f"{source.name}: the column name {twice[0]!r} appears twice in the header; rename one"
            )
        # A text file without a byte is one of no rows, as exporters write them.
        if not names and not source.is_text:
            raise DataError(f"{source.name}: holds no columns")
        self._partition = [pair for pair in source.location.partition if pair[0] not in names and names]
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


def _head(stream: IO[bytes], skip: int, head: bytes) -> tuple[bytes, bool]:
    """The first bytes of a file, from below the lines to `skip` on so many; and whether they are all.

    `head`: those that were read of `stream` so far.
    """
    part = head
    while part and head[: -sniff.HEAD_BYTES].count(b"\n") < skip:
        part = stream.read(sniff.HEAD_BYTES)
        head += part
    return head, not part or not stream.read(1)


def _spooled(stream: IO[bytes]) -> Spool:
    return Spool(iter(lambda: stream.read(1 << 20), b""))


class Spool:
    """What `parts` yield, kept in an unnamed temporary file so that it can be read several times.

    `parts` are fetched when first needed: who waits for standard input is told other faults first.
    """

    def __init__(self, parts: Iterable[bytes]):
        self._parts = parts
        self._content: pa.Buffer | None = None

    def open(self) -> pa.NativeFile:
        """A fresh reader from the start."""
        import pyarrow as pa

        return pa.BufferReader(self.filled()._content)

    def filled(self) -> Self:
        """This spool, with all parts fetched."""
        import pyarrow as pa

        if self._content is None:
            with tempfile.TemporaryFile(prefix="aedetect-") as file:
                file.writelines(self._parts)
                file.flush()
                size = file.tell()
                view: Any = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b""
            self._content = pa.py_buffer(view)
        return self
