"""The demo runs through, and finds what it is there to find."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent.parent / "sample_data"


def test_samples_have_the_same_columns_and_known_labels() -> None:
    tables = {}
    for name in ("normal", "new"):
        with open(SAMPLES / f"connections_{name}.csv", encoding="utf-8", newline="") as file:
            tables[name] = list(csv.DictReader(file))
    assert tables["normal"][0].keys() == tables["new"][0].keys()
    assert {row["label"] for row in tables["normal"]} == {"0"}
    assert sum(row["label"] == "1" for row in tables["new"]) == 130


@pytest.mark.slow
def test_demo_finds_the_attacks_and_fits_the_screen() -> None:
    run = subprocess.run([sys.executable, SAMPLES / "demo.py"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    # What the commands print, up to the next blank line, fits the screen by itself.
    own = re.sub(r"^\$ aedetect (?:train|score) .*?^$", "", run.stdout, flags=re.MULTILINE | re.DOTALL)
    assert "The 10 strangest" in own
    assert max(map(len, own.splitlines())) <= 80
    precision, recall = (
        float(re.search(rf"{name} +([\d.]+)%", run.stdout)[1]) for name in ("precision", "recall")
    )
    assert precision > 70
    assert recall > 70
    assert "the catastrophic failure" in run.stdout
    met, known = re.search(r"(\d) of (\d) known stretches were found", run.stdout).groups()
    assert int(met) >= 3
    assert int(known) == 4
