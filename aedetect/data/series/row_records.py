"""Rows of series as records of a fixed size, as they stand in temporary files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aedetect.data.arrays import AnyArray, Integers
from aedetect.data.series.buffer import Rows

_COLUMNS = ("seconds", "values", "unscorable", "infinite", "readings")


def record_of(rows: Rows, more: Sequence[tuple[str, Any]] = ()) -> np.dtype[np.void]:
    """What is written of a row; `place`: its number among those that are written together.

    `more`: fields beside, which who writes fills.
    """
    fields: list[Any] = [
        ("seconds", rows.seconds.dtype),
        ("values", rows.values.dtype, rows.values.shape[1:]),
        ("unscorable", np.bool_),
        ("infinite", np.bool_),
        ("place", np.uint32),
    ]
    if rows.readings is not None:
        fields.append(("readings", rows.readings.dtype, rows.readings.shape[1:]))
    return np.dtype([*fields, *more])


def as_records(rows: Rows, order: Integers, record: np.dtype[np.void]) -> AnyArray:
    """The rows as records, in `order` [rows]."""
    records = np.empty(len(rows), dtype=record)
    records["place"] = order
    for name in _COLUMNS:
        if name in (record.names or ()):
            records[name] = getattr(rows, name)[order]
    return records


def rows_of(records: AnyArray, series: Integers) -> Rows:
    """The rows that were written as `records` [rows], of the `series` [rows]."""
    return Rows(
        records["seconds"],
        series,
        records["values"],
        records["unscorable"],
        records["infinite"],
        records["readings"] if "readings" in (records.dtype.names or ()) else None,
    )
