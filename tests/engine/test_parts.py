"""Outputs that several workers write."""

from __future__ import annotations

from pathlib import Path

import pytest

from aedetect.engine.parts import Parts
from aedetect.errors import OutputError


def written(parts: Parts) -> Parts:
    for number, path in enumerate(parts.paths):
        Path(path).write_text(f"{number}\n")
    return parts


def test_parts_become_one_file_and_are_gone(tmp_path: Path) -> None:
    parts = written(Parts(str(tmp_path / "out.csv"), 3, joined=True))
    assert all(Path(path).name.startswith(".") and path.endswith(".csv") for path in parts.paths)
    assert parts.join() == str(tmp_path / "out.csv")
    parts.remove()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out.csv", "0\n1\n2\n")]


def test_parts_become_numbered_files(tmp_path: Path) -> None:
    parts = written(Parts(str(tmp_path / "new/a.b.parquet"), 2, joined=False))
    assert parts.join() == str(tmp_path / "new/a.b-*.parquet")
    parts.remove()
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "a.b-00000.parquet",
        "a.b-00001.parquet",
    ]


def test_what_is_not_joined_is_removed_and_what_a_killed_run_left_too(tmp_path: Path) -> None:
    output = str(tmp_path / "out.csv.gz")
    written(Parts(output, 3, joined=True))
    assert len(list(tmp_path.iterdir())) == 3
    parts = written(Parts(output, 2, joined=True))
    assert len(list(tmp_path.iterdir())) == 2
    parts.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("out-00002.parquet", "of an earlier output of more parts than the 2 to be written now; remove it"),
        ("out.parquet", "an earlier output, which is to be 2 parts now; remove it"),
    ],
)
def test_no_other_rows_stay_beside_numbered_parts(name: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    with pytest.raises(OutputError) as raised:
        Parts(str(tmp_path / "out.parquet"), 2, joined=False)
    assert str(raised.value) == f"{tmp_path / name}: {told}"
    assert [path.name for path in tmp_path.iterdir()] == [name]
