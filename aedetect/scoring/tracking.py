"""Thresholds that follow a series: the long-run share of alarms tends to the rate asked, whatever drifts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask

_BLOCK = 256


@dataclass(frozen=True)
class Pace:
    """How a level moves, in units of the log score: up with each flagged step, down with each other.

    Above a raised level an alarm begins only where the score exceeds it by `margin`: a score that
    stays at the level would otherwise set off alarm after alarm.
    """

    rise: float
    fall: float
    margin: float


@dataclass(frozen=True)
class Level:
    """How far a threshold lies above the learned one, at least 0, and whether an alarm goes on."""

    value: float = 0.0
    in_alarm: bool = False


@dataclass(frozen=True)
class Tracked:
    """What tracking gives, [steps] each.

    `flagged`: the steps of alarms. `limits`: what the score had to exceed, above the learned threshold.
    `levels` and `in_alarm`: the state after each step.
    """

    flagged: Mask
    limits: Floats
    levels: Floats
    in_alarm: Mask

    def after(self, step: int, before: Level) -> Level:
        """The state after that step; `before`, the one tracking began with, where it is negative."""
        return before if step < 0 else Level(float(self.levels[step]), bool(self.in_alarm[step]))


def track(excess: Floats, local: Mask, begin: Level, pace: Pace) -> Tracked:
    """Flag steps by `excess` [steps], log scores less the log of the learned threshold; NaN where unknown.

    Only steps marked in `local` [steps] are flagged. Quantile tracking (Gibbs & Candès, 2021) that never
    falls below what was learned: a level that is exceeded rises until it no longer is, and comes down
    slowly. It looks at no later step.
    """
    steps = len(excess)
    flagged, on = np.zeros(steps, dtype=np.bool_), np.zeros(steps, dtype=np.bool_)
    limits, levels = np.zeros(steps), np.zeros(steps)
    values, eligible = excess.tolist(), local.tolist()
    above = np.flatnonzero(excess > 0)
    level, in_alarm, place = begin.value, begin.in_alarm, 0
    while place < steps:
        quiet, level = _quiet_steps(excess, above, place, level, pace)
        stop = place + quiet
        if quiet:
            in_alarm = False
            falling = np.maximum(level - pace.fall * np.arange(quiet + 1), 0)
            limits[place:stop] = np.where(falling[:-1] > 0, falling[:-1] + pace.margin, 0)
            levels[place:stop] = falling[1:]
            level, place = float(falling[-1]), stop
        while place < steps and values[place] > level:
            limits[place] = level if in_alarm or level <= 0 else level + pace.margin
            in_alarm = in_alarm or values[place] > limits[place]
            flagged[place] = in_alarm and eligible[place]
            level += pace.rise * eligible[place]
            levels[place], on[place] = level, in_alarm
            place += 1
    return Tracked(flagged, limits, levels, on)


def _quiet_steps(excess: Floats, above: Integers, place: int, level: float, pace: Pace) -> tuple[int, float]:
    """How many steps from `place` on do not exceed a falling level, at most a block, and that level."""
    if level <= 0:
        later = int(np.searchsorted(above, place))
        return (int(above[later]) if later < len(above) else len(excess)) - place, 0.0
    block = excess[place : place + _BLOCK]
    beyond = block > np.maximum(level - pace.fall * np.arange(len(block)), 0)
    return int(beyond.argmax()) if beyond.any() else len(block), level
