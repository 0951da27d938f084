"""What stays odd after an alarm has adapted to it is flagged again now and then, for a while."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Mask
from aedetect.data.series.order import runs

# In so many intervals between reminders a step has to be odd, or the alarm is over.
_REACH = 1.5
# From the beginning of an alarm there are reminders for so many intervals.
_LONGEST = 16.0
# Of the steps since the last flagged one, so many may be as usual.
_IDLE = 0.5


@dataclass(frozen=True)
class LastAlarm:
    """How long ago an alarm was, in steps; infinite where there was none.

    `steps`: since its last flagged step, 0 right after it. `idle`: those of them that were not odd. `began`:
    since its first flagged step.
    """

    steps: float = math.inf
    idle: float = 0.0
    began: float = math.inf


@dataclass(frozen=True)
class Reminded:
    """What comes of reminding.

    `flagged` [steps]: reminders. `continued` [steps]: flagged steps, or reminders, of the same alarm as the
    last one before them. `last`: how long ago that was after the last step.
    """

    flagged: Mask
    continued: Mask
    last: LastAlarm


def remind(flagged: Mask, silenced: Mask, begin: LastAlarm, every: float) -> Reminded:
    """Flag one of `every` steps while what set off an alarm lasts, for sixteen times as long at most.

    `flagged` [steps]: those of alarms; `silenced` [steps]: odd ones that are not flagged, as the series has
    been like that for some time. It looks at no later step.
    """
    return _Reminders(flagged, silenced, begin, every).run()


class _Reminders:
    def __init__(self, flagged: Mask, silenced: Mask, begin: LastAlarm, every: float):
        self._every, self._reach = every, _REACH * every
        self._steps = len(flagged)
        self._odd = np.flatnonzero(silenced)
        self._runs = runs(flagged)
        # How many steps before each one are not odd.
        self._idle = np.r_[0, np.cumsum(~(flagged | silenced))]
        self._idle_before = begin.idle
        self._last, self._began = -1 - begin.steps, -1 - begin.began
        self._flags, self._continued = (np.zeros(self._steps, dtype=np.bool_) for _ in range(2))

    def run(self) -> Reminded:
        for first, end in self._runs.tolist():
            self._remind_until(first)
            self._continued[first], self._continued[first + 1 : end] = self._goes_on(first), True
            if first - self._last > self._reach:
                self._began = first
            self._last = end - 1
        self._remind_until(self._steps)
        steps, began = self._steps - 1 - self._last, self._steps - 1 - self._began
        last = LastAlarm(steps, self._idle_since(self._steps), began)
        return Reminded(self._flags, self._continued, last)

    def _remind_until(self, end: int) -> None:
        place = int(np.searchsorted(self._odd, self._last + self._every))
        while place < len(self._odd) and self._odd[place] < end:
            step = int(self._odd[place])
            if step - self._last > self._reach or step - self._began > _LONGEST * self._every:
                return
            if self._goes_on(step):
                self._flags[step] = self._continued[step] = True
                self._last = step
                place = int(np.searchsorted(self._odd, step + self._every))
            else:
                place += 1

    def _goes_on(self, step: int) -> bool:
        apart = step - self._last
        return apart <= self._reach and self._idle_since(step) <= _IDLE * apart

    def _idle_since(self, step: int) -> float:
        """How many steps between the last flagged one and this are not odd."""
        if self._last < 0:
            return self._idle_before + float(self._idle[step])
        return float(self._idle[step] - self._idle[int(self._last) + 1])
