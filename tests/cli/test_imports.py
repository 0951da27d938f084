"""What commands import: torch is heavy, and only learning and GPUs need it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from aedetect.cli.main import run
try:
    run()
finally:
    if "torch" in sys.modules:
        sys.exit("imported torch")
"""


@pytest.mark.parametrize(
    "words",
    [
        ["encode", "normal.csv", "-o", "o.csv"],
        ["decode", "codes.csv", "-o", "o.csv"],
        ["impute", "normal.csv", "-o", "o.csv"],
        ["impute", "normal.csv", "-o", "o.csv", "--draws", "2"],
        ["clean", "normal.csv", "-o", "o.csv", "--denoise"],
        ["clean", "normal.csv", "-o", "o.csv", "--only-anomalous-cells"],
        ["sample", "5", "-o", "o.csv"],
    ],
    ids=" ".join,
)
def test_no_torch_on_a_cpu(words: list[str], tiny_csv: Path, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "normal.csv").write_bytes(tiny_csv.read_bytes())
    (tmp_path / "codes.csv").write_text("z0,z1\n0,0\n1.5,-1\n")
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words, "-m", str(tiny_model)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert (tmp_path / "o.csv").exists()
