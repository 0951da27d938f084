"""Text as dates and times: which orders of year, month and day cells are written in, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data.arrays import Floats, Mask

# Order of the parts of a date: 'ymd' 2026-01-05, 'yymd' 26/01/05, 'compact' 20260105, 'ym' 202601,
# 'dby' 5 Jan 2026, 'bdy' Jan 5, 2026.
Order = Literal["ymd", "dmy", "mdy", "yymd", "compact", "ym", "dby", "bdy"]
ORDERS: tuple[Order, ...] = ("ymd", "dmy", "mdy", "yymd", "compact", "ym", "dby", "bdy")
# How a format of that order is written, for messages.
FORMATS: Mapping[Order, str] = {
    "ymd": "%Y-%m-%d", "dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y", "yymd": "%y/%m/%d", "compact": "%Y%m%d",
    "ym": "%Y%m", "dby": "%d %b %Y", "bdy": "%b %d, %Y",
}  # fmt: skip

_ISO = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ](?:[01][0-9]|2[0-3])"
    r"(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?$"
)
_ZONE = r"(?P<zone>[A-Za-z]{1,5}|(?:UTC|GMT)?[+-][0-9]{1,2}(?::?[0-9]{2})?|)"
_TIME = (
    r"(?:(?P<between>\s*T\s*|[\s_,:]+)(?P<hour>[0-9]{1,2})"
    r"(?:[:.]?(?P<minute>[0-9]{2})(?:[:.]?(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,12}))?)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?|)\s*" + _ZONE + r"(?:\[[^\]]*\]|\s*\([^)]*\))?)?\s*$"
)
# After eight digits the time may follow without anything between.
_TIME_AFTER_DIGITS = _TIME.replace(r"[\s_,:]+", r"[\s_,:-]*").replace(r"[.,](?P<f", r"[.,]?(?P<f")
_NAMED_DAY = r"(?:[A-Za-z]{3,9},?\s+)?"
_DATES: Mapping[Order, str] = {
    "ymd": r"^(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})",
    "dmy": r"^(?P<day>[0-9]{1,2})[-/.](?P<month>[0-9]{1,2})[-/.](?P<year>[0-9]{4}|[0-9]{2})",
    "mdy": r"^(?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})[-/.](?P<year>[0-9]{4}|[0-9]{2})",
    "yymd": r"^(?P<year>[0-9]{2})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})",
    "compact": r"^(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})",
    "ym": r"^(?P<year>[0-9]{4})[-/.]?(?P<month>[0-9]{2})(?P<day>)",
    "dby": r"^" + _NAMED_DAY + r"(?P<day>[0-9]{1,2})[-/. ]*(?P<month>[A-Za-z]{3,9})[-/., ]*"
    r"(?P<year>[0-9]{4}|[0-9]{2})",
    "bdy": r"^" + _NAMED_DAY + r"(?P<month>[A-Za-z]{3,9})\.?\s+(?P<day>[0-9]{1,2}),?\s+(?P<year>[0-9]{4})",
}  # fmt: skip
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
# Two digits of a year, as POSIX reads them: 69 to 99 are of the last century.
_CENTURY_TURN = 69
_DAY_SECONDS = 86_400

# Abbreviations that mean one offset, in hours. Others stand for several: IST for India, Israel and Ireland.
_OFFSETS: Mapping[str, float] = {
    "Z": 0, "UTC": 0, "GMT": 0, "UT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2,
    "EET": 2, "EEST": 3, "MSK": 3, "SAST": 2, "JST": 9, "KST": 9, "HKT": 8, "SGT": 8, "AWST": 8, "ACST": 9.5,
    "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "EST": -5, "EDT": -4, "CDT": -5, "MDT": -6,
    "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10,
}  # fmt: skip


@dataclass(frozen=True)
class ReadText:
    """What cells say; all [rows].

    `seconds`: since 1970 by the clock on the wall, NaN where missing or unreadable. `offset`: of its
    zone from UTC in seconds, NaN where the cell names none. `missing`, `bad`: as of `cells.Cells`.
    `unknown_zone`: bad for nothing but a zone that is not known.
    """

    seconds: Floats
    offset: Floats
    missing: Mask
    bad: Mask
    unknown_zone: Mask

    @property
    def zoned(self) -> Mask:
        """Which cells name their zone."""
        return ~np.isnan(self.offset)


def read_text(array: pa.Array, rules: cells.CellRules, order: Order, zone: str | None) -> ReadText:
    """Text cells as instants; ISO 8601 whatever the order, other forms with dates in that `order`.

    `zone`: its abbreviations are known too, CST in America/Chicago.
    """
    trimmed = pc.fill_null(pc.utf8_trim_whitespace(array), "")
    missing = cells.empty(array, rules)
    iso = _numpy(pc.match_substring_regex(trimmed, _ISO))
    seconds, offset = np.full(len(array), np.nan), np.full(len(array), np.nan)
    unknown = np.zeros(len(array), np.bool_)
    if iso.any():
        text = trimmed if iso.all() else pc.if_else(pa.array(iso), trimmed, None)
        zoned = cells.zoned(text)
        # In UTC where they name a zone: their wall clock is of no use then.
        seconds = cells.datetimes(text, rules).values
        offset = np.where(zoned & ~np.isnan(seconds), 0.0, np.nan)
    others = np.flatnonzero(~iso & ~missing)
    for style in dict.fromkeys((order, "ymd")) if len(others) else ():
        left = others[np.isnan(seconds[others])]
        found = _parsed(trimmed.take(pa.array(left)), style, zone)
        seconds[left], offset[left], unknown[left] = found
    return ReadText(seconds, offset, missing, np.isnan(seconds) & ~missing, unknown)


def _parsed(text: pa.Array, order: Order, zone: str | None) -> tuple[Floats, Floats, Mask]:
    """Seconds by the wall clock, offset in seconds and whether the zone is unknown, [rows] each."""
    parts = pc.extract_regex(text, _DATES[order] + (_TIME_AFTER_DIGITS if order == "compact" else _TIME))
    days = _days(parts, order)
    hour, minute, second = (_number(parts, name, 0.0) for name in ("hour", "minute", "second"))
    half = pc.utf8_lower(pc.utf8_slice_codeunits(_field(parts, "half"), 0, 1))
    morning, evening = (_numpy(pc.fill_null(pc.equal(half, letter), False)) for letter in ("a", "p"))
    halved = morning | evening
    wrong = halved & ((hour < 1) | (hour > 12))
    hour = np.where(halved, hour % 12 + 12 * evening, hour)
    fraction = _number(parts, "fraction", 0.0)
    digits = _lengths(_field(parts, "fraction"))
    # '24:00' is the end of the day.
    wrong |= (hour > 24) | ((hour == 24) & (minute + second > 0)) | (minute > 59) | (second > 59)
    wall = days * _DAY_SECONDS + hour * 3600 + minute * 60 + second + fraction / 10.0**digits
    offset, unknown = _offsets(_field(parts, "zone"), zone)
    wall = np.where(wrong, np.nan, wall)
    unknown &= ~np.isnan(wall)
    return np.where(unknown, np.nan, wall), np.where(np.isnan(wall), np.nan, offset), unknown


def _days(parts: pa.Array, order: Order) -> Floats:
    """Days since 1970 [rows], NaN where there is no such date."""
    year, day = _number(parts, "year", np.nan), _number(parts, "day", 1.0 if order == "ym" else np.nan)
    if order in ("dby", "bdy"):
        names = pc.utf8_lower(_field(parts, "month"))
        known = {name[:size]: number for number, name in enumerate(_MONTHS, 1) for size in (3, 4, len(name))}
        month = np.array([float(known.get(name or "", 0)) for name in names.to_pylist()])
    else:
        month = _number(parts, "month", np.nan)
    short = _lengths(_field(parts, "year")) == 2
    year = np.where(short, year + np.where(year < _CENTURY_TURN, 2000, 1900), year)
    with np.errstate(invalid="ignore"):
        valid = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1)
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0).astype(np.int64).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + np.where(valid, day - 1, 0).astype(np.int64)
    valid &= dates.astype("datetime64[M]") == months
    return np.where(valid, dates.astype(np.int64), np.nan)


def _offsets(names: pa.Array, zone: str | None) -> tuple[Floats, Mask]:
    """Offsets from UTC in seconds [rows], NaN where no zone is named, and which names are unknown."""
    encoded = pc.fill_null(names, "").dictionary_encode()
    distinct = [_offset(name, zone) for name in encoded.dictionary.to_pylist()]
    chosen = np.array([np.nan if one is None else one for one in distinct] or [np.nan])
    unknown = np.array([one is None for one in distinct] or [False])
    places = encoded.indices.to_numpy(zero_copy_only=False)
    return np.asarray(chosen[places]), np.asarray(unknown[places], np.bool_)


def _offset(name: str, zone: str | None) -> float | None:
    """Of a zone's name; NaN of none, None of one that is not known or stands for several."""
    if not name:
        return float("nan")
    name = name.upper()
    if name in _OFFSETS:
        return _OFFSETS[name] * 3600
    digits = name.removeprefix("UTC").removeprefix("GMT")
    if digits[:1] in ("+", "-"):
        hours, minutes = digits[1:].replace(":", "")[:-2], digits[-2:]
        if len(digits[1:].replace(":", "")) <= 2:
            hours, minutes = digits[1:], "0"
        if int(hours) > 15 or int(minutes) > 59:
            return None
        return (int(hours) * 60 + int(minutes)) * 60 * (-1.0 if digits[0] == "-" else 1.0)
    return abbreviations(zone).get(name) if zone else None


@lru_cache(maxsize=16)
def abbreviations(zone: str) -> Mapping[str, float]:
    """What the clock of `zone` is called over the year, with its offset from UTC in seconds."""
    place, start = ZoneInfo(zone), datetime(2000, 1, 1, tzinfo=UTC)
    moments = [(start + timedelta(days=30 * step)).astimezone(place) for step in range(330)]
    found = {moment.tzname(): moment.utcoffset() for moment in moments}
    return {
        name.upper(): offset.total_seconds() for name, offset in found.items() if name and offset is not None
    }


def _field(parts: pa.Array, name: str) -> pa.Array:
    return pc.struct_field(parts, name)


def _number(parts: pa.Array, name: str, absent: float) -> Floats:
    text = _field(parts, name)
    digits = pc.if_else(pc.equal(text, ""), None, text)
    values = pc.cast(digits, pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(np.isnan(values), absent, values)


def _lengths(text: pa.Array) -> Floats:
    return np.asarray(pc.fill_null(pc.utf8_length(text), 0).to_numpy(zero_copy_only=False), np.float64)


def _numpy(array: pa.Array) -> Mask:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)
