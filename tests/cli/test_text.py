from __future__ import annotations

import pytest

from aedetect.cli.text import LONGEST_LINE, counted, one_line, plain

LONG = "a" * 2000 + "z" * 2000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            f"f.csv: column {LONG!r} is missing; retrain",
            f"f.csv: column '{'a' * 30}…{'z' * 29}' is missing; retrain",
        ),
        (
            f'f.csv: column "it\'s {LONG}" is missing',
            f'f.csv: column "it\'s {"a" * 25}…{"z" * 29}" is missing',
        ),
        (f"{LONG}.csv: the file is empty", f"{'a' * 50}…{'z' * 44}.csv: the file is empty"),
        ("x\x1b[31m", "x\\x1b[31m"),
        ("the column's name 'a' and that row's", "the column's name 'a' and that row's"),
    ],
)  # fmt: skip
def test_long_names_are_cut_in_their_middle(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_no_line_is_longer_than_can_be_read() -> None:
    line = one_line("first " + "word " * 1000 + "last")
    assert len(line) == LONGEST_LINE
    assert line.startswith("first word")
    assert line.endswith("word last")


def test_what_is_short_stays() -> None:
    name = "n" * 300
    assert one_line(f"column {name!r} is missing") == f"column {name!r} is missing"


def test_cut_in_the_middle() -> None:
    assert plain("abcdefgh", 5) == "ab…gh"


def test_counted() -> None:
    assert (counted(1, "row"), counted(2000, "row"), counted(2, "entry", "entries")) == (
        "1 row", "2,000 rows", "2 entries",
    )  # fmt: skip
