"""Standard streams that whoever starts the program has closed, as some schedulers do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.processes import PROGRAM
from support.tables import tiny_frame

NOWHERE = "error: standard output: cannot be written: Bad file descriptor\n"
TEXT = "in.csv: 200 rows"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.aed").write_bytes(tiny_model.read_bytes())
    tiny_frame(200).to_csv("in.csv", index=False)


def run(closed: str, *words: str) -> tuple[int, str, str]:
    """`closed`: redirections in the shell's language."""
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *PROGRAM, "score", *words, "-m", "m.aed"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def test_all_closed() -> None:
    """No file may take the number of a stream: what is printed would go into it."""
    assert run("", "in.csv", "-o", "open.csv", "-q")[0] == 0
    assert run("<&- >&- 2>&-", "in.csv", "-o", "closed.csv", "-q") == (0, "", "")
    assert Path("closed.csv").read_bytes() == Path("open.csv").read_bytes()


@pytest.mark.parametrize("output", ["out.csv", "-"])
def test_nowhere_to_print_to(output: str) -> None:
    assert run(">&-", "in.csv", "-o", output) == (5, "", NOWHERE)


def test_nothing_to_read_from() -> None:
    expected = "error: <stdin>: cannot be read: Bad file descriptor\n"
    assert run("<&-", "-", "-o", "out.csv") == (3, "", expected)
    assert not Path("out.csv").exists()


def test_messages_have_nowhere_to_go() -> None:
    code, stdout, _ = run("2>&-", "in.csv", "-o", "out.csv")
    assert (code, stdout[: len(TEXT)]) == (0, TEXT)
    assert run("2>&-", "none.csv", "-o", "out.csv") == (3, "", "")
