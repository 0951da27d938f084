"""An input with columns that it lacks and others of its kind have: every cell of them is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aedetect.io.source import Input, InputAround, Reader

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class CompletedInput(InputAround):
    """An input that is read with the columns `absent` behind its own."""

    source: Input
    absent: Sequence[pa.Field]

    def open(self, batch_rows: int) -> Reader:
        return _CompletedReader(self.source.open(batch_rows), self.absent)


class _CompletedReader:
    def __init__(self, reader: Reader, absent: Sequence[pa.Field]):
        import pyarrow as pa

        self._reader = reader
        self._absent = absent
        self.schema: pa.Schema = pa.schema([*reader.schema, *absent])

    def batches(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for batch in self._reader.batches():
            nothing = [pa.nulls(len(batch), field.type) for field in self._absent]
            yield pa.RecordBatch.from_arrays([*batch.columns, *nothing], schema=self.schema)
