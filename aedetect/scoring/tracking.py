"""Thresholds that follow a series: the long-run share of alarms tends to the rate asked, whatever drifts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask

_BLOCK = 256
# An alarm that was clear is held while the score stays above half its height; one that is higher than so
# many clear ones, the longer, but at most so many times.
_HELD, _HIGH, _LONGEST = 0.5, 2.0, 16.0
# How much faster a level rises where alarms have lasted longer than they may.
_HURRY = 3.5


@dataclass(frozen=True)
class Pace:
    """How a level moves, in units of the log score.

    It goes up by `rise` with each step of an alarm, or, where that is more, by the share `approach` of
    what lies between it and the score; down by `fall` with each other step, and by `forget` where the
    score is below what was learned. Above a raised level an alarm begins only where the score exceeds it
    by `margin`, or by as much as it has risen where that is less: a score that stays at the level would
    otherwise set off alarm after alarm. An alarm that exceeded it by `clear` is held for up to `hold`
    steps, however far the level has risen, and the longer, the farther it did.

    So many steps of alarm as `hold` are allowed for, and as many more as the share `refill` of the others
    makes up for. Beyond these the level rises faster, and no alarm is held.
    """

    rise: float
    approach: float
    fall: float
    forget: float
    margin: float
    clear: float
    hold: float
    refill: float = 0.0


@dataclass(frozen=True)
class Level:
    """How far a threshold lies above the learned one, at least 0, and the alarm that goes on or is held.

    `base`: where the level was when it began; `peak`: its highest score above the learned threshold;
    `steps`: how long it has lasted, 0 where there is none. `spent`: steps of alarms not made up for yet.
    """

    value: float = 0.0
    in_alarm: bool = False
    base: float = 0.0
    peak: float = 0.0
    steps: int = 0
    spent: float = 0.0

    def held(self, excess: float, pace: Pace) -> bool:
        """Whether a step with that score above the learned threshold still is of the alarm."""
        height = self.peak - self.base
        if not self.steps or height <= pace.clear or self.spent >= pace.hold:
            return False
        longest = pace.hold * min(max(height / (_HIGH * max(pace.clear, 1e-9)), 1.0), _LONGEST)
        return self.steps < longest and excess > self.base + _HELD * height


@dataclass(frozen=True)
class Tracked:
    """What tracking gives.

    `flagged` [steps]: those of alarms. `limits` [steps]: what the score had to exceed, above the learned
    threshold. `level`: the state after the last step.
    """

    flagged: Mask
    limits: Floats
    level: Level


def track(excess: Floats, local: Mask, begin: Level, pace: Pace) -> Tracked:
    """Flag steps by `excess` [steps], log scores less the log of the learned threshold; NaN where unknown.

    Only steps marked in `local` [steps] are flagged. Quantile tracking (Gibbs & Candès, 2021) that never
    falls below what was learned: a level that is exceeded rises until it no longer is, and comes down
    slowly. It looks at no later step.
    """
    steps = len(excess)
    flagged, limits = np.zeros(steps, dtype=np.bool_), np.zeros(steps)
    values, eligible = excess.tolist(), local.tolist()
    above = np.flatnonzero(excess > 0)
    level, place = begin, 0
    while place < steps:
        value = values[place]
        if value > level.value:
            level, limits[place] = _exceeded(level, value, eligible[place], pace)
            flagged[place] = level.in_alarm and eligible[place]
        elif level.held(value, pace):
            limits[place] = level.base + _HELD * (level.peak - level.base)
            flagged[place] = eligible[place]
            lower, spent = max(level.value - pace.fall, 0.0), _spent(level, bool(flagged[place]), pace)
            level = replace(level, value=lower, in_alarm=False, steps=level.steps + 1, spent=spent)
        else:
            quiet, falling = _quiet_steps(excess, above, place, level.value, pace)
            limits[place : place + quiet] = falling[:-1] + np.minimum(falling[:-1], pace.margin)
            spent = _made_up_for(level.spent, quiet, pace)
            level, place = Level(float(falling[-1]), spent=spent), place + quiet
            continue
        place += 1
    return Tracked(flagged, limits, level)


def _exceeded(level: Level, excess: float, eligible: bool, pace: Pace) -> tuple[Level, float]:
    """The level after a step that exceeds it, and what that had to exceed to be of an alarm."""
    limit = level.value if level.in_alarm else level.value + min(level.value, pace.margin)
    in_alarm = level.in_alarm or excess > limit
    level = replace(level, spent=_spent(level, in_alarm and eligible, pace))
    if not eligible:
        return replace(level, in_alarm=in_alarm), limit
    hurry = _HURRY if level.spent >= pace.hold else 1.0
    way = excess - level.value
    risen = level.value + max(hurry * pace.rise, min(hurry * pace.approach, 1.0) * way)
    if not in_alarm:
        return Level(risen, spent=level.spent), limit
    if not level.steps:
        return Level(risen, True, level.value, excess, 1, level.spent), limit
    highest = max(level.peak, excess)
    return replace(level, value=risen, in_alarm=True, peak=highest, steps=level.steps + 1), limit


def _spent(level: Level, flagged: bool, pace: Pace) -> float:
    """Steps of alarms not made up for, after one more step."""
    return min(level.spent + 1, pace.hold) if flagged else _made_up_for(level.spent, 1, pace)


def _made_up_for(spent: float, steps: int, pace: Pace) -> float:
    """What is left of steps spent after `steps` others.

    Counted in whole parts of a step, so that it does not matter in how many calls the others come.
    """
    if not pace.refill:
        return spent
    parts = max(round(1 / pace.refill), 1)
    return max(round(spent * parts) - steps, 0) / parts


def _quiet_steps(excess: Floats, above: Integers, place: int, level: float, pace: Pace) -> tuple[int, Floats]:
    """How many steps from `place` on, at least 1, do not exceed a level that falls, and the level then.

    A block of steps at most. The level [quiet steps + 1] is that before each, and after the last.
    """
    if level <= 0:
        later = int(np.searchsorted(above, place))
        quiet = (int(above[later]) if later < len(above) else len(excess)) - place
        return quiet, np.zeros(quiet + 1)
    block = excess[place : place + _BLOCK]
    drops = np.where(block <= 0, pace.forget, pace.fall)
    falling = np.maximum(level - np.concatenate([[0.0], np.cumsum(drops)]), 0)
    beyond = block > falling[:-1]
    quiet = int(beyond.argmax()) if beyond.any() else len(block)
    return quiet, falling[: quiet + 1]
