"""What the instants of a column are like: their span, their days, and which cycles they go through."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np

from aedetect.data.arrays import Floats

Cycle = Literal["day", "week", "year"]
DAY = 86400.0
PERIODS: dict[Cycle, float] = {"day": DAY, "week": 7 * DAY, "year": 365.2425 * DAY}

# Counted no further.
_MOST_DAYS, _MOST_STEPS = 100, 100
# From fewer days, two of each weekday, or a month of each season, nothing can be learned of a cycle.
_LEAST_DAYS: dict[Cycle, int] = {"day": 1, "week": 14, "year": 24}


class InstantProfile:
    """Statistics of the instants in a column, batch by batch.

    `first`, `last`: seconds since 1970. `only_dates`: all at midnight. `rises`, `stays`, `falls`: how many
    are after, at and before the one above them. `of_no_day`: times of day, in seconds since midnight.
    """

    def __init__(self, of_no_day: bool = False) -> None:
        self.of_no_day = of_no_day
        self.count = 0
        self.first = float("inf")
        self.last = float("-inf")
        self.only_dates = True
        self._days: set[float] = set()
        self.rises = self.stays = self.falls = 0
        self._steps: Counter[float] = Counter()
        self._end = float("nan")
        self._one_clock: float | None = None
        self._several_clocks = False

    def update(self, seconds: Floats) -> None:
        """Take in instants, seconds since 1970 [rows]; NaN where there is none."""
        known = seconds[~np.isnan(seconds)]
        if not len(known):
            return
        self.count += len(known)
        self.first, self.last = min(self.first, float(known.min())), max(self.last, float(known.max()))
        clocks = known % DAY
        self.only_dates &= not clocks.any()
        steps = np.diff(np.r_[self._end, known])
        steps = np.round(steps[~np.isnan(steps)], 3)
        self._end = float(known[-1])
        self.rises, self.stays = self.rises + int((steps > 0).sum()), self.stays + int((steps == 0).sum())
        self.falls += int((steps < 0).sum())
        if len(self._steps) < _MOST_STEPS:
            values, counts = np.unique(steps[steps > 0], return_counts=True)
            few = np.argsort(-counts)[:_MOST_STEPS]
            self._steps.update(dict(zip(values[few].tolist(), counts[few].tolist(), strict=True)))
        if self._one_clock is None:
            self._one_clock = float(clocks[0])
        self._several_clocks = self._several_clocks or bool((clocks != self._one_clock).any())
        if len(self._days) < _MOST_DAYS:
            self._days.update(np.unique(np.floor(known / DAY)).tolist())

    @property
    def rising(self) -> bool:
        """Whether none is before the one above it."""
        return not self.falls

    @property
    def usual_step(self) -> tuple[float, int]:
        """The most frequent step forward from one to the next in seconds, and how often; 0 for none."""
        return max(self._steps.items(), key=lambda step: step[1], default=(0.0, 0))

    @property
    def days(self) -> int:
        """On how many different days they lie, up to a hundred."""
        return len(self._days)

    @property
    def cycles(self) -> tuple[Cycle, ...]:
        """The cycles that they went through at least twice, and in which they do not all stand alike."""
        if self.of_no_day:
            # Those that only rise are of one day, and may cover an hour of it.
            return () if self.rising and self.last - self.first < DAY / 2 else ("day",)
        weekdays = {day % 7 for day in self._days}
        firsts = np.array(sorted(self._days), dtype=np.int64).astype("datetime64[D]")
        monthly = len(firsts) > 0 and bool((firsts == firsts.astype("datetime64[M]")).all())
        alike: dict[Cycle, bool] = {
            "day": not self._several_clocks,
            # The weekday on which a month begins means nothing.
            "week": len(weekdays) < 2 or monthly,
            "year": False,
        }
        return tuple(
            name
            for name, period in PERIODS.items()
            if self.last - self.first >= 2 * period
            and not alike[name]
            and len(self._days) >= _LEAST_DAYS[name]
        )
