"""The rows that were held, as codes: flagged ones and a sample of the others, column by column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.tasks.explain.segments.conditions import LEAST_ROWS, CodedColumn, coded_ranges, coded_values

if TYPE_CHECKING:
    from aedetect.tasks.explain.segments.candidates import Candidates

_DAY = 86_400.0
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Instants that span fewer days tell nothing of weekdays, or of hours.
_LEAST_DAYS = {"weekday": 14.0, "hour": 3.0}


@dataclass(frozen=True)
class CodedTable:
    """`columns`: the conditions, by column. `flagged` [rows] marks rows that are flagged.

    `weights` [rows]: how many rows of the input each one stands for. `units` [rows]: what a flagged row
    counts for where chance is judged: 1, or its part of an event, since the rows of one event come together;
    0 of others. `blamed` [rows, 2]: the numbers of the learned columns most to blame; -1 of others.
    `left_out`: columns that say nothing of segments, and why.
    """

    columns: list[CodedColumn]
    flagged: Mask
    weights: Floats
    units: Floats
    blamed: Integers
    left_out: dict[str, str]

    def __len__(self) -> int:
        return len(self.flagged)


def coded_columns(
    table: pa.Table, weights: Floats, candidates: Candidates
) -> tuple[list[CodedColumn], dict[str, str]]:
    """The columns of `table` as codes, and those that are left out; each row has its weight [rows]."""
    columns: list[CodedColumn] = []
    left_out: dict[str, str] = {}
    for name in table.column_names:
        array = cells.plain(table.column(name))
        made = list(_conditions(name, array, weights, candidates))
        columns += made
        if not made:
            missing = array.null_count == len(array)
            alone = missing or pc.count_distinct(array, mode="all").as_py() < 2
            rare = f"no value in {LEAST_ROWS} rows"
            left_out[name] = "holds nothing" if missing else "one value alone" if alone else rare
    return columns, left_out


def _conditions(name: str, array: pa.Array, weights: Floats, candidates: Candidates) -> Iterator[CodedColumn]:
    is_instant, clock = candidates.is_instant(name), candidates.clock(name)
    numbers = _floats(array) if pa.types.is_floating(array.type) else None
    if numbers is None:
        numbers = _numbers(array, candidates.rules)
        dates = None if numbers is not None else _dates(array, candidates.rules.of(name))
        if dates is not None:
            numbers, is_instant = dates, True
    made: list[CodedColumn | None] = [
        None if is_instant else coded_values(name, array),
        None if numbers is None else coded_ranges(name, numbers, weights, is_instant, clock),
    ]
    if is_instant and numbers is not None:
        zone = (clock.zone or clock.shown_in) if clock is not None else None
        made += _of_calendar(name, numbers, weights, zone)
    learned = candidates.learned(name)
    yield from (replace(each, learned=learned) for each in made if each is not None)


def _of_calendar(
    name: str, seconds: Floats, weights: Floats, zone: str | None
) -> Iterator[CodedColumn | None]:
    """Weekdays and hours of instants [rows], by the clock of `zone`."""
    known = seconds[np.isfinite(seconds)]
    days = (known.max() - known.min()) / _DAY if len(known) else 0.0
    whole = pc.cast(pa.array(np.floor(seconds), from_pandas=True), pa.int64())
    stamps = pc.cast(whole, pa.timestamp("s", zone or "UTC"))
    if days >= _LEAST_DAYS["weekday"]:
        weekdays = pa.array(_WEEKDAYS).take(pc.day_of_week(stamps))
        yield coded_values(f"weekday of {name}", weekdays)
    if days >= _LEAST_DAYS["hour"]:
        hours = pc.cast(pc.hour(stamps), pa.float64())
        yield coded_ranges(f"hour of {name}", _floats(hours), weights)


def _numbers(names: pa.Array, rules: cells.CellRules) -> Floats | None:
    """Names as numbers, where all of them are, in the writing of the input or in that of typed columns."""
    for each in (rules, cells.CellRules()):
        read = cells.numbers(names, each)
        if not read.bad.any() and not read.missing.all():
            return read.values
    return None


def _dates(names: pa.Array, rules: cells.CellRules) -> Floats | None:
    """Names as instants, where all of them are."""
    read = cells.datetimes(names, rules)
    return None if read.bad.any() or read.missing.all() else read.values


def _floats(array: pa.Array) -> Floats:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)
