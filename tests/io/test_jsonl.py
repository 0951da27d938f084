from __future__ import annotations

import json
import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.errors import DataError
from aedetect.io.jsonl import NESTED, JsonLinesReader, line_of_row, settle_types


def table(content: str | bytes, batch_rows: int = 1000) -> pa.Table:
    data = content.encode() if isinstance(content, str) else content
    schema = settle_types(pa.BufferReader(data), "f.jsonl")
    reader = JsonLinesReader(lambda: pa.BufferReader(data), schema, batch_rows, "f.jsonl")
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
        ('{"a": ' + "9" * 5000 + "}", "f.jsonl: line 1: not JSON: a number of too many digits"),
    ],
    ids=["empty object", "syntax", "list", "number", "deep", "digits"],
)
def test_faults(content: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        table(content)
    assert str(caught.value) == message


@pytest.mark.parametrize(("row", "line"), [(1, 1), (2, 4), (3, None)])
def test_line_of_row(row: int, line: int | None) -> None:
    assert line_of_row(pa.BufferReader(b'{"a": 1}\n\n \n{"a": 2}\n'), row) == line
