from __future__ import annotations

import pytest

from aedetect.io.csv_form import ContentLines, CsvForm, Record, line_of_open_quote, records

TEXT = ["# t\n", "a;b\n", '1;"x\n', '# y"\n', "\n", "# u\n", "2;z\n"]
FORM = CsvForm(";", comment="#")


def test_content_lines_count_all_lines() -> None:
    lines = ContentLines(TEXT, FORM)
    assert list(lines) == [TEXT[place] for place in (1, 2, 3, 4, 6)]
    assert (lines.number, lines.taken) == (7, 5)


def test_lines_to_skip_are_no_content() -> None:
    assert list(ContentLines(["a\n", "b\n", "c\n"], CsvForm(skip=2))) == ["c\n"]


def test_records_know_their_lines() -> None:
    assert list(records(TEXT, FORM)) == [
        Record(2, ["a", "b"], 1),
        Record(3, ["1", "x\n# y"], 3),
        Record(5, [], 4),
        Record(7, ["2", "z"], 5),
    ]


@pytest.mark.parametrize(
    ("text", "line"), [(["# q\n", 'a;"b\n', "c\n"], 2), (['a;"b"\n'], None), (["a;b\n", 'c;5" pipe\n'], None)]
)
def test_line_of_an_open_quote(text: list[str], line: int | None) -> None:
    assert line_of_open_quote(text, FORM) == line
