from __future__ import annotations

import io
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from aedetect.io.kinds import other_kind


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return stream.getvalue()


def tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"))
    return stream.getvalue()


def saved(name: str) -> bytes:
    stream = io.BytesIO()
    (np.save if name == "npy" else np.savez)(stream, np.arange(3))  # type: ignore[operator]
    return stream.getvalue()


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
        (zipped("[Content_Types].xml", "word/document.xml"), "an Office document"),
        (zipped("data/a.csv"), "a ZIP archive (it begins with 'data/a.csv')"),
        (saved("npz"), "a NumPy archive"),
        (saved("npy"), "a NumPy array"),
        (tarred(), "a tar archive"),
        (b"\x80\x04\x95\x10\0\0", "a Python pickle"),
        (b"\x80\x02}q\0", "a Python pickle"),
        (b'\x40\x10\0\0\0\0\0\0{"__metadata__"', "a model file (safetensors)"),
        (b"7z\xbc\xaf\x27\x1c\0", "a 7z archive"),
        (b"\x89PNG\r\n", "a PNG image"),
        (b"ORC", "an ORC file"),
        (b"\x1f\x8b\x08", "a file that is packed twice"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer, not the file itself"),
    ],
)
def test_what_it_is(head: bytes, what: str) -> None:
    said = other_kind(head)
    assert said is not None
    assert said.startswith(f"{what}, which cannot be read; ")


def test_a_database(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as base:
        base.execute("create table t (x)")
    assert str(other_kind((tmp_path / "a.db").read_bytes())).startswith("an SQLite database, ")


@pytest.mark.parametrize(
    "head", [b"a,b\n1,2\n", b"", b"PAR1", b"ARROW1\0\0", b"\x80", "é,b\n".encode("latin-1")]
)
def test_what_may_be_a_table(head: bytes) -> None:
    assert other_kind(head) is None
