from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.errors import DataError
from aedetect.io.csv import CsvReader, line_of_row, without_comments
from aedetect.io.csv_form import CsvForm

PLAIN = CsvForm()
ZERO = "holds a zero byte (NUL), which is no text; was the file damaged? repair or remove this"


def reader(content: str | bytes, form: CsvForm = PLAIN, batch_rows: int = 1000) -> CsvReader:
    data = content.encode() if isinstance(content, str) else content

    def locate(row: int) -> str:
        return f"row {row} (line {line_of_row(pa.BufferReader(data), form, row)})"

    def content_alone() -> pa.BufferReader:
        return pa.BufferReader(b"".join(without_comments(pa.BufferReader(data), form)))

    alone = content_alone if form.comment else None
    return CsvReader("f.csv", lambda: pa.BufferReader(data), form, batch_rows, locate, alone)


def rows(content: str | bytes, **options: Any) -> list[list[str]]:
    batches = reader(content, **options).batches()
    return [list(row.values()) for batch in batches for row in batch.to_pylist()]


def fault(content: str | bytes, form: CsvForm = PLAIN) -> str:
    with pytest.raises(DataError) as caught:
        rows(content, form=form)
    return str(caught.value)


def test_every_cell_is_text() -> None:
    assert rows("a,b,c\n1,,NA\n01,true, x \n") == [["1", "", "NA"], ["01", "true", " x "]]


def test_header_keeps_names_as_they_stand() -> None:
    assert reader('\ufeff"a,1", b,\n1,2,3\n').schema.names == ["a,1", " b", ""]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_newlines(newline: str) -> None:
    assert rows(newline.join(["a,b", "1,2", "3,4", ""])) == [["1", "2"], ["3", "4"]]


@given(
    st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2, max_size=2))
)
def test_what_python_writes_comes_back(table: list[list[str]]) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *table])
    assert rows(stream.getvalue()) == table


@given(st.integers(1, 12))
def test_batch_size_does_not_matter(batch_rows: int) -> None:
    content = "a,b\n" + "".join(f"{number},x\n" for number in range(10))
    assert rows(content, batch_rows=batch_rows) == rows(content)


def test_batches_are_of_the_size_asked_for() -> None:
    assert [len(batch) for batch in reader("a\n" + "1\n" * 5, batch_rows=2).batches()] == [2, 2, 1]


def test_rows_beyond_one_block() -> None:
    content = "a,b\n" + ("x" * 1000 + ",1\n") * 6000
    assert len(rows(content)) == 6000
    assert fault(content + "1\n").startswith(
        "f.csv: row 6001 (line 6002) has 1 field where the header has 2; "
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,a\n", "f.csv: the column name 'a' appears twice in the header; rename one"),
        ("a,b\n1,2\n3,4\n5,6,7\n", "f.csv: row 3 (line 4) has 3 fields where the header has 2; repair or "
         "remove this row, or name the delimiter with --delimiter if it is not ','"),
        ('a,b\n1,"2\n3,4\n', "f.csv: line 2: a quote is opened and never closed; close it or double it"),
        ('a,b\n"1,2\n3,4\n', "f.csv: line 2: a quote is opened and never closed; close it or double it"),
        (b"a,b\n1,2\n3,\xe9\n", "f.csv: row 2 (line 3), column 'b': not UTF-8 text; "
         "name its encoding with --encoding, e.g. --encoding cp1252"),
        (b"\xe9,b\n1,2\n", "f.csv: the header is not UTF-8 text; "
         "name its encoding with --encoding, e.g. --encoding cp1252"),
        ("a,b\n1,x\n2,\0\n", f"f.csv: row 2 (line 3), column 'b': {ZERO} row"),
        ("a,b\n1,x\n\0\0\0", f"f.csv: row 2 (line 3) {ZERO} row"),
        ("a,\0\n1,x\n", f"f.csv: line 1: the header {ZERO} line"),
        ("a,b\n1," + "x" * (12 << 20) + "\n", "f.csv: cannot be read: a row is longer than 4 MiB"),
    ],
    ids=["twice", "ragged", "last quote", "first quote", "bytes", "header", "zero", "zeros",
         "zero name", "long"],
)  # fmt: skip
def test_faults(content: str | bytes, message: str) -> None:
    assert fault(content) == message


