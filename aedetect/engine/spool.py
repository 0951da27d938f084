"""Batches set aside on disk until it is known that their input is good to its end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pyarrow as pa

from aedetect.io.atomic import writing


class Spool:
    """A file that is gone when it is closed. Raises OutputError where it cannot be written."""

    def __init__(self, schema: pa.Schema):
        self.schema = schema
        self._folder = tempfile.gettempdir()
        with writing(self._folder):
            self._file = tempfile.TemporaryFile(prefix="aedetect-")  # noqa: SIM115 - lives as long as self
            self._writer = pa.ipc.new_stream(self._file, schema)

    def write(self, batch: pa.RecordBatch) -> None:
        with writing(self._folder):
            self._writer.write_batch(batch)

    def read(self) -> Iterator[pa.RecordBatch]:
        with writing(self._folder):
            self._writer.close()
            self._file.seek(0)
        yield from pa.ipc.open_stream(self._file)

    def close(self) -> None:
        self._file.close()
