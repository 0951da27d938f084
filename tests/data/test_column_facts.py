"""What columns hold, for people to recognise them."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from aedetect.data.cells import CellRules
from aedetect.data.column_facts import ColumnFacts, column_facts
from aedetect.data.profile import profile_columns


def facts(table: pa.Table, is_text: bool = False) -> dict[str, ColumnFacts]:
    profiles = profile_columns(table.schema, is_text, set(), set(), CellRules())
    for batch in table.to_batches(max_chunksize=2):
        for name, profile in profiles.items():
            profile.update(batch.column(name), lambda index: f"row {index}")
    return column_facts(profiles)


def test_the_example_is_the_first_filled_cell_as_it_stands() -> None:
    table = pa.table({"a": ["", "NA", "007", "8"], "b": ["x", "y", "", "z"], "c": ["", "", "", "NULL"]})
    assert facts(table, is_text=True) == {
        "a": ColumnFacts("007", 0.5),
        "b": ColumnFacts("x", 0.25),
        "c": ColumnFacts("", 1.0),
    }


def test_typed_cells_are_shown_as_people_write_them() -> None:
    table = pa.table(
        {
            "t": pa.array([None, pd.Timestamp("2026-01-05 12:00")], pa.timestamp("s")),
            "f": [1.5, None],
            "b": [True, False],
            "l": pa.array([[1], [2]]),
        }
    )
    assert {name: one.example for name, one in facts(table).items()} == {
        "t": "2026-01-05 12:00:00", "f": "1.5", "b": "True", "l": ""
    }  # fmt: skip
