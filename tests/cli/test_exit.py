"""What exceptions that are nobody's mistake come to at the prompt."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
import torch
from support.tables import tiny_frame
from typer.testing import CliRunner

from aedetect.cli.main import app

SMALLER = "error: out of memory; lower data.memory_mb or scoring.batch_rows\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.aed").write_bytes(tiny_model.read_bytes())
    tiny_frame(50).to_csv("in.csv", index=False)
    tiny_frame(50).to_parquet("in.parquet", index=False)


def score(source: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["score", source, "-m", "m.aed", "-o", "out.csv"])
    assert not Path("out.csv").exists()
    return result.exit_code, result.stderr


def no_memory_in_torch() -> None:
    torch.zeros(10**15)


def no_memory_in_arrow() -> None:
    raise pa.ArrowMemoryError("malloc of size 2167488 failed")


def no_memory_in_python() -> None:
    raise MemoryError


def no_memory_on_a_gpu() -> None:
    raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (no_memory_in_torch, SMALLER),
        (no_memory_in_arrow, SMALLER),
        (no_memory_in_python, SMALLER),
        (
            no_memory_on_a_gpu,
            "error: out of memory of the GPU; lower training.batch_size, or use --device cpu\n",
        ),
    ],
)
def test_too_little_memory(failure: object, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aedetect.models.ensemble._block_errors", lambda *_: failure())  # type: ignore[operator]
    assert score("in.csv") == (3, expected)


def test_too_little_memory_to_read_is_no_fault_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyarrow.parquet.ParquetFile.iter_batches", lambda *_, **__: no_memory_in_arrow())
    assert score("in.parquet") == (3, SMALLER)
