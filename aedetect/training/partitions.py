"""Columns that stand in the names of folders, such as month=01: which say nothing of the next dump."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from aedetect.io.completed import CompletedInput
from aedetect.io.files import FileInput
from aedetect.io.selected import origin
from aedetect.io.source import Input

_TIME_WORDS = frozenset(
    [
        "date", "day", "dt", "ds", "month", "mon", "year", "yr", "hour", "hr", "minute", "min", "week", "wk",
        "quarter", "qtr", "time", "timestamp", "ts", "ymd", "ym", "yyyy", "yyyymm", "yyyymmdd", "yearmonth",
        "period",
    ]
)  # fmt: skip
_WEEKDAYS = frozenset(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
_DATE = re.compile(r"(?:19|20)\d\d[-_/.]?(?:[01]\d(?:[-_/.]?[0-3]\d(?:[-_ T]?[\d:.]+Z?)?)?|[WwQq]\d\d?)")
_NUMBER = re.compile(r"\d+")
# More values than these, each of one file, are no categories that come again.
_MOST_VALUES = 12


def moving_partitions(inputs: Sequence[Input]) -> dict[str, str]:
    """Partition columns whose next value is always a new one, each with the reason why it is left out.

    Such are times, and numbers or many names of which each file has one of its own.
    """
    values: dict[str, list[str | None]] = {}
    for source in inputs:
        file = origin(source.source if isinstance(source, CompletedInput) else source)
        for name, value in file.location.partition if isinstance(file, FileInput) else ():
            values.setdefault(name, []).append(value)
    reasons = {name: _reason(name, [value for value in each if value]) for name, each in values.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def _reason(name: str, values: Sequence[str]) -> str | None:
    distinct = sorted(set(values), key=lambda text: (len(text) if text.isdecimal() else 0, text))
    if not distinct:
        return None
    if _are_times(name, distinct):
        what = "its folders name times"
    elif len(distinct) == len(values) and (
        all(map(_NUMBER.fullmatch, distinct)) or len(values) > _MOST_VALUES
    ):
        what = "each file has a folder of its own"
    else:
        return None
    span = distinct[0] if len(distinct) == 1 else f"{distinct[0]} to {distinct[-1]}"
    role = shlex.quote(f"{name}=categorical")
    return f"{what} ({span}); the next is always new (--role {role} learns it)"


def _are_times(name: str, values: Sequence[str]) -> bool:
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    if all(map(_DATE.fullmatch, values)):
        return True
    weekdays = all(value.lower()[:3] in _WEEKDAYS for value in values)
    return not _TIME_WORDS.isdisjoint(words) and not weekdays
