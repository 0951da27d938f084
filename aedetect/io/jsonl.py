"""Objects of JSON as rows: one a line, or in one list. Types are settled over the whole file before rows
are handed out; objects within objects become columns named 'outer.inner'."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any

import pyarrow as pa

from aedetect.errors import DataError
from aedetect.io.json_text import kind_in_words, lines, values

NESTED = b"aedetect.nested"
_INT64 = 2**63
# An object of more keys than these is a mapping, which stays whole, not a part of a row.
_MOST_KEYS = 256
# A list of objects in a row with more of other values, or in one of fewer objects, is part of the row.
_FEW_KEYS = 2
_MOST_ITEMS = 20


def settle_types(stream: IO[bytes], name: str, document: bool = False) -> pa.Schema:
    """The columns of a whole stream of JSON objects, one a line or those of a `document`.

    A column is bool, int64, float64 or string; where values of several kinds are mixed, or are lists, it is
    a string column of JSON texts (the latter marked as nested). Raises DataError where what should be a row
    is no JSON object, where all objects are empty, and for one object that holds a whole table. A file
    without an object has no columns.
    """
    kinds: dict[str, set[str]] = {}
    count = 0
    record: dict[str, Any] = {}
    for line, record in _records(stream, name, document):
        count += 1
        for key, value in _flat(record, (), name, line).items():
            kinds.setdefault(key, set()).add(_kind(value))
    if count == 1:
        _check_row(name, record)
    if count and not kinds:
        raise DataError(f"{name}: the objects in the file are all empty")
    kinds = _settled(kinds)
    return pa.schema([_field(key, column_kinds - {"null"}) for key, column_kinds in kinds.items()])


def nested_mark(field: pa.Field) -> dict[bytes, bytes] | None:
    """The metadata that mark a column of JSON texts as nested; None for other columns."""
    return {NESTED: b"1"} if (field.metadata or {}).get(NESTED) else None


def line_of_row(stream: IO[bytes], row: int, document: bool = False) -> int | None:
    """The line (from 1) on which row `row` (from 1) begins; None past the end."""
    begun = values(stream, "", document) if document else lines(stream, "")
    return next((line for seen, (line, _) in enumerate(begun, start=1) if seen == row), None)


class JsonLinesReader:
    """One pass over the JSON objects that `open` gives, as columns of the types in `schema`."""

    def __init__(
        self,
        open: Callable[[], AbstractContextManager[IO[bytes]]],
        schema: pa.Schema,
        batch_rows: int,
        name: str,
        document: bool = False,
    ):
        self.schema = schema
        self._open = open
        self._batch_rows = batch_rows
        self._name = name
        self._document = document
        self._whole = {field.name for field in schema if nested_mark(field)}

    def batches(self) -> Iterator[pa.RecordBatch]:
        rows: list[dict[str, Any]] = []
        with self._open() as stream:
            for line, record in _records(stream, self._name, self._document):
                rows.append(_flat(record, self._whole, self._name, line))
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


def _records(stream: IO[bytes], name: str, document: bool) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, value in values(stream, name, document):
        if not isinstance(value, dict):
            raise DataError(f"{name}: line {line}: not a JSON object but {kind_in_words(value)}")
        yield line, value


def _flat(record: dict[str, Any], whole: Collection[str], name: str, line: int) -> dict[str, Any]:
    """The object without objects in it, but for those at keys that stay `whole`."""
    if not any(type(value) is dict for value in record.values()):
        return record
    flat: dict[str, Any] = {}
    for key, value in _paths(record, "", whole):
        if key in flat:
            raise DataError(
                f"{name}: line {line}: the key {key!r} and an object lead to one name; rename one"
            )
        flat[key] = value
    return flat


def _paths(record: dict[str, Any], above: str, whole: Collection[str]) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        path = above + key
        if isinstance(value, dict) and path not in whole:
            yield from _paths(value, path + ".", whole)
        else:
            yield path, value


def _settled(kinds: dict[str, set[str]]) -> dict[str, set[str]]:
    """The kinds of each column: objects stay whole beside lists, and where they are mappings."""
    below = Counter(
        key[:place] for key in kinds for place, mark in enumerate(key) if mark == "." and key[:place]
    )
    whole = {key for key, count in below.items() if count > _MOST_KEYS or "nested" in kinds.get(key, ())}
    settled: dict[str, set[str]] = {}
    for key, column_kinds in kinds.items():
        outer = next(
            (key[:place] for place, mark in enumerate(key) if mark == "." and key[:place] in whole), None
        )
        if outer is not None:
            settled[outer] = {"nested"}
        elif not (column_kinds == {"null"} and key in below):
            settled.setdefault(key, set()).update(column_kinds)
    return settled


def _check_row(name: str, record: dict[str, Any]) -> None:
    """Raises DataError where the one object of a file is a table, not a row of one."""
    scalars = sum(not isinstance(value, (dict, list)) for value in record.values())
    for key, value in record.items():
        is_table = (
            isinstance(value, list) and len(value) > 1 and all(isinstance(item, dict) for item in value)
        )
        if is_table and (scalars <= _FEW_KEYS or len(value) > _MOST_ITEMS):
            raise DataError(
                f"{name}: one JSON object, whose rows are under {key!r}; write this list to a file of its own"
            )
    nested = [value for value in record.values() if isinstance(value, (dict, list)) and len(value) > 1]
    of_columns = len(nested) == len(record) and len({len(value) for value in nested}) == 1
    if of_columns or all(isinstance(record.get(key), list) for key in ("columns", "data")):
        raise DataError(
            f"{name}: one JSON object of columns; write one object for each row, as "
            "frame.to_json(orient='records', lines=True) does"
        )


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
