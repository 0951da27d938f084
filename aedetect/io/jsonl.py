"""JSON lines: one object a line. Types are settled over the whole file before rows are handed out."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any

import pyarrow as pa

from aedetect.errors import DataError

NESTED = b"aedetect.nested"
_INT64 = 2**63
_SAID = {
    "null": "null",
    "bool": "a boolean",
    "int": "a number",
    "float": "a number",
    "string": "a string",
}
_SAID["nested"] = "a list"


def settle_types(stream: IO[bytes], name: str) -> pa.Schema:
    """The columns of a whole stream of JSON lines.

    A column is bool, int64, float64 or string; where values of several kinds are mixed, or are
    objects or lists, it is a string column of JSON texts (the latter marked as nested). A file
    without a line has none. Raises DataError where a line is no JSON object, and where all are empty.
    """
    kinds: dict[str, set[str]] = {}
    lines = 0
    for _, record in _records(stream, name):
        lines += 1
        for key, value in record.items():
            kinds.setdefault(key, set()).add(_kind(value))
    if lines and not kinds:
        raise DataError(f"{name}: the objects in the file are all empty")
    return pa.schema([_field(key, column_kinds - {"null"}) for key, column_kinds in kinds.items()])


def line_of_row(stream: IO[bytes], row: int) -> int | None:
    """The line (from 1) on which row `row` (from 1) stands; None past the end."""
    rows = ((number, line) for number, line in _lines(stream) if line.strip())
    return next((number for seen, (number, _) in enumerate(rows, start=1) if seen == row), None)


class JsonLinesReader:
    """One pass over the JSON lines that `open` gives, as columns of the types in `schema`."""

    def __init__(
        self,
        open: Callable[[], AbstractContextManager[IO[bytes]]],
        schema: pa.Schema,
        batch_rows: int,
        name: str,
    ):
        self.schema = schema
        self._open = open
        self._batch_rows = batch_rows
        self._name = name

    def batches(self) -> Iterator[pa.RecordBatch]:
        rows: list[dict[str, Any]] = []
        with self._open() as stream:
            for _, record in _records(stream, self._name):
                rows.append(record)
                if len(rows) == self._batch_rows:
                    yield self._batch(rows)
                    rows = []
        if rows:
            yield self._batch(rows)

    def _batch(self, rows: list[dict[str, Any]]) -> pa.RecordBatch:
        columns = []
        for field in self.schema:
            values = [row.get(field.name) for row in rows]
            if field.type == pa.string():
                values = [_text(value) for value in values]
            elif field.type == pa.float64():
                values = [_float(value) for value in values]
            columns.append(pa.array(values, field.type))
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, str]]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="\n")
    try:
        yield from enumerate(text, start=1)
    finally:
        text.detach()


def _records(stream: IO[bytes], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in _lines(stream):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = _reason(error)
            raise DataError(f"{name}: line {number}: not JSON: {reason}") from None
        if not isinstance(record, dict):
            raise DataError(f"{name}: line {number}: not a JSON object but {_SAID[_kind(record)]}")
        yield number, record


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int():
            return "int" if -_INT64 <= value < _INT64 else "float"
        case float():
            return "float"
        case str():
            return "string"
        case _:
            return "nested"


def _field(name: str, kinds: set[str]) -> pa.Field:
    if "nested" in kinds:
        return pa.field(name, pa.string(), metadata={NESTED: b"1"})
    if not kinds:
        return pa.field(name, pa.null())
    if kinds <= {"int", "float"}:
        return pa.field(name, pa.int64() if kinds == {"int"} else pa.float64())
    return pa.field(name, pa.bool_() if kinds == {"bool"} else pa.string())


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    # Half of a surrogate pair, which JSON can spell, is no text anywhere else.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _float(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos + 1}"
    return "nested too deeply" if isinstance(error, RecursionError) else "a number of too many digits"
