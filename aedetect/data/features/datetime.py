"""Instants as positions on the cycles they may follow: day, week, year."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from aedetect.data.arrays import Floats
from aedetect.data.instants import DAY, PERIODS, Cycle

# 1970-01-01 was a Thursday; weeks are counted from a Monday.
MONDAY = -3 * DAY
# Days back from the last one among which an instant is looked for: a little more than a year.
_MOST_DAYS = 371
_OUTSIDE = 1e6
# A Monday, from which the phase of the year is counted.
_YEAR_BEGINS = date(1969, 12, 29)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def encode(seconds: np.ndarray[Any, Any], names: tuple[Cycle, ...]) -> Floats:
    """Sine and cosine of the phase in each cycle, scaled to unit spread; [rows, 2 · cycles]."""
    parts = []
    for name in names:
        phase = 2 * np.pi * ((seconds - MONDAY) % PERIODS[name]) / PERIODS[name]
        parts += [np.sqrt(2) * np.sin(phase), np.sqrt(2) * np.cos(phase)]
    return np.stack(parts, axis=1)


def decode(parts: np.ndarray[Any, Any], names: tuple[Cycle, ...]) -> list[str | None]:
    """Phases as words, 'Tue 14:30', 'Tue' or '14:30'; the year's phase as 'about 2 Jan'; [rows]."""
    words: list[str | None] = []
    for row in parts:
        if np.isnan(row).any():
            words.append(None)
            continue
        said = {}
        for index, name in enumerate(names):
            turn = (np.arctan2(row[2 * index], row[2 * index + 1]) / (2 * np.pi)) % 1.0
            said[name] = turn * PERIODS[name] / DAY
        clock = []
        if "week" in said:
            # Without a time of day, phases are those of midnights, which rounding may leave on either side.
            days = said["week"] if "day" in said else round(said["week"], 3)
            clock.append(_WEEKDAYS[int(days) % 7])
        if "day" in said:
            minutes = round(said["day"] * 1440) % 1440
            clock.append(f"{minutes // 60:02d}:{minutes % 60:02d}")
        parts_said = [" ".join(clock)] if clock else []
        if "year" in said:
            # A year of the cycle is as long as years are in the mean: the day may be the one before or after.
            parts_said.append(f"about {_YEAR_BEGINS + timedelta(days=said['year']):%-d %b}")
        words.append(", ".join(parts_said))
    return words


def nearest(parts: np.ndarray[Any, Any], names: tuple[Cycle, ...], first: float, last: float) -> Floats:
    """Instants from `first` to `last` whose phases are most like `parts` [rows, 2 · cycles]; [rows].

    Seconds since 1970; NaN where a part is. Of days that fit alike, the last of the span.
    """
    turns = np.arctan2(parts[:, 0::2], parts[:, 1::2]) / (2 * np.pi) % 1.0
    # Where all training instants had one time of day, so have these.
    clock = turns[:, names.index("day")] * DAY if "day" in names else np.full(len(parts), first % DAY)
    midnight = np.floor(last / DAY) * DAY
    count = min(int((midnight - np.floor(first / DAY) * DAY) / DAY), _MOST_DAYS) + 1
    days = midnight - DAY * np.arange(count)
    instants = days[None, :] + clock[:, None]
    # Only where no day has that time of day within the span, one outside is moved to its end.
    misfit = np.where((instants < first) | (instants > last), _OUTSIDE, 0.0)
    for index, name in enumerate(names):
        if name == "day":
            continue
        phase = ((instants - MONDAY) % PERIODS[name]) / PERIODS[name]
        # Distance on the circle, in days: a day off weighs the same in a week and in a year.
        apart = np.abs((phase - turns[:, index, None] + 0.5) % 1.0 - 0.5)
        misfit += (apart * PERIODS[name] / DAY) ** 2
    missing = np.isnan(turns).any(axis=1)
    best = np.where(missing, 0, np.argmin(np.where(np.isnan(misfit), np.inf, misfit), axis=1))
    return np.where(missing, np.nan, np.clip(days[best] + clock, first, last))
