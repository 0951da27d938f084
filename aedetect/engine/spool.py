"""Batches set aside until their input is known to be good, and the columns that several inputs share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aedetect.io.atomic import writing

if TYPE_CHECKING:
    import pyarrow as pa

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def union_fields(each: Sequence[Sequence[pa.Field]]) -> list[pa.Field]:
    """Columns of several inputs in order of appearance; text where types differ, numbers aside."""
    import pyarrow as pa

    merged: dict[str, Any] = {}
    for fields in each:
        for item in fields:
            known = merged.setdefault(item.name, item.type)
            if known != item.type:
                numbers = all(pa.types.is_integer(t) or pa.types.is_floating(t) for t in (known, item.type))
                merged[item.name] = pa.float64() if numbers else pa.string()
    return [pa.field(name, type_) for name, type_ in merged.items()]


class Spool:
    """Batches set aside on disk until it is known that their input is good to its end."""

    def __init__(self, schema: pa.Schema):
        import pyarrow as pa

        self._folder = tempfile.gettempdir()
        with writing(self._folder):
            self._file = tempfile.TemporaryFile(prefix="aedetect-")  # noqa: SIM115 - lives as long as self
            self._writer = pa.ipc.new_stream(self._file, schema)

    def write(self, batch: pa.RecordBatch) -> None:
        with writing(self._folder):
            self._writer.write_batch(batch)

    def read(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        with writing(self._folder):
            self._writer.close()
            self._file.seek(0)
        yield from pa.ipc.open_stream(self._file)

    def close(self) -> None:
        self._file.close()


SOURCE_COLUMN = "source_file"
