"""A folder of inputs for runs on a real Ray, and the processes of its workers."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest
from pyarrow import parquet
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect.engine import divided

# Batches so small that a run lasts long enough for something to happen.
SLOWLY = {"AEDETECT_SCORING_BATCH_ROWS": "64"}


def with_inputs(prompt: Prompt, model: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    """A folder with small dumps, one of them bad, and a file that is cut into eight spans."""
    Path(prompt.folder, "m.aed").write_bytes(model.read_bytes())
    folder = Path(prompt.folder, "in")
    folder.mkdir()
    for number in range(3):
        tiny_frame(300, seed=number).to_csv(folder / f"{number}.csv", index=False)
    (folder / "bad.csv").write_text("temp,load,site,open\n1,2\n")
    rows = pa.Table.from_pandas(tiny_frame(4000, seed=9), preserve_index=False)
    parquet.write_table(rows, folder / "big.parquet", row_group_size=500)
    monkeypatch.setattr(divided, "SPAN_ROWS", 500)
    monkeypatch.setattr(divided, "LEAST_BYTES", 30_000)
    return prompt.command(after=("-m", "m.aed"))


def outputs(folder: Path) -> dict[str, Any]:
    """What the files of a folder hold; of Parquet, which has row groups of any size, the rows."""
    return {
        path.name: parquet.read_table(path).to_pylist() if path.suffix == ".parquet" else path.read_bytes()
        for path in sorted(folder.iterdir())
    }


def workers_of(process: int) -> list[psutil.Process]:
    """The processes in which a Ray, started by `process`, has actors."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if child.cmdline()[:1] and child.cmdline()[0].startswith("ray::_Worker"):
                    found.append(child)
    return found
