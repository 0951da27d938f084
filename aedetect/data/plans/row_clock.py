"""The clock of a table's rows: how the column is read that says when each row was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aedetect.data import cells
from aedetect.data.arrays import Floats, Mask
from aedetect.data.series.clock_detection import find_clock
from aedetect.data.series.time_text import ORDERS, read_text
from aedetect.data.series.timestamps import Clock, Locate
from aedetect.data.series.wall_clock import first_pass
from aedetect.errors import DataError, UsageError


@dataclass(frozen=True)
class RowClock:
    """How the instants of rows are read that are in no order, each by itself."""

    clock: Clock

    def __post_init__(self) -> None:
        """Raises UsageError for times that are on no day."""
        if self.clock.kind == "count":
            raise UsageError(
                f"column {self.clock.column!r} holds numbers that only count, and a calendar has dates"
            )
        if self.clock.order == "clock":
            raise UsageError(
                f"column {self.clock.column!r} holds times of day and no dates, which a calendar needs"
            )

    @property
    def zone(self) -> str:
        """The zone in which times without one are meant."""
        return self.clock.stamp_zone or "UTC"

    def seconds(self, array: pa.Array, rules: cells.CellRules, locate: Locate) -> Floats:
        """Seconds since 1970 [rows], NaN where missing or unreadable; of an hour that comes twice, its first.

        Raises DataError where timestamps with and without a zone are mixed and no zone was given.
        """
        wall = self.clock.wall_times(array, rules, locate)
        if self.clock.zone is None:
            return np.asarray(wall.seconds - np.nan_to_num(wall.offset))
        return first_pass(wall.seconds, wall.offset, self.clock.zone)


def lenient_clock(
    columns: Sequence[str],
    array: pa.Array,
    rules: cells.CellRules,
    time_format: str | None,
    zone: str | None,
    locate: Locate,
) -> Clock:
    """How to read the time `columns`, where fewer than half of the cells in `array` are no times.

    Raises DataError where more are, or where it is not plain how they are written; UsageError for an unknown
    zone or format.
    """
    try:
        return find_clock(columns, array, rules, time_format, zone, locate)
    except DataError:
        known = _readable(cells.plain(array), rules, zone)
        if known is None or known.all():
            raise
        array = cells.plain(array).filter(pa.array(known))
        return find_clock(columns, array, rules, time_format, zone, locate)


def _readable(array: pa.Array, rules: cells.CellRules, zone: str | None) -> Mask | None:
    """Which cells [rows] are missing, or what most of them are, numbers or times; None for neither."""
    numbers = cells.numbers(array, rules)
    bads = [numbers.bad]
    if cells.is_text(array.type):
        bads += [read_text(array, rules, order, zone).bad for order in ORDERS]
    best = min(bads, key=lambda bad: int(bad.sum()))
    return ~best if 2 * int(best.sum()) < int((~numbers.missing).sum()) else None