def test_lone_quote_inside_a_field_is_text() -> None:
    assert rows('a,b\n5" pipe,1\n') == [['5" pipe', "1"]]


@pytest.mark.parametrize(("row", "line"), [(1, 2), (2, 5), (3, 8), (4, None)])
def test_line_of_row(row: int, line: int | None) -> None:
    content = b'a,b\n1,"x\ny"\n\n2,"\nz\n"\n3,4\n'
    assert line_of_row(pa.BufferReader(content), PLAIN, row) == line


WRONG_COUNT = (
    "has 1 field where the {} has 2; repair or remove this row, or name the delimiter with --delimiter "
    "if it is not ','"
)


@pytest.mark.parametrize(
    ("content", "form", "names", "cells"),
    [
        ("t\n\na,b\n1,2\n", CsvForm(skip=2), ["a", "b"], [["1", "2"]]),
        ("#t\n a,b\n# u\n1,2\n #v\n3,4\n", CsvForm(comment="#"), [" a", "b"], [["1", "2"], ["3", "4"]]),
        ('a,b\n1,"x\n#y"\n', CsvForm(comment="#"), ["a", "b"], [["1", "x\n#y"]]),
        ("1,2\n3,4\n", CsvForm(header=False), ["column_1", "column_2"], [["1", "2"], ["3", "4"]]),
        ("\n\n1\n2\n", CsvForm(header=False), ["column_1"], [["1"], ["2"]]),
        ("a,b\n\nkg,m\n1,2\n", CsvForm(units=True), ["a", "b"], [["1", "2"]]),
        ("t\na\nkg\n1\n\n", CsvForm(skip=1, units=True), ["a"], [["1"], [""]]),
        ("\ufeff#t\r\na\r\n1\r\n", CsvForm(comment="#"), ["a"], [["1"]]),
        ("a,b", PLAIN, ["a", "b"], []),
        ("t\na", CsvForm(skip=1), ["a"], []),
    ],
)
def test_lines_that_are_no_rows(
    content: str, form: CsvForm, names: list[str], cells: list[list[str]]
) -> None:
    assert reader(content, form).schema.names == names
    assert rows(content, form=form) == cells


@pytest.mark.parametrize(
    ("content", "form", "message"),
    [
        ("t\n\na,b\n1,2\n3\n", CsvForm(skip=2), f"row 2 (line 5) {WRONG_COUNT.format('header')}"),
        ("# t\na,b\n1,2\n#\n3\n", CsvForm(comment="#"), f"row 2 (line 5) {WRONG_COUNT.format('header')}"),
        ("1,2\n3\n", CsvForm(header=False), f"row 2 (line 2) {WRONG_COUNT.format('first one')}"),
        ("a,b\nm,kg\n1,2\n3\n", CsvForm(units=True), f"row 2 (line 4) {WRONG_COUNT.format('header')}"),
        ('#"\na,b\n1,"2\n', CsvForm(comment="#"),
         "line 3: a quote is opened and never closed; close it or double it"),
        ("a,b\n", CsvForm(skip=3), "holds nothing below the 3 lines that are skipped"),
        ("x" * (5 << 20) + "\na\n1\n", CsvForm(skip=1),
         "cannot be read: what is above the first row is longer than 4 MiB"),
    ],
    ids=["skipped", "comment", "no header", "units", "quote", "all skipped", "much skipped"],
)  # fmt: skip
def test_faults_name_lines_of_the_whole_file(content: str, form: CsvForm, message: str) -> None:
    assert fault(content, form).removeprefix("f.csv: ") == message
