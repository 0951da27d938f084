from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.errors import DataError
from aedetect.io.csv import CsvReader, line_of_row


def reader(content: str | bytes, delimiter: str = ",", batch_rows: int = 1000) -> CsvReader:
    data = content.encode() if isinstance(content, str) else content
    return CsvReader("f.csv", lambda: pa.BufferReader(data), delimiter, batch_rows, lambda row: f"row {row}")


def rows(content: str | bytes, **options: Any) -> list[list[str]]:
    batches = reader(content, **options).batches()
    return [list(row.values()) for batch in batches for row in batch.to_pylist()]


def fault(content: str | bytes) -> str:
    with pytest.raises(DataError) as caught:
        rows(content)
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
    assert fault(content + "1\n").startswith("f.csv: row 6001 has 1 field where the header has 2; ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,a\n", "f.csv: the column name 'a' appears twice in the header; rename one"),
        ("a,b\n1,2\n3,4\n5,6,7\n", "f.csv: row 3 has 3 fields where the header has 2; repair or remove "
         "this row, or name the delimiter with --delimiter if it is not ','"),
        ('a,b\n1,"2\n3,4\n', "f.csv: line 2: a quote is opened and never closed; close it or double it"),
        ('a,b\n"1,2\n3,4\n', "f.csv: line 2: a quote is opened and never closed; close it or double it"),
        (b"a,b\n1,2\n3,\xe9\n", "f.csv: row 2, column 'b': not UTF-8 text; "
         "name its encoding with --encoding, e.g. --encoding latin-1"),
        (b"\xe9,b\n1,2\n", "f.csv: the header is not UTF-8 text; "
         "name its encoding with --encoding, e.g. --encoding latin-1"),
        ("a,b\n1," + "x" * (12 << 20) + "\n", "f.csv: cannot be read: a row is longer than 4 MiB"),
    ],
    ids=["twice", "ragged", "last quote", "first quote", "bytes", "header", "long"],
)  # fmt: skip
def test_faults(content: str | bytes, message: str) -> None:
    assert fault(content) == message


def test_lone_quote_inside_a_field_is_text() -> None:
    assert rows('a,b\n5" pipe,1\n') == [['5" pipe', "1"]]


@pytest.mark.parametrize(("row", "line"), [(1, 2), (2, 5), (3, 8), (4, None)])
def test_line_of_row(row: int, line: int | None) -> None:
    content = b'a,b\n1,"x\ny"\n\n2,"\nz\n"\n3,4\n'
    assert line_of_row(pa.BufferReader(content), ",", row) == line
