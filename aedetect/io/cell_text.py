"""Cells of columns of any type as text that people know, and as JSON can express them.

UUIDs have their dashes, bytes are the text that they spell (hexadecimal digits where they spell none),
spans of time are hours, minutes and seconds, and lists and objects are JSON.
"""

from __future__ import annotations

import json
import math
import re
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NO_PART = r"\.0+$"
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def as_text(column: pa.Array) -> pa.Array:
    """A column as CSV cells: null is empty, numbers in their shortest exact form, lists as JSON."""
    return pc.fill_null(texts(column), "")


def texts(column: pa.Array) -> pa.Array:
    """A column as strings, null where its cells are."""
    column = _decoded(column)
    if pa.types.is_time(column.type):
        return pc.replace_substring_regex(pc.cast(column, pa.string()), _NO_PART, "")
    if _has_text_form(column.type):
        return pc.cast(column, pa.string())
    return pa.array([_cell(value) for value in _values(column)], pa.string())


def json_values(column: pa.Array) -> list[Any]:
    """A column as values of JSON; what JSON cannot express (NaN, infinity) is None."""
    column = _decoded(column)
    # Python's own times know neither nanoseconds nor the year 10,000: Arrow's text does.
    if pa.types.is_temporal(column.type) and not pa.types.is_interval(column.type):
        column = texts(column)
    return [_plain(value) for value in _values(column)]


def name_of_type(type_: pa.DataType) -> str:
    """What a column holds, as messages call it: 'uuid', 'list<element: string>'."""
    return "uuid" if is_uuid(type_) else str(type_)


def is_uuid(type_: pa.DataType) -> bool:
    """Whether cells are marked as UUIDs; 16 bytes without that mark are just bytes."""
    return isinstance(type_, pa.UuidType)


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _has_text_form(type_: pa.DataType) -> bool:
    types = pa.types
    number = types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_)
    time = types.is_timestamp(type_) or types.is_date(type_)
    text = types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_)
    return bool(number or time or text or types.is_boolean(type_) or types.is_null(type_))


def _values(column: pa.Array) -> list[Any]:
    """The cells as Python's values; spans of time as text, exactly."""
    if not pa.types.is_duration(column.type):
        return list(column.to_pylist())
    per_second = _UNITS[column.type.unit]
    return [
        None if count is None else _span(count, per_second) for count in column.cast(pa.int64()).to_pylist()
    ]


def _span(count: int, per_second: int) -> str:
    """A span of time of so many parts of a second: '0:00:01', '25:30:00.25'; hours go beyond 24."""
    seconds, parts = divmod(abs(count), per_second)
    digits = f".{parts:0{len(str(per_second)) - 1}}".rstrip("0") if parts else ""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{'-' * (count < 0)}{hours}:{minutes:02}:{seconds:02}{digits}"


def _cell(value: Any) -> str | None:
    plain = _plain(value)
    return plain if plain is None or isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """A value as JSON can express it."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, pa.MonthDayNano):
        parts = f"{value.months} mon", f"{value.days} d", _span(value.nanoseconds, 10**9)
        return " ".join(part for part in parts if part not in ("0 mon", "0 d"))
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return _spelled(value)
    if isinstance(value, timedelta):
        return _span(value // timedelta(microseconds=1), 10**6)
    return str(value)


def _spelled(value: bytes) -> str:
    """The text that bytes spell; hexadecimal digits where they are no UTF-8 or control something."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return value.hex()
    return value.hex() if _CONTROL.search(text) else text
