"""Thrift's compact protocol, read and written again."""

from __future__ import annotations

import io

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from aedetect.io import thrift_compact as thrift

I64, BINARY, LIST, STRUCT, TRUE, DOUBLE = 6, 8, 9, 12, 1, 7


def footer(table: pa.Table, **options: object) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(table, stream, **options)
    data = stream.getvalue()
    return data[-8 - int.from_bytes(data[-8:-4], "little") : -8]


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40),
    st.binary(max_size=300),
    st.booleans(),
    st.floats(allow_nan=False),
    st.lists(st.integers(1, 200), min_size=4, max_size=4, unique=True),
)
def test_what_is_packed_is_unpacked(
    numbers: list[int], text: bytes, truth: bool, real: float, fields: list[int]
) -> None:
    value = thrift.Struct()
    inner = thrift.Struct({fields[0]: (TRUE, truth), fields[1]: (DOUBLE, real)})
    value[fields[1]] = (BINARY, text)
    value[fields[0]] = (LIST, thrift.Sequence(I64, numbers))
    value[fields[2]] = (LIST, thrift.Sequence(STRUCT, [inner, inner]))
    value[fields[3]] = (STRUCT, inner)
    again = thrift.unpack(thrift.pack(value))
    assert thrift.pack(again) == thrift.pack(value)
    assert again.value(fields[1]) == text
    assert again.value(fields[0]).items == numbers
    assert again.value(fields[3]).value(fields[0]) is truth


def test_a_footer_is_the_same_to_the_byte() -> None:
    table = pa.table({"a": [1, None, 3] * 20, "b": ["x", "y", None] * 20, "c": [[1.5], [], None] * 20})
    for options in ({}, {"row_group_size": 3, "write_page_index": True}, {"compression": "gzip"}):
        data = footer(table, **options)
        assert thrift.pack(thrift.unpack(data)) == data


@pytest.mark.parametrize("data", [b"", b"\x1c", b"\x18\xff\xff\x7fxx", b"\x1d\x00\x00", b"\x19"])
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        thrift.unpack(data)


def test_a_map_is_kept() -> None:
    # Field 1: a map of one pair, from text to a number.
    data = bytes([0x1B, 1, 0x86, 1, ord("k"), 14, 0])
    assert thrift.pack(thrift.unpack(data)) == data
    assert thrift.pack(thrift.unpack(bytes([0x1B, 0, 0]))) == bytes([0x1B, 0, 0])
