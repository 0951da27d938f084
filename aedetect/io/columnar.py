"""Parquet and Arrow files, read a batch at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, TYPE_CHECKING, Any

from aedetect.io.source import Reader

if TYPE_CHECKING:
    import pyarrow as pa

Source = Callable[[], AbstractContextManager[IO[bytes]]]


def open_columnar(format: str, source: Source, batch_rows: int) -> Reader:
    """A reader over the Parquet or Arrow file that `source` opens as a seekable stream."""
    return _ParquetReader(source, batch_rows) if format == "parquet" else _ArrowReader(source, batch_rows)


class _ParquetReader:
    def __init__(self, source: Source, batch_rows: int):
        self._source = source
        self._batch_rows = batch_rows
        with self._file() as file:
            self.schema: pa.Schema = file.schema_arrow.remove_metadata()

    def batches(self) -> Iterator[pa.RecordBatch]:
        with self._file() as file:
            yield from file.iter_batches(batch_size=self._batch_rows)

    @contextlib.contextmanager
    def _file(self) -> Iterator[Any]:
        from pyarrow import parquet

        with self._source() as stream, parquet.ParquetFile(stream, pre_buffer=False) as file:
            yield file


class _ArrowReader:
    """Reads both Arrow formats: files (Feather), and streams."""

    def __init__(self, source: Source, batch_rows: int):
        self._source = source
        self._batch_rows = batch_rows
        with self._file() as file:
            self.schema: pa.Schema = file.schema.remove_metadata()

    def batches(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

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
        import pyarrow as pa

        with self._source() as stream:
            try:
                file = pa.ipc.open_file(stream)
            except pa.ArrowInvalid:
                stream.seek(0)
                file = pa.ipc.open_stream(stream)
            with file:
                yield file
