"""Cells of columns of any type as names: labels, ids and segments need not be numbers or text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from aedetect.data import cells
from aedetect.data.arrays import AnyArray
from aedetect.io import cell_text


def as_readable(array: pa.Array) -> pa.Array:
    """A column in a type that `cells` reads: as text, where it is none of those."""
    array = cells.plain(array)
    of_time = pa.types.is_duration(array.type) or pa.types.is_time(array.type)
    return cell_text.texts(array) if of_time or not cells.is_readable(array.type) else array


def names(array: pa.Array, rules: cells.CellRules) -> pa.Array:
    """Cells as strings that people know, null where missing, as `cells.categories` has them."""
    return cells.categories(as_readable(array), rules)


def texts(batch: pa.RecordBatch, column: str, rules: cells.CellRules) -> AnyArray:
    """The cells of a column as names [rows], '' where they are missing, or the column is."""
    if column not in batch.schema.names:
        return np.full(len(batch), "", dtype=object)
    return np.array(names(batch.column(column), rules).fill_null("").to_pylist(), dtype=object)


def value(cell: pa.Array) -> Any:
    """The cell of a column of one row, as Python has it; text where `cells` does not read its type."""
    cell = cells.plain(cell)
    return (cell if cells.is_readable(cell.type) else cell_text.texts(cell))[0].as_py()
