"""JSON lines: one object a line. Types are settled over the whole file before rows are handed out."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from aedetect.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

NESTED = b"aedetect.nested"
_INT64 = 2**63


class JsonLinesReader:
    """One pass over JSON lines, after a first one that settles names and types of the columns.

    A column is bool, int64, float64 or string; where values of several kinds are mixed, or are
    objects or lists, it is a string column of JSON texts (the latter marked as nested).
    """

    def __init__(self, name: str, stream: IO[bytes], encoding: str, batch_rows: int):
        import pyarrow as pa

        self._name = name
        self._stream = stream
        self._encoding = encoding
        self._batch_rows = batch_rows
        kinds: dict[str, set[str]] = {}
        for record in self._records():
            for key, value in record.items():
                kinds.setdefault(key, set()).add(_kind(value))
        if not kinds:
            raise DataError(f"{name}: the file holds no rows")
        self.schema: pa.Schema = pa.schema([_field(key, found - {"null"}) for key, found in kinds.items()])

    def batches(self) -> Iterator[pa.RecordBatch]:
        rows: list[dict[str, Any]] = []
        for record in self._records():
            rows.append(record)
            if len(rows) == self._batch_rows:
                yield self._batch(rows)
                rows = []
        if rows:
            yield self._batch(rows)

    def _records(self) -> Iterator[dict[str, Any]]:
        self._stream.seek(0)
        text = io.TextIOWrapper(self._stream, encoding=self._encoding, newline="\n")
        try:
            for number, line in enumerate(text, start=1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line.lstrip("\ufeff") if number == 1 else line)
                except (json.JSONDecodeError, RecursionError) as error:
                    reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
                    raise DataError(f"{self._name}: line {number}: not JSON: {reason}") from None
                if not isinstance(record, dict):
                    raise DataError(f"{self._name}: line {number}: not a JSON object but {_kind(record)}")
                yield record
        finally:
            text.detach()

    def _batch(self, rows: list[dict[str, Any]]) -> pa.RecordBatch:
        import pyarrow as pa

        columns = []
        for field in self.schema:
            values = [row.get(field.name) for row in rows]
            if field.type == pa.string():
                values = [_text(value) for value in values]
            columns.append(pa.array(values, field.type))
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


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
    import pyarrow as pa

    if "nested" in kinds:
        return pa.field(name, pa.string(), metadata={NESTED: b"1"})
    if not kinds:
        return pa.field(name, pa.null())
    if kinds <= {"int", "float"}:
        return pa.field(name, pa.int64() if kinds == {"int"} else pa.float64())
    return pa.field(name, pa.bool_() if kinds == {"bool"} else pa.string())


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
