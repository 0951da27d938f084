"""Which file was meant by a name that leads nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from aedetect.io.alike import file_meant


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("sales.csv", "Köln.parquet", "model.aed", ".saless.csv"):
        (tmp_path / name).touch()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "march.csv.gz").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("word", "suffix", "ending"),
    [
        ("slaes.csv", "", "; did you mean 'sales.csv'?"),
        ("Sales.CSV", "", "; did you mean 'sales.csv'?"),
        ("koln.parquet", "", "; did you mean 'Köln.parquet'?"),
        ("köln.csv", "", "; did you mean 'Köln.parquet'?"),
        ("in/march.csv", "", "; did you mean 'in/march.csv.gz'?"),
        ("sales.aed", ".aed", ""),
        ("modl.aed", ".aed", "; did you mean 'model.aed'?"),
        ("stock.csv", "", ""),
        ("nowhere/sales.csv", "", ""),
        ("", "", ""),
    ],
)
def test_the_nearest_name_in_its_folder(folder: Path, word: str, suffix: str, ending: str) -> None:
    assert file_meant(word, suffix) == ending
    if ending:
        whole = ending.replace("'", f"'{folder}/", 1)
        assert file_meant(folder / word, suffix) == whole
