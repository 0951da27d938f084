"""What Python callers may pass as data: as inputs on the way in, in the caller's kind on the way out."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, Union

import numpy as np
import pyarrow as pa

from aedetect.config import DataConfig
from aedetect.errors import DataError, UsageError
from aedetect.io.columnar import with_usual_types
from aedetect.io.files import open_inputs, read_options
from aedetect.io.frames import array_of_objects, frame_of_table, table_of_frame, unreadable
from aedetect.io.source import Input, TableInput

if TYPE_CHECKING:
    # Loading pandas takes long, and a DataFrame comes with a pandas that is loaded already.
    import pandas as pd


class ArrowStream(Protocol):
    """What has the Arrow PyCapsule interface: DataFrames of polars, results of duckdb, and others."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


Data = Union[
    "pd.DataFrame",
    pa.Table,
    pa.RecordBatch,
    pa.RecordBatchReader,
    ArrowStream,
    np.ndarray[Any, Any],
    str,
    "os.PathLike[str]",
    Sequence[Any],
]

_UNREADABLE = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError)
_TAKEN = "a DataFrame, an Arrow table, a numpy array of rows and columns, paths, or a list of these"


def as_inputs(data: Data, config: DataConfig) -> Sequence[Input]:
    """The inputs that `data` means; a list means all that its items mean.

    A DataFrame of pandas, an Arrow table, record batch or reader, whatever has the Arrow PyCapsule
    interface, a numpy array (numbers [rows, columns], whose columns are called x0, x1, …, or a
    structured array [rows]), or the path of a file, a folder or a pattern. Readers and streams are
    read to their end. Raises UsageError for anything else, and DataError for what cannot be read:
    column names that appear twice, columns of mixed types, files that are not there.
    """
    if isinstance(data, (str, os.PathLike)):
        return open_inputs([os.fspath(data)], read_options(config))
    if isinstance(data, (list, tuple)):
        inputs: list[Input] = []
        for item in data:
            inputs.extend(
                [item] if hasattr(item, "open") and hasattr(item, "locate") else as_inputs(item, config)
            )
        if not inputs:
            raise UsageError("no data given")
        return inputs
    return [TableInput(_table(data))]


def column_names(count: int) -> list[str]:
    """The names of the columns of an array, which has none of its own."""
    return [f"x{index}" for index in range(count)]


def as_given(table: pa.Table, data: Data) -> Any:
    """A table of results in the kind that the caller's `data` came in.

    A polars DataFrame for polars, an Arrow table for Arrow and for what else has the Arrow PyCapsule
    interface, and a DataFrame of pandas for everything else. Where `data` is a DataFrame, or a list of
    them, the index is kept as long as the table has one row for each of theirs; otherwise rows count from 0.
    """
    items = list(data) if isinstance(data, (list, tuple)) else [data]
    if items and all(map(_is_frame, items)):
        return frame_of_table(table, items)  # type: ignore[arg-type]
    if not items or not all(_is_arrow(item) for item in items):
        return table.to_pandas()
    if all(_is_of_polars(item) for item in items):
        # Whoever has such data has the package; it is none of ours.
        import polars  # type: ignore[import-not-found, unused-ignore]

        return polars.from_arrow(table)
    return table


def _is_arrow(data: object) -> bool:
    return not _is_frame(data) and (hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"))


def _is_of_polars(data: object) -> bool:
    return type(data).__module__.partition(".")[0] == "polars"


def _table(data: object) -> pa.Table:
    if isinstance(data, pa.Table):
        table = with_usual_types(data)
    elif isinstance(data, pa.RecordBatch):
        table = with_usual_types(pa.Table.from_batches([data]))
    elif isinstance(data, pa.RecordBatchReader):
        table = with_usual_types(data.read_all())
    elif _is_frame(data):
        table = _of_frame(data)
    elif isinstance(data, np.ndarray):
        table = _of_array(data)
    elif hasattr(data, "__arrow_c_stream__"):
        table = with_usual_types(_of_stream(data))
    else:
        raise UsageError(f"data must be {_TAKEN}, not {_kind(data)}")
    _check_names(table.schema.names, _said(data))
    return table


def _check_names(names: Sequence[str], said: str) -> None:
    if not names:
        raise DataError(f"the {said} holds no columns")
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise DataError(f"the column name {twice!r} appears twice in the {said}; rename one")


def _is_frame(data: object) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def _of_frame(data: Any) -> pa.Table:
    _check_names([str(name) for name in data.columns], "DataFrame")
    return table_of_frame(data)


def _of_array(data: np.ndarray[Any, Any]) -> pa.Table:
    if data.dtype.names is not None and data.ndim == 1:
        columns = {name: data[name] for name in data.dtype.names}
    elif data.ndim == 2:
        columns = dict(zip(column_names(data.shape[1]), data.T, strict=True))
    else:
        axes = "axis" if data.ndim == 1 else "axes"
        raise UsageError(
            f"a numpy array has rows and columns, this one {data.ndim} {axes} (shape {data.shape}); "
            "one column is array.reshape(-1, 1), one row array.reshape(1, -1)"
        )
    arrays = {name: _column(values, name) for name, values in columns.items()}
    fields = [pa.field(name, array.type, metadata=said) for name, (array, said) in arrays.items()]
    return pa.Table.from_arrays([array for array, _ in arrays.values()], schema=pa.schema(fields))


def _column(values: np.ndarray[Any, Any], name: str) -> tuple[pa.Array, dict[bytes, bytes]]:
    """One column of an array, and what is said of its field; NaN and masked values are null."""
    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    if values.dtype == object and mask is None:
        return array_of_objects(values, name, "numpy array")
    # Arrow takes neither strides nor another machine's order of bytes.
    plain = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    try:
        return pa.array(plain, mask=mask, from_pandas=True), {}
    except _UNREADABLE:
        raise unreadable(name, "numpy array", str(values.dtype)) from None


def _of_stream(data: Any) -> pa.Table:
    try:
        return pa.RecordBatchReader.from_stream(data).read_all()
    except pa.ArrowException as error:
        if "non-struct" in str(error):
            raise UsageError(f"data must be {_TAKEN}, not one column ({_kind(data)})") from None
        raise DataError(f"the {_kind(data)} cannot be read as an Arrow table: {error}") from None


def _said(data: object) -> str:
    if isinstance(data, np.ndarray):
        return "numpy array"
    return (
        "Arrow table" if isinstance(data, (pa.Table, pa.RecordBatch, pa.RecordBatchReader)) else _kind(data)
    )


def _kind(data: object) -> str:
    """The name of an object's type, with its module where that is not Python's own."""
    kind = type(data)
    if _is_frame(data):
        return "DataFrame"
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
