"""Text as dates and times: which orders of year, month and day cells are written in, and what they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data.arrays import Floats, Mask

# Order of the parts of a date: 'ymd' 2026-01-05, 'yymd' 26/01/05, 'compact' 20260105, 'ym' 202601,
# 'dby' 5 Jan 2026, 'bdy' Jan 5, 2026, 'by' Jan 2026, 'bdty' Mon Jan 5 14:30:00 2026, 'yw' 2026-W05,
# 'yq' 2026-Q1, 'y' 2026, 'clock' 14:30:00, on no day.
Order = Literal[
    "ymd", "dmy", "mdy", "yymd", "compact", "ym", "dby", "bdy", "by", "bdty", "yw", "yq", "y", "clock"
]  # fmt: skip
ORDERS: tuple[Order, ...] = (
    "ymd", "dmy", "mdy", "yymd", "compact", "ym", "dby", "bdy", "by", "bdty", "yw", "yq",
)  # fmt: skip
# How a format of that order is written, for messages.
FORMATS: Mapping[Order, str] = {
    "ymd": "%Y-%m-%d", "dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y", "yymd": "%y/%m/%d", "compact": "%Y%m%d",
    "ym": "%Y%m", "dby": "%d %b %Y", "bdy": "%b %d, %Y", "by": "%b %Y", "bdty": "%a %b %d %H:%M:%S %Y",
    "yw": "%G-W%V", "yq": "%Y-Q1", "y": "%Y", "clock": "%H:%M:%S",
}  # fmt: skip

_ISO = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ](?:[01][0-9]|2[0-3])"
    r"(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?$"
)
_ISO_FORM = re.compile(_ISO)
_ZONE = r"(?P<zone>[A-Za-z]{1,5}|(?:UTC|GMT)?[+-][0-9]{1,2}(?::?[0-9]{2})?|)"
_TIME = (
    r"(?:(?P<between>\s*T\s*|[\s_,:]+)(?P<hour>[0-9]{1,2})"
    r"(?:[:.]?(?P<minute>[0-9]{2})(?:[:.]?(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,12}))?)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?|)\s*" + _ZONE + r"(?:\[[^\]]*\]|\s*\([^)]*\))?)?\s*$"
)
# After eight digits the time may follow without anything between.
_TIME_AFTER_DIGITS = _TIME.replace(r"[\s_,:]+", r"[\s_,:-]*").replace(r"[.,](?P<f", r"[.,]?(?P<f")
_NAMED_DAY = r"(?:[A-Za-z]{3,9},?\s+)?"
_CLOCK = (
    r"^(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,12}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?|)\s*" + _ZONE
)
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
    "by": r"^(?P<month>[A-Za-z]{3,9})(?:\.?[-/., ]*(?P<year>[0-9]{4})|[-'](?P<short>[0-9]{2}))(?P<day>)",
    "bdty": _NAMED_DAY.replace(r"(?:", r"^(?:", 1) + r"(?P<month>[A-Za-z]{3,9})\s+(?P<day>[0-9]{1,2})\s+"
    + _CLOCK.removeprefix("^") + r"\s+(?P<year>[0-9]{4})\s*$",
    "yw": r"^(?P<year>[0-9]{4})-?W(?P<week>[0-9]{2})(?:-?(?P<weekday>[1-7]))?",
    "yq": r"^(?P<year>[0-9]{4})[-/ ]?[Qq](?P<quarter>[1-4])",
    "y": r"^(?P<year>[0-9]{4})(?P<month>)(?P<day>)",
    "clock": _CLOCK + r"\s*$",
}  # fmt: skip
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
# Two digits of a year, as POSIX reads them: 69 to 99 are of the last century.
_CENTURY_TURN = 69
_DAY_SECONDS = 86_400

# How parts of a date are written by strftime, which has no '%q', the quarter.
_CODES: Mapping[str, str] = {
    "day": "%d", "hour": "%H", "minute": "%M", "second": "%S", "fraction": "%f", "half": "%p", "week": "%V",
    "weekday": "%u", "short": "%y", "quarter": "%q", "zone": "%z",
}  # fmt: skip

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


def looks_like(texts: Sequence[str], order: Order) -> bool:
    """Whether half of `texts` have the form of dates in that order, whatever their numbers."""
    pattern = _pattern(order)
    fitting = sum(bool(pattern.match(text) or (order == "ymd" and _ISO_FORM.match(text))) for text in texts)
    return 2 * fitting >= len(texts)


@cache
def _pattern(order: Order) -> re.Pattern[str]:
    return re.compile(_DATES[order] + _BEHIND.get(order, _TIME))


def template_of(example: str, order: Order) -> str:
    """How `example`, a date in that order, is written, as strftime takes it: '%d.%m.%Y %H:%M'."""
    match = _pattern(order).match(example)
    if match is None:
        return FORMATS[order]
    codes = {**_CODES, "year": "%Y", "month": "%m"}
    parts = match.groupdict()
    month = parts.get("month") or ""
    if month.isalpha():
        codes["month"] = "%b" if len(month) <= 4 else "%B"
    if len(parts.get("year") or "") == 2:
        codes["year"] = "%y"
    if parts.get("half"):
        codes["hour"] = "%I"
    if order == "yw":
        codes["year"] = "%G"
    spans = sorted((*match.span(name), code) for name, code in codes.items() if parts.get(name))
    template, end = "", spans[0][0]
    for start, stop, code in spans:
        template += example[end:start] + code
        end = stop
    return template + example[end:]


def _parsed(text: pa.Array, order: Order, zone: str | None) -> tuple[Floats, Floats, Mask]:
    """Seconds by the wall clock, offset in seconds and whether the zone is unknown, [rows] each."""
    parts = pc.extract_regex(text, _DATES[order] + _BEHIND.get(order, _TIME))
    days = _DAYS.get(order, _days)(parts, order)
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
    year = _number(parts, "year", np.nan)
    day = _number(parts, "day", 1.0 if order in ("ym", "by", "y") else np.nan)
    lengths = _lengths(_field(parts, "year"))
    if order == "by":
        short = _number(parts, "short", np.nan)
        lengths, year = np.where(np.isnan(short), lengths, 2), np.where(np.isnan(short), year, short)
    if order in ("dby", "bdy", "by", "bdty"):
        names = pc.utf8_lower(_field(parts, "month"))
        known = {name[:size]: number for number, name in enumerate(_MONTHS, 1) for size in (3, 4, len(name))}
        month = np.array([float(known.get(name or "", 0)) for name in names.to_pylist()])
    else:
        month = _number(parts, "month", 1.0 if order == "y" else np.nan)
    year = np.where(lengths == 2, year + np.where(year < _CENTURY_TURN, 2000, 1900), year)
    with np.errstate(invalid="ignore"):
        valid = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1)
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0).astype(np.int64).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + np.where(valid, day - 1, 0).astype(np.int64)
    valid &= dates.astype("datetime64[M]") == months
    return np.where(valid, dates.astype(np.int64), np.nan)


def _week_days(parts: pa.Array, _: Order) -> Floats:
    """Days since 1970 of ISO weeks [rows], their Mondays where no weekday is named; NaN for none."""
    year, week = _number(parts, "year", np.nan), _number(parts, "week", np.nan)
    monday = _first_monday(year) + 7 * (week - 1)
    with np.errstate(invalid="ignore"):
        valid = (week >= 1) & (monday < _first_monday(year + 1))
    return np.where(valid, monday + _number(parts, "weekday", 1.0) - 1, np.nan)


def _first_monday(year: Floats) -> Floats:
    """Days since 1970 of the Monday of the first ISO week, which holds the 4th of January; [rows]."""
    known = np.where(np.isnan(year), 1970, year)
    fourth = (known - 1970).astype(np.int64).astype("datetime64[Y]").astype("datetime64[D]").astype(
        np.int64
    ) + 3
    # 1970-01-01 was a Thursday.
    return np.where(np.isnan(year), np.nan, fourth - (fourth + 3) % 7)


def _quarter_days(parts: pa.Array, _: Order) -> Floats:
    """Days since 1970 of the first of quarters [rows]; NaN where there is none."""
    year, quarter = _number(parts, "year", np.nan), _number(parts, "quarter", np.nan)
    missing = np.isnan(year)
    months = np.where(missing, 0, (year - 1970) * 12 + 3 * (quarter - 1)).astype(np.int64)
    days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.float64)
    return np.where(missing, np.nan, days)


def _no_days(parts: pa.Array, _: Order) -> Floats:
    return np.where(np.isnan(_number(parts, "hour", np.nan)), np.nan, 0.0)


# What stands behind a date, and how days are counted, where that is not the usual way.
_BEHIND: Mapping[Order, str] = {"compact": _TIME_AFTER_DIGITS, "clock": "", "bdty": ""}
_DAYS: Mapping[Order, Callable[[pa.Array, Order], Floats]] = {
    "yw": _week_days,
    "yq": _quarter_days,
    "clock": _no_days,
}


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
