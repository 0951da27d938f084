"""Lines for people are broken between words on a terminal, and nowhere else."""

from __future__ import annotations

import io

import pytest

from aedetect.cli.output import wrapped


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("short", "short"),
        ("", ""),
        ("warning: a long-winded sentence", "warning: a\n  long-winded\n  sentence"),
        ("  row 7: a sentence of words", "  row 7: a sentence\n    of words"),
        ("path: /a/very/long/path/to/somewhere", "path:\n  /a/very/long/path/to/somewhere"),
    ],
)
def test_words_are_never_broken(line: str, shown: str) -> None:
    assert wrapped(line, Terminal()) == shown


def test_elsewhere_a_line_stays_a_line() -> None:
    line = "warning: a long-winded sentence"
    assert wrapped(line, io.StringIO()) == line
