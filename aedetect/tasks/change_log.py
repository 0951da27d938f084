"""The list of cells that a repair changed: row, column, what was there, what is now, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.io.cell_text import as_text

CHANGE_FIELDS = [
    pa.field("row", pa.int64()),
    *(pa.field(n, pa.string()) for n in ("column", "was", "is", "why")),
]


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

    def batch(self) -> pa.RecordBatch | None:
        """The list in row order; None where it is empty or was not asked for."""
        if not len(self):
            return None
        rows = np.concatenate(self.rows)
        order = pa.array(np.argsort(rows, kind="stable"))
        arrays = [pa.array(rows, pa.int64())]
        arrays += [pa.array(texts, pa.string()) for texts in (self.columns, self.was, self.now, self.why)]
        return pa.RecordBatch.from_arrays(
            [array.take(order) for array in arrays], schema=pa.schema(CHANGE_FIELDS)
        )
