"""Ticks of an axis of time: round instants by the clock of the data, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from aedetect.data.series.timestamps import Clock
from aedetect.tasks.report.charts import Axis, number

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
# The page's script has the same steps, for when it zooms.
STEPS = (
    *(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 15, 30),
    *(_MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * count for count in (1, 2, 3, 6, 12)),
    *(_DAY * count for count in (1, 2, 7, 14)),
)
MONTHS = (1, 3, 6, *(12 * years for years in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)))
MOST = 6
_MONTH_SECONDS = 30.44 * _DAY


@dataclass(frozen=True)
class Tick:
    """An instant in seconds since 1970, and how it is written."""

    seconds: float
    text: str


def time_ticks(start: float, end: float, clock: Clock) -> list[Tick]:
    """At most about `MOST` round instants from `start` to `end`."""
    if clock.kind == "count":
        return [Tick(value, number(value)) for value in Axis(start, end, 0, 1).ticks(MOST)]
    zone: tzinfo = ZoneInfo(clock.zone) if clock.zone else UTC
    length = max(end - start, 1e-3)
    step = next((step for step in STEPS if length / step <= MOST), None)
    if step is None:
        months = next((count for count in MONTHS if length / (_MONTH_SECONDS * count) <= MOST), MONTHS[-1])
        moments = _months(start, end, months, zone)
        return [Tick(one.timestamp(), f"{one:%Y-%m}" if months < 12 else f"{one:%Y}") for one in moments]
    moments = _moments(start, end, step, zone)
    return [Tick(one.timestamp(), _text(one, step, not place)) for place, one in enumerate(moments)]


def _moments(start: float, end: float, step: float, zone: tzinfo) -> list[datetime]:
    """Multiples of `step` seconds on the wall's clock, as instants."""
    first = datetime.fromtimestamp(start, zone)
    wall = (first.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    count = -int(-wall // step)
    moments: list[datetime] = []
    while True:
        text = datetime(1970, 1, 1) + timedelta(seconds=round(count * step, 3))
        moment = text.replace(tzinfo=zone)
        if moment.timestamp() > end + 1e-6:
            return moments
        if moment.timestamp() >= start - 1e-6:
            moments.append(moment)
        count += 1


def _months(start: float, end: float, months: int, zone: tzinfo) -> list[datetime]:
    first = datetime.fromtimestamp(start, zone)
    count = -(-(12 * first.year + first.month - 1) // months)
    moments: list[datetime] = []
    while True:
        year, month = divmod(count * months, 12)
        if year > MAXYEAR:
            return moments
        moment = datetime(year, month + 1, 1, tzinfo=zone)
        if moment.timestamp() > end:
            return moments
        if moment.timestamp() >= start:
            moments.append(moment)
        count += 1


def _text(moment: datetime, step: float, first: bool) -> str:
    """A date where a day or the axis begins, else a time of day."""
    time = f"{moment:%H:%M}" if step >= _MINUTE else f"{moment:%H:%M:%S}"
    if step < 1:
        time += f".{moment.microsecond // 1000:03d}"
    date = f"{moment:%Y-%m-%d}"
    if step >= _DAY or (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0):
        return date
    return f"{date} {time}" if first else time
