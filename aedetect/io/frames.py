"""DataFrames of pandas as Arrow tables, a column at a time, and back with their own index and types."""

from __future__ import annotations

import datetime
import decimal
import json
import numbers
import os
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from aedetect.errors import DataError
from aedetect.io.cell_text import as_text
from aedetect.io.columnar import with_usual_types
from aedetect.io.jsonl import NESTED

if TYPE_CHECKING:
    # Loading pandas takes long, and a DataFrame comes with a pandas that is loaded already.
    import pandas as pd

# Of a field whose cells are text as a CSV file of the same column would have it.
AS_TYPED = b"aedetect.as_typed"
Said = dict[bytes, bytes]
_UNREADABLE = (pa.ArrowException, OverflowError, UnicodeEncodeError, TypeError, ValueError)
_OF_TIME = (datetime.date, datetime.time, datetime.timedelta)
_LISTS = (list, tuple, set, frozenset, dict, np.ndarray)


def table_of_frame(frame: pd.DataFrame) -> pa.Table:
    """The columns of a DataFrame, whose names are distinct as text; the index is none of them.

    Columns of one type that Arrow knows keep it; sparse ones are filled up. What Arrow has no type for, but
    a CSV file has text, becomes that text: periods, intervals, numbers and words mixed. Text, too, is read
    as that of a CSV file: pandas has it where one cell in a column of numbers is none. Raises DataError,
    naming the column, for complex numbers and for objects that are no values.
    """
    fields, columns = [], []
    for place, name in enumerate(frame.columns):
        array, metadata = _column(frame.iloc[:, place], str(name))
        if not metadata and _is_text(array.type):
            metadata = {AS_TYPED: b"1"}
        fields.append(pa.field(str(name), array.type, metadata=metadata))
        columns.append(array)
    if not columns:
        return pa.table({})
    return with_usual_types(pa.Table.from_arrays(columns, schema=pa.schema(fields)))


def frame_of_table(table: pa.Table, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """A table of results as a DataFrame: with the index of `frames`, if it has a row for each of theirs.

    Otherwise rows count from 0. Columns that came from a single frame and are unchanged are the frame's own,
    of its types.
    """
    result: pd.DataFrame = table.to_pandas()
    if len(result) != sum(len(frame) for frame in frames):
        return result
    index = frames[0].index
    for frame in frames[1:]:
        index = index.append(frame.index)
    result = result.set_axis(index, axis=0)
    if len(frames) == 1:
        for place, name in enumerate(map(str, frames[0].columns)):
            column = frames[0].iloc[:, place]
            if name in result.columns and not _survives(column.dtype) and _is_same(column, table, name):
                result[name] = column
    return result


def array_of_objects(values: np.ndarray[Any, Any], name: str, whose: str) -> tuple[pa.Array, Said]:
    """Python's objects [rows] as an Arrow array, and what is to be said of its field.

    `name` and `whose`: the column, and what it is of, for the DataError that is raised for what is no value.
    """
    try:
        array = pa.array(values, from_pandas=True)
    except _UNREADABLE:
        array = None
    if array is not None and not isinstance(array.type, pa.BaseExtensionType):
        if not pa.types.is_binary(array.type) or not any(isinstance(value, str) for value in values):
            return array, {}
    elif array is not None and isinstance(array.type, pa.UuidType):
        return array, {}
    filled = [not _is_missing(value) for value in values]
    if all(isinstance(value, _LISTS) for value, is_filled in zip(values, filled, strict=True) if is_filled):
        texts = [
            json.dumps(value, default=_listed) if is_filled else None
            for value, is_filled in zip(values, filled, strict=True)
        ]
        return pa.array(texts, pa.string()), {NESTED: b"1"}
    texts = [
        _text(value, row, name, whose) if is_filled else None
        for row, (value, is_filled) in enumerate(zip(values, filled, strict=True), 1)
    ]
    return pa.array(texts, pa.string()), {AS_TYPED: b"1"}


def unreadable(name: str, whose: str, kind: str) -> DataError:
    """What is said of a column of which nothing can be read."""
    return DataError(
        f"column {name!r} of the {whose} holds {kind} values, which cannot be read; "
        "convert them to numbers or text, or leave the column out"
    )


def _column(column: pd.Series, name: str) -> tuple[pa.Array | pa.ChunkedArray, Said]:
    import pandas as pd

    if isinstance(column.dtype, pd.SparseDtype):
        column = pd.Series(column.array.to_dense())
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "cV":
        raise unreadable(name, "DataFrame", str(column.dtype))
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufmM":
        # Arrow takes neither another machine's order of bytes nor numbers longer than float64.
        plain = np.float64 if column.dtype.kind == "f" and column.dtype.itemsize > 8 else None
        values = column.to_numpy()
        return pa.array(values.astype(plain or values.dtype.newbyteorder("=")), from_pandas=True), {}
    if column.dtype != object and not _is_only_of_pandas(column.dtype):
        try:
            return pa.array(column, from_pandas=True), {}
        except _UNREADABLE:
            pass
    return array_of_objects(column.to_numpy(dtype=object), name, "DataFrame")


def _is_text(type_: pa.DataType) -> bool:
    kinds = pa.types
    return bool(kinds.is_string(type_) or kinds.is_large_string(type_) or kinds.is_string_view(type_))


def _is_only_of_pandas(dtype: Any) -> bool:
    """Whether values are of a type that no other library knows, as they are or as categories."""
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        return dtype.categories.dtype == object or _is_only_of_pandas(dtype.categories.dtype)
    return isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype)


def _survives(dtype: Any) -> bool:
    """Whether a column of Arrow gives a column of that type again."""
    if not isinstance(dtype, np.dtype) or not dtype.isnative:
        return False
    return dtype.kind in "iuMmb" or dtype in (np.float32, np.float64)


def _is_same(column: pd.Series, table: pa.Table, name: str) -> bool:
    given, _ = _column(column, name)
    result = table.column(name)
    array = given if isinstance(given, pa.ChunkedArray) else pa.chunked_array([given])
    return bool(with_usual_types(pa.table({name: array})).column(name).equals(result))


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, float | np.floating) and bool(np.isnan(value)))
    )


def _text(value: Any, row: int, name: str, whose: str) -> str:
    """A value as a CSV file has it. Raises DataError for one that has no text of its own."""
    import pandas as pd

    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise DataError(
                f"row {row}, column {name!r} of the {whose}: holds text that is not Unicode; repair it"
            ) from None
        return value
    if isinstance(value, bytes):
        return str(as_text(pa.array([value]))[0].as_py())
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    is_number = isinstance(value, numbers.Real | decimal.Decimal | np.bool_)
    if is_number or isinstance(value, (*_OF_TIME, np.generic, uuid.UUID, pd.Period, pd.Interval)):
        return str(value)
    raise unreadable(name, whose, type(value).__name__)


def _listed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, set | frozenset) else str(value)
