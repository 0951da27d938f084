"""A file that is cut into spans, and what a command makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect.engine import divided
from aedetect.io.files import open_inputs
from aedetect.io.source import ReadOptions


def with_big_file(prompt: Prompt, model: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    """A folder with big.parquet, of six row groups with faults in several, which is cut into three spans."""
    Path(prompt.folder, "m.aed").write_bytes(model.read_bytes())
    frame = tiny_frame(600, seed=3)
    frame["temp"] = frame["temp"].astype(str)
    for row in (150, 151, 430):
        frame.loc[row, "temp"] = "broken"
    frame.loc[[20, 220, 500], "site"] = ["NORTH", "nowhere", "nowhere"]
    frame["odd"] = np.arange(600) % 50 == 3
    parquet.write_table(
        pa.Table.from_pandas(frame, preserve_index=False),
        Path(prompt.folder, "big.parquet"),
        row_group_size=100,
    )
    monkeypatch.setattr(divided, "SPAN_ROWS", 200)
    monkeypatch.setattr(divided, "LEAST_BYTES", 1)
    return prompt.command(after=("-m", "m.aed"))


def rows_of(path: Path) -> pa.Table:
    """All rows of a file."""
    source = open_inputs([str(path)], ReadOptions())[0]
    return pa.Table.from_batches(list(source.open(1 << 20).batches())).combine_chunks()
