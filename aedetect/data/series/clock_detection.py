"""Which way the time columns are written, told from their first cells, and what is said of a guess."""

from __future__ import annotations

import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data.arrays import Floats
from aedetect.data.series.time_text import ORDERS, Order, ReadText, looks_like, read_text, template_of
from aedetect.data.series.timestamps import Clock, Kind, Locate, digits
from aedetect.errors import DataError, UsageError

# Epoch numbers by size: seconds until the year 5138, then milli-, micro- and nanoseconds.
_UNITS = ((1e11, 1.0), (1e14, 1e-3), (1e17, 1e-6), (np.inf, 1e-9))
# Numbers that would all be seconds before 1980 count something else.
_LEAST_EPOCH = 315_532_800.0
# Digits of a date of the years 1900 to 2100, with or without a time: 20260105, 2026010512, and so on.
_DIGITS = (8, 10, 12, 14, 17)
_YEARS = (1900, 2101)
_SAMPLE = 200
# A year of months and one more: no running number skips from 202612 to 202701.
_MONTHS = 13
_MONTH_NAME = re.compile(r"(?i)month|monat|mois|\bmes\b|period|yyyymm|year_?mon|\bym\b")
# Days of spreadsheets: 1980 to 2070 with a time of day, 2000 to 2040 where they are whole.
EXCEL_DAYS, EXCEL_WHOLE_DAYS = (29_221, 62_094), (36_526, 51_502)
# What --time-format says of numbers, where no format does.
_NUMBERS: dict[str, Kind] = {"epoch": "number", "excel": "excel", "steps": "count"}


def find_clock(
    columns: Sequence[str],
    array: pa.Array,
    rules: cells.CellRules,
    time_format: str | None,
    zone: str | None,
    locate: Locate,
) -> Clock:
    """How to read the time `columns`, told from their first cells, joined in `array`.

    Raises DataError for cells that are no timestamps or ambiguous ones, UsageError for an
    unknown zone or format.
    """
    _check_zone(zone)
    array, column = cells.plain(array), " ".join(columns)
    clock = Clock(columns=tuple(columns), kind="text", zone=zone)
    if time_format is not None:
        return _of_format(clock, array, rules, time_format)
    if cells.is_datetime(array.type):
        named = getattr(array.type, "tz", None)
        shown_in = named if zone is None and named not in (None, "UTC", "Etc/UTC", "GMT", "+00:00") else None
        return clock.model_copy(update={"kind": "instant", "aware": named is not None, "shown_in": shown_in})
    if not (cells.is_text(array.type) or cells.is_number(array.type)):
        raise DataError(f"{locate(0)}, column {column!r}: {array.type} values are no timestamps")
    numbers = cells.numbers(array, rules)
    if not numbers.bad.any() and (~numbers.missing).any():
        return _of_numbers(clock, _finite(numbers), digits(array, rules), rules)
    order, read = _of_text(column, array, rules, zone, locate)
    given = ~read.missing
    aware = bool(given.any() and read.zoned[int(given.argmax())])
    shown_in = _one_offset(array) if aware and zone is None else None
    return clock.model_copy(update={"order": order, "aware": aware, "shown_in": shown_in})


def guess_notice(clock: Clock, array: pa.Array, rules: cells.CellRules) -> str | None:
    """What to say of a clock that was guessed from `array`; None where nothing was."""
    where, array = f"column {clock.column!r}: ", cells.plain(array)
    if clock.kind == "count":
        values = _finite(cells.numbers(array, rules))
        return (
            f"{where}numbers from {values.min():.12g} to {values.max():.12g} are taken for steps of a second "
            "and not for dates; if they are dates, say how they are written, e.g. --time-format '%Y%m%d', "
            "excel or epoch"
        )
    if clock.kind not in ("digits", "excel") and clock.order not in ("dmy", "mdy", "yymd"):
        return None
    times = clock.read(array, rules, str)
    known = np.flatnonzero(~np.isnan(times.seconds))
    if not len(known):
        return None
    index = int(known[0])
    # Not the first, but one that shows what was guessed: its day is no month.
    if clock.order in ("dmy", "mdy", "yymd"):
        days = (times.seconds[known] // 86_400).astype("datetime64[D]")
        index = int(known[(days - days.astype("datetime64[M]")).argmax()])
    cell = digits(array, rules)[index].as_py()
    written = f"written like {template_of(cell.strip(), clock.order)}"
    how = "a day number of spreadsheets" if clock.kind == "excel" else written
    return (
        f"{where}{cell!r} is read as {clock.shown(float(times.seconds[index]))}, {how}; if that is wrong, "
        "say how timestamps are written (--time-format)"
    )


def _one_offset(array: pa.Array) -> str | None:
    """The offset from UTC that all of these texts end in, '+02:00'; None of several, and of UTC."""
    ends = pc.utf8_trim_whitespace(array.drop_null())
    parts = pc.extract_regex(ends, r":[0-9.]+ ?(?P<hours>[+-][0-9]{2}):?(?P<minutes>[0-9]{2})$")
    texts = pc.binary_join_element_wise(
        pc.struct_field(parts, "hours"), pc.struct_field(parts, "minutes"), ":"
    )
    offsets = texts.unique().to_pylist()
    return offsets[0] if len(offsets) == 1 and offsets[0] not in (None, "+00:00", "-00:00") else None


def _check_zone(zone: str | None) -> None:
    if zone is None:
        return
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"--time-zone {zone!r}: no such zone; write it like Europe/Berlin or UTC") from None


