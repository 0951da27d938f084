"""Small everyday situations that went wrong: one row each, as in `faults.table`."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
from faults.kit import TRAIN, Fault, Files, normal, roles
from pyarrow import parquet
from support.prompt import Prompt


def many_ids(column: pa.Array) -> Files:
    """in.parquet: the rows of normal.csv, over and over, with an id beside them."""

    def make(_: Prompt) -> None:
        frame = pd.concat([normal().astype({"temp": float, "load": float})] * 5)[: len(column)]
        table = pa.Table.from_pandas(frame, preserve_index=False)
        parquet.write_table(table.append_column("u", column), "in.parquet")

    return make


IDS = {
    "uuids": pa.array([uuid.UUID(int=(row + 1) << 64).bytes for row in range(1000)], pa.uuid()),
    "lists": pa.array([[row] for row in range(1000)]),
    "structs": pa.array([{"a": row} for row in range(1000)]),
}
EVERYDAY: Sequence[Fault] = [
    *(
        Fault(0, f"a thousand ids that are {kind}", many_ids(column), (TRAIN,),
              "in.parquet --id u --json", 0, holds=roles(u="id"))
        for kind, column in IDS.items()
    ),
]  # fmt: skip
