"""The list of cells that a repair changed: row, column, what was there, what is now, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.engine.spool import SOURCE_COLUMN

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = ("row", "column", "was", "is", "why")


def changes_schema(several: bool) -> pa.Schema:
    """Columns of the list; with several inputs, one names each row's."""
    import pyarrow as pa

    types = (pa.int64(), pa.string(), pa.string(), pa.string(), pa.string())
    fields = [pa.field(name, type_) for name, type_ in zip(NAMES, types, strict=True)]
    return pa.schema([*fields, *([pa.field(SOURCE_COLUMN, pa.string())] if several else [])])


@dataclass
class Changes:
    """Changed cells of one batch, whose first row is row `first` of its input.

    They are counted, and listed only where that is asked for: it takes longer than changing them.
    """

    first: int
    listed: bool
    count: int = 0
    rows: list[np.ndarray[Any, Any]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    was: list[str] = field(default_factory=list)
    now: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.columns)

    def add(
        self, column: str, mask: np.ndarray[Any, Any], was: pa.Array, now: pa.Array, why: np.ndarray[Any, Any]
    ) -> None:
        """Cells of `column` where `mask` [rows] is set and they differ; `why` [rows] gives reasons."""
        import pyarrow as pa
        import pyarrow.compute as pc

        from aedetect.io.write import as_text

        places = np.flatnonzero(mask)
        before, after = was.take(pa.array(places)), now.take(pa.array(places))
        if before.type != after.type or self.listed:
            before, after = as_text(before), as_text(after)
        # What was found fit to be replaced may be what is expected there.
        differs = pc.fill_null(pc.not_equal(before, after), True)
        self.count += pc.sum(differs).as_py() or 0
        if not self.listed or not len(places):
            return
        changed = places[np.asarray(differs.to_numpy(zero_copy_only=False), dtype=np.bool_)]
        self.rows.append(changed + self.first)
        self.columns += [column] * len(changed)
        self.was += before.filter(differs).to_pylist()
        self.now += after.filter(differs).to_pylist()
        self.why += why[changed].tolist()

    def batch(self, schema: pa.Schema, source: str) -> pa.RecordBatch:
        """The list in row order, under a schema of `changes_schema`."""
        import pyarrow as pa

        rows = np.concatenate(self.rows)
        order = pa.array(np.argsort(rows, kind="stable"))
        arrays = [pa.array(rows, pa.int64())]
        arrays += [pa.array(texts, pa.string()) for texts in (self.columns, self.was, self.now, self.why)]
        arrays = [array.take(order) for array in arrays]
        if SOURCE_COLUMN in schema.names:
            arrays.append(pa.repeat(pa.scalar(source, pa.string()), len(rows)))
        return pa.RecordBatch.from_arrays(arrays, schema=schema)
