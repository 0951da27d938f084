"""Parquet and Arrow files, read a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from aedetect.io.source import Reader

if TYPE_CHECKING:
    import pyarrow as pa


def open_columnar(format: str, source: str | IO[bytes], batch_rows: int) -> Reader:
    """A reader over the Parquet or Arrow file at `source` (a path or an open file)."""
    return _ParquetReader(source, batch_rows) if format == "parquet" else _ArrowReader(source, batch_rows)


class _ParquetReader:
    def __init__(self, source: str | IO[bytes], batch_rows: int):
        from pyarrow import parquet

        self._file = parquet.ParquetFile(source)
        self._batch_rows = batch_rows
        self.schema: pa.Schema = self._file.schema_arrow.remove_metadata()

    def batches(self) -> Iterator[pa.RecordBatch]:
        with self._file:
            yield from self._file.iter_batches(batch_size=self._batch_rows)


class _ArrowReader:
    def __init__(self, source: str | IO[bytes], batch_rows: int):
        import pyarrow as pa

        self._batch_rows = batch_rows
        opened = pa.memory_map(source) if isinstance(source, str) else source
        try:
            self._file = pa.ipc.open_file(opened)
        except pa.ArrowInvalid:
            opened.seek(0)
            self._file = pa.ipc.open_stream(opened)
        self.schema: pa.Schema = self._file.schema.remove_metadata()

    def batches(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        blocks = (
            (self._file.get_batch(index) for index in range(self._file.num_record_batches))
            if isinstance(self._file, pa.ipc.RecordBatchFileReader)
            else self._file
        )
        for block in blocks:
            for start in range(0, len(block), self._batch_rows):
                yield block.slice(start, self._batch_rows)
