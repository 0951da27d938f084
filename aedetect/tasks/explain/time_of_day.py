"""What instants of rows alike have in common: the time of day, the day of the week, the month."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from aedetect.data.arrays import Floats
from aedetect.data.instants import DAY, PERIODS, Cycle

ANY_TIME, NO_VALUE = "any time", "no value"
# Up to this spread on the circle (Mardia & Jupp, 2000), in days, instants have a cycle's phase in common.
_MOST_SPREAD: dict[Cycle, float] = {"day": 3 / 24, "week": 0.75, "year": 30.0}
_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_QUARTER = 15
# Phases of the year are counted from a Monday, the 29th of December.
_YEAR_BEGINS = date(1969, 12, 29)


def in_common(parts: Floats, cycles: tuple[Cycle, ...]) -> str:
    """In words, from scaled sines and cosines of phases [rows, 2 · cycles]: 'Sundays, about 14:30'."""
    parts = parts[~np.isnan(parts).any(axis=1)]
    if not len(parts):
        return NO_VALUE
    phrases: dict[Cycle, str] = {}
    for index, name in enumerate(cycles):
        sine, cosine = parts[:, 2 * index : 2 * index + 2].mean(axis=0) / np.sqrt(2)
        length = min(float(np.hypot(sine, cosine)), 1.0)
        days = PERIODS[name] / DAY
        spread = np.sqrt(-2 * np.log(max(length, 1e-12))) / (2 * np.pi) * days
        if spread <= _MOST_SPREAD[name]:
            phrases[name] = _named(name, (np.arctan2(sine, cosine) / (2 * np.pi)) % 1.0 * days)
    return ", ".join(phrases[name] for name in ("week", "day", "year") if name in phrases) or ANY_TIME


def _named(cycle: Cycle, days: float) -> str:
    if cycle == "day":
        minutes = round(days * 1440 / _QUARTER) * _QUARTER % 1440
        return f"about {minutes // 60:02d}:{minutes % 60:02d}"
    if cycle == "week":
        return _WEEKDAYS[int(days) % 7]
    return f"in {_YEAR_BEGINS + timedelta(days=days):%B}"
