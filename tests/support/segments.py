"""Tables of codes for tests of segments, made of frames, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from aedetect.data.cells import CellRules
from aedetect.tasks.explain.segments.coded_table import CodedTable, coded_columns


def coded_table(
    frame: pd.DataFrame, flagged: Any, learned: Sequence[str] = (), blamed: Any = -1, units: Any = 1.0
) -> CodedTable:
    """The rows of a frame as codes; of the flagged ones the `learned` column number `blamed` is to blame."""
    flagged = np.asarray(flagged, dtype=bool)
    candidates: Any = SimpleNamespace(
        rules=CellRules(),
        is_instant=lambda name: frame[name].dtype.kind == "M",
        clock=lambda name: None,
        learned=lambda name: learned.index(name) if name in learned else -1,
    )
    table = pa.table({name: _cells(frame[name]) for name in frame})
    columns, left_out = coded_columns(table, np.ones(len(frame)), candidates)
    to_blame = np.full((len(frame), 2), -1)
    to_blame[flagged, 0] = np.broadcast_to(blamed, len(frame))[flagged]
    of_rows = np.where(flagged, units, 0.0)
    return CodedTable(columns, flagged, np.ones(len(frame)), of_rows, to_blame, left_out)


def _cells(column: pd.Series) -> pa.Array:
    if column.dtype.kind == "M":
        return pa.array(column.astype("datetime64[us]").astype("int64").to_numpy() / 1e6)
    if column.dtype.kind == "f":
        return pa.array(column.to_numpy(float), from_pandas=True)
    return pa.array(column.astype(str))
