"""Hours, days and weeks by the clock on the wall, and days that file names tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np

from aedetect.data.arrays import Floats, Integers
from aedetect.data.series.calendar import DAY, WEEK, local_seconds
from aedetect.io.source import Input
from aedetect.tasks.backtest.budget import Period
from aedetect.tasks.backtest.tally import UNTIMED

HOUR = 3600.0
SECONDS: dict[Period, float] = {"hour": HOUR, "day": DAY, "week": WEEK}
# 1970 began on a Thursday; weeks begin on Mondays.
_FIRST_MONDAY = 4 * DAY
_EPOCH = date(1970, 1, 1)
_DATE = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<mark>[-_.]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(?!\d)"
)


def on_the_wall(seconds: Floats, zone: str | None) -> Floats:
    """Seconds since 1970 [rows] as those by the clock on the wall in `zone`; NaN stays NaN."""
    known = np.isfinite(seconds)
    local = np.full(len(seconds), np.nan)
    local[known] = local_seconds(np.asarray(seconds[known]), zone)
    return local


def keys_of(local: Floats, period: Period) -> Integers:
    """The numbers of the hours, days or weeks [rows] of times by the wall clock; UNTIMED where NaN."""
    known = np.isfinite(local)
    keys = np.full(len(local), UNTIMED, dtype=np.int64)
    begin = _FIRST_MONDAY if period == "week" else 0.0
    keys[known] = np.floor((local[known] - begin) / SECONDS[period]).astype(np.int64)
    return keys


def name_of(key: int, period: Period) -> str:
    """'2026-02-03', '2026-02-03 14:00' or 'the week of 2026-02-02'."""
    begin = key * SECONDS[period] + (_FIRST_MONDAY if period == "week" else 0.0)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=begin)
    if period == "hour":
        return f"{moment:%Y-%m-%d %H:%M}"
    return f"the week of {moment:%Y-%m-%d}" if period == "week" else f"{moment:%Y-%m-%d}"


def dates_in_names(inputs: Sequence[Input]) -> list[float] | None:
    """The day in each input's name, as seconds since 1970 at its beginning; None where some name has none."""
    days = [_date_in(source.name) for source in inputs]
    if any(day is None for day in days):
        return None
    return [(day - _EPOCH).days * DAY for day in days if day is not None]


def _date_in(name: str) -> date | None:
    """The last date in a name: that of the file goes before those of its folders."""
    for match in reversed(list(_DATE.finditer(name))):
        try:
            return date(int(match["year"]), int(match["month"]), int(match["day"]))
        except ValueError:
            # Thirteen months, or a 30 February: some other number.
            continue
    return None
