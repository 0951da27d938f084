"""About how many rows an input has."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from aedetect.io.files import open_inputs
from aedetect.io.row_estimate import rows_about
from aedetect.io.source import ReadOptions, TableInput

FRAME = pd.DataFrame({"a": range(100_000), "b": "some text"})


@pytest.mark.parametrize("rows", [10, 100_000])
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_files_are_told_to_a_tenth(tmp_path: Path, name: str, rows: int) -> None:
    path, frame = tmp_path / name, FRAME.head(rows)
    if name.endswith("csv"):
        frame.to_csv(path, index=False)
    elif name.endswith("jsonl"):
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    (source,) = open_inputs([str(path)], ReadOptions())
    assert rows_about(source) == pytest.approx(rows, rel=0.11)


def test_tables_are_told_exactly() -> None:
    assert rows_about(TableInput(pa.Table.from_pandas(FRAME))) == 100_000


@pytest.mark.parametrize(
    "content",
    [gzip.compress(FRAME.to_csv(index=False).encode()), b"", b"PAR1 and no more", b"\xff\xfea\x00\n\x00"],
)
def test_what_cannot_be_told_is_not(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    (source,) = open_inputs([str(path)], ReadOptions())
    assert rows_about(source) is None
