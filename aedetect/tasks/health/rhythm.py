"""The rhythm in which deliveries come: how often, on which days, how long after their date."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from statistics import median

from aedetect.engine.deliveries import Delivery
from aedetect.tasks.health.limits import LEAST, LOOKED_AT

HOUR, DAY, WEEK = 3600.0, 86_400.0, 604_800.0
# Steps that a day or a week is a whole number of.
_STEPS = (*(60.0 * minutes for minutes in (1, 2, 5, 10, 15, 20, 30)), *(
    HOUR * hours for hours in (1, 2, 3, 4, 6, 8, 12)), DAY, WEEK)  # fmt: skip
# A delivery may be so much of a step from its time, and so many of them must not be further away.
_NEAR, _MOST = 0.25, 0.8
# Of the same place in the week or the day, so many of the last are looked at; a delivery is expected where
# so large a share of them came.
_PLACES, _EXPECTED = 8, 0.75
# Of the deliveries that came, such a share must have been expected.
_FORESEEN = 0.5
# After so many expected deliveries without one, a stream has ended.
ENDED = 30
# How far ahead or back it is looked for those that were expected, in steps.
_FURTHEST = 2_000


@dataclass(frozen=True)
class Rhythm:
    """Deliveries come every `step` seconds, the first of them at `phase` (seconds since 1970).

    `slots`: the numbers of the steps that one came at, ascending. `lag`: seconds from the time a delivery
    stands for to its arrival, usually; `slack`: how much later it may be.
    """

    step: float
    phase: float
    slots: Sequence[int]
    lag: float
    slack: float
    dated: bool

    @classmethod
    def of(cls, deliveries: Sequence[Delivery]) -> Rhythm | None:
        """The rhythm of deliveries of a stream, in any order; None where there is none, or too few."""
        times = sorted({delivery.due for delivery in deliveries})
        if len(times) < LEAST:
            return None
        newest = times[-2 * LOOKED_AT :]
        step = _step_of(median(later - earlier for earlier, later in pairwise(newest)))
        # Which days of the week have none shows after a week.
        if step is None or times[-1] - times[0] < WEEK - (1 + _NEAR) * DAY:
            return None
        phase = _phase(newest, step)
        off = [abs(time - phase - step * round((time - phase) / step)) for time in newest]
        if sum(each <= _NEAR * step for each in off) < _MOST * len(off):
            return None
        slots = sorted({round((time - phase) / step) for time in times})
        dated = deliveries[0].dated
        lags = [delivery.arrived - delivery.due for delivery in deliveries] if dated else off
        lag, slack = _lag(lags[:LOOKED_AT], step) if dated else (0.0, max(_NEAR * step, 5 * median(off)))
        rhythm = cls(step, phase, slots, lag, slack, dated)
        # Whole days may lie between them, and yet no days of the week show.
        late = slots[len(slots) // 2 :][-LOOKED_AT:]
        known = sum(map(rhythm.expects, late))
        return rhythm if known >= _FORESEEN * len(late) else None

    def slot(self, due: float) -> int:
        """The number of the step that is nearest to a time."""
        return round((due - self.phase) / self.step)

    def due(self, slot: int) -> float:
        """The time that a delivery of that step stands for, in seconds since 1970."""
        return self.phase + slot * self.step

    def deadline(self, slot: int) -> float:
        """The latest time, in seconds since 1970, at which the delivery of that step usually comes."""
        return self.due(slot) + self.lag + self.slack

    @property
    def cycles(self) -> list[int]:
        """After how many steps the same hour comes again, and the same day of the week: the longer first."""
        return [round(cycle / self.step) for cycle in (WEEK, DAY) if cycle / self.step >= 2]

    def expects(self, slot: int) -> bool:
        """Whether a delivery is expected at a step, by what came at that place of the week, or the day."""
        came, last, cycles = set(self.slots), self.slots[-1], self.cycles
        # Of steps after the last, what came before it speaks.
        for cycle in (*cycles, 1):
            first = slot - cycle * max(1, math.ceil((slot - last) / cycle))
            places = range(first, self.slots[0] - 1, -cycle)[:_PLACES]
            if len(places) >= (1 if len(cycles) < 2 else 2):
                return sum(place in came for place in places) >= _EXPECTED * len(places)
        return False

    def lacking(self, after: int, before: int) -> list[int]:
        """The steps between two, without them, at which a delivery was expected and none came."""
        came = set(self.slots)
        between = range(after + 1, min(before, after + _FURTHEST))
        return [slot for slot in between if slot not in came and self.expects(slot)]

    def overdue(self, now: float) -> list[int]:
        """The steps after the last delivery at which another was expected, and should have come by now."""
        last = self.slots[-1]
        later = range(last + 1, last + _FURTHEST)
        return [
            slot for slot in takewhile(lambda slot: self.deadline(slot) < now, later) if self.expects(slot)
        ]

    def shown(self, slot: int) -> str:
        """The time that a delivery stands for, as people read it: a date where they come by the day."""
        moment = datetime.fromtimestamp(self.due(slot), UTC)
        if self.step >= DAY and (self.dated or self.step > DAY):
            return f"{moment:%Y-%m-%d}"
        return f"{moment:%Y-%m-%d %H:%M} UTC"

    @property
    def words(self) -> str:
        """'every day', 'every 6 hours'."""
        named = {WEEK: "every week", DAY: "every day", HOUR: "every hour"}
        if self.step in named:
            return named[self.step]
        hours = self.step / HOUR
        return f"every {hours:g} hours" if hours > 1 else f"every {self.step / 60:g} minutes"

    def place_words(self, slot: int, cycle: int) -> str:
        """What deliveries at the same place of a cycle are called: 'Sundays', 'those of 03:00'."""
        moment = datetime.fromtimestamp(self.due(slot), UTC) + timedelta(seconds=30)
        if self.step == DAY:
            return f"{moment:%A}s"
        return f"{moment:%A}s {moment:%H:%M}" if cycle * self.step >= WEEK else f"{moment:%H:%M}"


def _step_of(gap: float) -> float | None:
    """The step that deliveries with this gap, usually, come in. Days are left out: Mon, Wed, Fri, say."""
    for step in _STEPS:
        if abs(gap - step) <= _NEAR * step:
            return step
    return DAY if DAY < gap < WEEK and abs(gap / DAY - round(gap / DAY)) <= _NEAR else None


def _phase(times: Sequence[float], step: float) -> float:
    """The time of the first step, from all times: they may lie on either side of a step's end."""
    angles = [2 * math.pi * (time % step) / step for time in times]
    mean = math.atan2(sum(map(math.sin, angles)), sum(map(math.cos, angles)))
    shift = mean / (2 * math.pi) * step
    return shift if shift > 1e-6 * step or shift < -1e-6 * step else 0.0


def _lag(lags: Sequence[float], step: float) -> tuple[float, float]:
    """How long after its date a file comes, and how much later it may be.

    Files that were copied long after do not count; where few others are known, one is due by the end of the
    step after the one it stands for.
    """
    sane = [lag for lag in lags if 0 <= lag <= 2 * step]
    if len(sane) < LEAST:
        return 2 * step, 0.0
    usual = median(sane)
    return usual, max(_NEAR * step, 5 * median(abs(lag - usual) for lag in sane))
