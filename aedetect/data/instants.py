"""What the instants of a column are like: their span, their days, and which cycles they go through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Literal

import numpy as np

from aedetect.data.arrays import Floats, Integers

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
    `lowest`, `highest`: the two at each end, the outermost first, how many there are, and the text of one.
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
        self._begin = self._end = float("nan")
        self._one_clock: float | None = None
        self._several_clocks = False
        self.lowest: list[tuple[float, int, str]] = []
        self.highest: list[tuple[float, int, str]] = []

    def update(self, seconds: Floats, text: Callable[[int], str] = str) -> None:
        """Take in instants, seconds since 1970 [rows], NaN where there is none; `text` of each by index."""
        known = seconds[~np.isnan(seconds)]
        if not len(known):
            return
        self.count += len(known)
        ends, counts = np.unique(known, return_counts=True)
        self.lowest = _outermost(self.lowest, ends[:2], counts[:2], seconds, text)
        self.highest = _outermost(self.highest, ends[:-3:-1], counts[:-3:-1], seconds, text, -1.0)
        self.first, self.last = min(self.first, float(known.min())), max(self.last, float(known.max()))
        clocks = known % DAY
        self.only_dates &= not clocks.any()
        self._begin = float(known[0]) if np.isnan(self._begin) else self._begin
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

    def add(self, later: InstantProfile) -> None:
        """Take in what was seen of the instants behind these."""
        if not later.count:
            return
        step = round(later._begin - self._end, 3) if self.count else float("nan")
        self._begin = self._begin if self.count else later._begin
        self._end = later._end
        self.count += later.count
        self.lowest = _joined(self.lowest, later.lowest)
        self.highest = _joined(self.highest, later.highest, -1.0)
        self.first, self.last = min(self.first, later.first), max(self.last, later.last)
        self.only_dates &= later.only_dates
        self.rises += later.rises + (step > 0)
        self.stays += later.stays + (step == 0)
        self.falls += later.falls + (step < 0)
        if len(self._steps) < _MOST_STEPS:
            self._steps.update({step: 1} if step > 0 else {})
            self._steps.update(later._steps)
        self._several_clocks |= later._several_clocks or self._one_clock not in (None, later._one_clock)
        if self._one_clock is None:
            self._one_clock = later._one_clock
        if len(self._days) < _MOST_DAYS:
            self._days |= later._days

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


def _outermost(
    before: list[tuple[float, int, str]],
    ends: Floats,
    counts: Integers,
    seconds: Floats,
    text: Callable[[int], str],
    way: float = 1.0,
) -> list[tuple[float, int, str]]:
    """The two instants farthest out, of those `before` and the `ends` of a batch of `seconds` [rows]."""
    merged = {end: (count, shown) for end, count, shown in before}
    for end, count in zip(ends.tolist(), counts.tolist(), strict=True):
        known = merged.get(end)
        if known is not None:
            merged[end] = (known[0] + count, known[1])
        elif len(before) < 2 or way * end < way * before[-1][0]:
            merged[end] = (count, text(int(np.flatnonzero(seconds == end)[0])))
    order = sorted(merged, key=lambda end: way * end)[:2]
    return [(end, *merged[end]) for end in order]


def _joined(
    before: list[tuple[float, int, str]], later: list[tuple[float, int, str]], way: float = 1.0
) -> list[tuple[float, int, str]]:
    """The two instants farthest out of two lists of them."""
    merged = {end: (count, shown) for end, count, shown in before}
    for end, count, shown in later:
        known = merged.get(end, (0, shown))
        merged[end] = (known[0] + count, known[1])
    return [(end, *merged[end]) for end in sorted(merged, key=lambda end: way * end)[:2]]
