"""Every type of column has a text, and a value of JSON."""

from __future__ import annotations

import contextlib
import decimal
import json
import uuid
from datetime import timedelta

import pyarrow as pa
import pytest

from aedetect.io.cell_text import as_text, json_values, name_of_type, texts

NAN = float("nan")
ODD = [
    (pa.array([1], pa.duration("s")), *["0:00:01"] * 2),
    (pa.array([-90_061_000_000_001], pa.duration("ns")), *["-25:01:01.000000001"] * 2),
    (pa.array([[timedelta(hours=30, milliseconds=1)]]), *['["30:00:00.001"]'] * 2),
    (pa.array([1], pa.time32("s")), *["00:00:01"] * 2),
    (pa.array([10**6], pa.time64("us")), *["00:00:01"] * 2),
    (pa.array([b"Y"]), "Y", '"Y"'),
    (pa.array(["größe".encode()], pa.large_binary()), "größe", '"größe"'),
    (pa.array([b"\x01\x02"]), "0102", '"0102"'),
    (pa.array([uuid.UUID(int=1).bytes], pa.binary(16)), "0" * 31 + "1", '"' + "0" * 31 + '1"'),
    (pa.array([decimal.Decimal("1.50")], pa.decimal256(50, 2)), "1.50", '"1.50"'),
    (pa.array([1], pa.timestamp("ns", "UTC")), *["1970-01-01 00:00:00.000000001Z"] * 2),
    (pa.array([1], pa.time64("ns")), *["00:00:00.000000001"] * 2),
    (pa.array([1], pa.date32()), *["1970-01-02"] * 2),
    (pa.array([10**12], pa.timestamp("s")), *["<value out of range: 1000000000000>"] * 2),
    (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), *["1 mon 2 d 0:00:00.000000003"] * 2),
    (pa.array([b"\xff\x00"]), "ff00", "ff00"),
    (pa.array([b"\xff\x00"], pa.binary(2)), "ff00", "ff00"),
    (pa.array([b"\xff"], pa.binary_view()), "ff", "ff"),
    (pa.array([uuid.UUID(int=1).bytes], pa.uuid()), *["00000000-0000-0000-0000-000000000001"] * 2),
    (pa.array([[("a", NAN)]], pa.map_(pa.string(), pa.float64())), '[["a", null]]', '[["a", null]]'),
    (pa.array([[NAN, float("inf"), 1.0]]), "[null, null, 1.0]", "[null, null, 1.0]"),
    (pa.array([{"a": NAN, "é": "b"}]), '{"a": null, "é": "b"}', '{"a": null, "é": "b"}'),
    (pa.array([decimal.Decimal("1.50")]), "1.50", '"1.50"'),
    (pa.array(["a"]).dictionary_encode(), "a", "a"),
    (pa.array(["a"], pa.string_view()), "a", "a"),
    (pa.array([0.1], pa.float32()), "0.1", "0.10000000149011612"),
    (pa.RunEndEncodedArray.from_arrays([1], ["x"]), "x", "x"),
    (pa.array([NAN]), "nan", "null"),
    (pa.nulls(1), "", "null"),
]


@pytest.mark.parametrize(("column", "text", "_json"), ODD, ids=lambda value: str(getattr(value, "type", "")))
def test_every_type_has_a_text(column: pa.Array, text: str, _json: str) -> None:
    assert as_text(column).to_pylist() == [text]


@pytest.mark.parametrize(("column", "_text", "value"), ODD, ids=lambda value: str(getattr(value, "type", "")))
def test_every_type_has_a_json_value(column: pa.Array, _text: str, value: str) -> None:
    with contextlib.suppress(ValueError):
        value = json.loads(value)
    assert json.loads(json.dumps(json_values(column), allow_nan=False)) == [value]


def test_missing_cells() -> None:
    for type_ in (
        pa.binary(),
        pa.uuid(),
        pa.duration("ns"),
        pa.list_(pa.string()),
        pa.time32("s"),
        pa.string(),
    ):
        assert texts(pa.array([None], type_)).to_pylist() == [None]
        assert as_text(pa.array([None], type_)).to_pylist() == [""]
        assert json_values(pa.array([None], type_)) == [None]


def test_names_of_types() -> None:
    assert name_of_type(pa.uuid()) == "uuid"
    assert name_of_type(pa.list_(pa.int64())) == "list<item: int64>"