def _of_format(clock: Clock, array: pa.Array, rules: cells.CellRules, time_format: str) -> Clock:
    if not (cells.is_text(array.type) or cells.is_number(array.type)):
        raise UsageError(f"--time-format: column {clock.column!r} holds no text, so it needs no format")
    kind = _NUMBERS.get(time_format)
    if kind is None:
        check_format(time_format)
        return clock.model_copy(update={"kind": "format", "format": time_format})
    values = _finite(cells.numbers(array, rules))
    if not len(values):
        raise UsageError(f"--time-format {time_format}: column {clock.column!r} holds no numbers")
    unit = unit_of(values) if kind == "number" else 1.0
    return clock.model_copy(update={"kind": kind, "unit": unit})


def check_format(time_format: str) -> None:
    """Raises UsageError for a format that strptime has not."""
    import pandas as pd

    try:
        pd.to_datetime(pd.Series(["any"]), format=time_format, errors="coerce")
    except ValueError as error:
        raise UsageError(f"--time-format: {error}; write it like '%d/%m/%Y %H:%M'") from None


def _finite(numbers: cells.Cells) -> Floats:
    return np.asarray(numbers.values[np.isfinite(numbers.values)])


def unit_of(values: Floats) -> float:
    """Seconds per unit of epoch numbers [rows], by their size."""
    largest = float(np.abs(values).max(initial=0))
    return next(unit for most, unit in _UNITS if largest < most)


def _of_numbers(clock: Clock, values: Floats, text: pa.Array, rules: cells.CellRules) -> Clock:
    """Dates written as whole numbers, days of spreadsheets, seconds since 1970, or what counts the rows."""
    least, most = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    if len(values) and (values == np.floor(values)).all():
        named = _MONTH_NAME.search(clock.column) is not None
        order = _order_of_digits(least, most, text, rules, named)
        if order is not None:
            return clock.model_copy(update={"kind": "digits", "order": order})
        first, end = EXCEL_WHOLE_DAYS
    else:
        first, end = EXCEL_DAYS
    if first <= least and most < end:
        return clock.model_copy(update={"kind": "excel"})
    if most < _LEAST_EPOCH:
        return clock.model_copy(update={"kind": "count"})
    return clock.model_copy(update={"kind": "number", "unit": unit_of(values)})


def _order_of_digits(
    least: float, most: float, text: pa.Array, rules: cells.CellRules, named: bool
) -> Order | None:
    """The order in which all of `text` are dates; None for none. `named`: whether they are called so."""
    begin, end = _YEARS
    orders: dict[int, Order] = {4: "y", 6: "ym"}
    for length in (4, 6, *_DIGITS):
        scale = 10.0 ** (length - 4)
        if not (begin * scale <= least and most < end * scale):
            continue
        order = orders.get(length, "compact")
        read = read_text(text, rules, order, None)
        enough = order != "ym" or named or len(np.unique(read.seconds[~read.missing])) >= _MONTHS
        return order if enough and not read.bad.any() else None
    return None


def _of_text(
    column: str, array: pa.Array, rules: cells.CellRules, zone: str | None, locate: Locate
) -> tuple[Order, ReadText]:
    """The one order in which all cells are dates, and what they say."""
    found: dict[Order, ReadText] = {}
    for order in ORDERS:
        found[order] = read_text(array, rules, order, zone)
        if order == "ymd" and not found[order].bad.any():
            return order, found[order]
    fitting = [order for order, read in found.items() if not read.bad.any()]
    if len(fitting) == 1:
        return fitting[0], found[fitting[0]]
    best = min(found, key=lambda order: int(found[order].bad.sum()))
    read = found[best]
    odd = ~read.missing if fitting else read.bad
    index = int(odd.argmax())
    where = f"{locate(index)}, column {column!r}: {str(array[index].as_py())[:40]!r}"
    if fitting:
        template = template_of(str(array[index].as_py()).strip(), fitting[0])
        raise DataError(
            f"{where} may be read in more than one way; say how timestamps are written, e.g. --time-format "
            f"{template!r}"
        )
    if read.unknown_zone[index]:
        raise DataError(
            f"{where} names a zone by an abbreviation that is not known or stands for several; write its "
            "offset instead, e.g. +01:00, or give --time-zone, whose own abbreviations are understood"
        )
    if best != "ymd" and not read.bad.all():
        good = str(array[int((~read.bad & ~read.missing).argmax())].as_py()).strip()
        raise DataError(
            f"{where} is no timestamp written as the others are ({template_of(good, best)}); repair it, or "
            "say how they are written (--time-format)"
        )
    if looks_like([text.strip() for text in array.drop_null()[:_SAMPLE].to_pylist()], "clock"):
        raise DataError(
            f"{where} is a time of day and no date; give --time twice, the column of the date and that of "
            "the time of day"
        )
    raise DataError(
        f"{where} is no timestamp; repair it, or say how they are written, e.g. --time-format "
        "'%d/%m/%Y %H:%M'"
    )
