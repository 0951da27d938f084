from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.errors import DataError
from aedetect.io.jsonl import NESTED, JsonLinesReader, line_of_row, nested_mark, settle_types

OF_COLUMNS = (
    "one JSON object of columns; write one object for each row, as frame.to_json(orient='records', "
    "lines=True) does"
)


def table(content: str | bytes, batch_rows: int = 1000, document: bool = False) -> pa.Table:
    data = content.encode() if isinstance(content, str) else content
    schema = settle_types(pa.BufferReader(data), "f.jsonl", document)
    reader = JsonLinesReader(lambda: pa.BufferReader(data), schema, batch_rows, "f.jsonl", document)
    return pa.Table.from_batches(reader.batches(), schema)


def column(*values: Any) -> pa.ChunkedArray:
    return table("\n".join(json.dumps({"x": value}) for value in values))["x"]


@pytest.mark.parametrize(
    ("values", "type_", "read"),
    [
        ((1, None), pa.int64(), [1, None]),
        ((1, 0.5), pa.float64(), [1.0, 0.5]),
        ((True, None), pa.bool_(), [True, None]),
        (("a", "é"), pa.string(), ["a", "é"]),
        ((1, "a", True), pa.string(), ["1", "a", "true"]),
        ((None, None), pa.null(), [None, None]),
        ((2**63, 1), pa.float64(), [2.0**63, 1.0]),
        ((10**400, -(10**400)), pa.float64(), [math.inf, -math.inf]),
        (("\ud800", "é"), pa.string(), ["?", "é"]),
        (([1], {"a": 2}), pa.string(), ["[1]", '{"a": 2}']),
    ],
)
def test_types(values: tuple[Any, ...], type_: pa.DataType, read: list[Any]) -> None:
    found = column(*values)
    assert (found.type, found.to_pylist()) == (type_, read)


def test_nested_values_are_marked() -> None:
    assert settle_types(pa.BufferReader(b'{"x": [1]}'), "f").field("x").metadata == {NESTED: b"1"}


def test_nested_values_keep_their_mark() -> None:
    assert nested_mark(pa.field("x", pa.string(), metadata={NESTED: b"1", b"other": b"2"})) == {NESTED: b"1"}
    assert nested_mark(pa.field("x", pa.string(), metadata={b"other": b"2"})) is None


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (({"a": {"b": 1, "c": {"d": "x"}}}, {"a": None}), {"a.b": [1, None], "a.c.d": ["x", None]}),
        (({"a": {"b": 1}}, {"a": 2}), {"a.b": [1, None], "a": [None, 2]}),
        (({"a": {"b": 1}}, {"a": [2]}), {"a": ['{"b": 1}', "[2]"]}),
        (({"a": {"b": [1]}}, {"a": {}}), {"a.b": ["[1]", None]}),
        (({"a.b": {"c": 1}}, {"a.b": {"c": 2}}), {"a.b.c": [1, 2]}),
    ],
)
def test_objects_within_objects_are_columns(rows: Sequence[Any], expected: dict[str, list[Any]]) -> None:
    for document, text in ((False, "\n".join(map(json.dumps, rows))), (True, json.dumps(rows, indent=1))):
        assert table(text, document=document).to_pydict() == expected


def test_a_mapping_of_many_keys_stays_whole() -> None:
    rows = [{"m": {f"k{number}": 1 for number in range(300)}}, {"m": {"k0": 2}}]
    read = table("\n".join(map(json.dumps, rows)))
    assert [json.loads(cell) for cell in read["m"].to_pylist()] == [row["m"] for row in rows]
    assert read.schema.names == ["m"]


def test_keys_may_be_lacking_and_come_late() -> None:
    assert table('{"a": 1}\n\n{"b": 2}\n').to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": 2}]


def test_byte_order_mark() -> None:
    assert table(b'\xef\xbb\xbf{"a": 1}').to_pylist() == [{"a": 1}]


@given(
    st.lists(st.fixed_dictionaries({"a": st.integers(-5, 5), "b": st.text(max_size=5)}), min_size=1),
    st.integers(1, 5),
)
def test_batch_size_does_not_matter(records: list[dict[str, Any]], batch_rows: int) -> None:
    content = "\n".join(json.dumps(record) for record in records)
    assert table(content, batch_rows).to_pylist() == table(content).to_pylist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "f.jsonl: the objects in the file are all empty"),
        ('{"a": 1}\n{"a": }\n', "f.jsonl: line 2: not JSON: Expecting value at character 7"),
        ("[1]", "f.jsonl: line 1: not a JSON object but a list"),
        ("3", "f.jsonl: line 1: not a JSON object but a number"),
        ("[" * 100_000, "f.jsonl: line 1: not JSON: nested too deeply"),
        ('{"a": {"b": 1}, "a.b": 2}',
         "f.jsonl: line 1: the key 'a.b' and an object lead to one name; rename one"),
        ('{"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}', f"f.jsonl: {OF_COLUMNS}"),
        ('{"a": [1, 2], "b": [3, 4]}', f"f.jsonl: {OF_COLUMNS}"),
        ('{"columns": ["a"], "index": [0, 1], "data": [[1], [2]]}', f"f.jsonl: {OF_COLUMNS}"),
        ('{"n": 2, "data": [{"a": 1}, {"a": 2}]}',
         "f.jsonl: one JSON object, whose rows are under 'data'; write this list to a file of its own"),
        ('{"a": ' + "9" * 5000 + "}", "f.jsonl: line 1: not JSON: a number of too many digits"),
    ],
    ids=["empty object", "syntax", "list", "number", "deep", "clash", "index", "columns", "split",
         "rows", "digits"],
)  # fmt: skip
def test_faults(content: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        table(content)
    assert str(caught.value) == message


@pytest.mark.parametrize(("row", "line"), [(1, 1), (2, 4), (3, None)])
def test_line_of_row(row: int, line: int | None) -> None:
    assert line_of_row(pa.BufferReader(b'{"a": 1}\n\n \n{"a": 2}\n'), row) == line


@pytest.mark.parametrize(("row", "line"), [(1, 2), (2, 5), (3, None)])
def test_line_of_row_in_a_document(row: int, line: int | None) -> None:
    assert line_of_row(pa.BufferReader(b'[\n{"a": 1,\n"b": 1},\n\n{"a": 2}]\n'), row, document=True) == line


def test_one_row_may_hold_lists() -> None:
    row = {"id": 1, "at": "x", "sum": 3, "items": [{"n": 1}, {"n": 2}]}
    assert table(json.dumps(row)).to_pylist() == [row | {"items": json.dumps(row["items"])}]
