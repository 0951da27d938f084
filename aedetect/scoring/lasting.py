"""Events that last: held as one, until they have lasted so long that what they show counts as normal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from aedetect.data.arrays import Floats, Mask
from aedetect.scoring.tracking import Level

# What an event shows is taken from its second half: in the first one things may still be moving.
_SETTLED = 0.5
# The level that counts as normal lies so many standard deviations above what the event showed on average.
_SPREADS = 3.0


@dataclass(frozen=True)
class Shown:
    """What the log scores of an event exceed the learned threshold by: their count, mean and summed squares.

    `squares`: of the differences from the mean (Welford, 1962).
    """

    count: float = 0.0
    mean: float = 0.0
    squares: float = 0.0

    def and_one(self, excess: float) -> Shown:
        """With one more step; as it is for one of which nothing is known."""
        if math.isnan(excess):
            return self
        count, apart = self.count + 1, excess - self.mean
        mean = self.mean + apart / count
        return Shown(count, mean, self.squares + apart * (excess - mean))

    @property
    def height(self) -> float:
        """What counts as normal from now on, above the learned threshold."""
        return self.mean + _SPREADS * math.sqrt(self.squares / self.count) if self.count else 0.0


@dataclass(frozen=True)
class Lasting:
    """The event that goes on.

    `began`: steps since its first one, infinite where there is none. `quiet`: through so many steps that are
    as usual it goes on. By scale, `floors`: what was normal when it began, above the learned threshold; and
    `shown`: what it has shown since it settled.
    """

    began: float = math.inf
    quiet: float = 0.0
    floors: Mapping[str, float] = field(default_factory=dict)
    shown: Mapping[str, Shown] = field(default_factory=dict)

    @property
    def goes_on(self) -> bool:
        return math.isfinite(self.began)

    def raised(self, levels: Mapping[str, Level]) -> dict[str, Level]:
        """The levels of the scales once what the event shows counts as normal."""
        return {
            name: Level(max(level.value, self.shown.get(name, Shown()).height), spent=level.spent)
            for name, level in levels.items()
        }


@dataclass(frozen=True)
class Held:
    """What comes of holding an event; [steps] each.

    `flagged`: steps of events, those of alarms among them. `continued`: those of the same event as the one
    before. `adopted`: the step from which on what the event shows is normal, None where none is; nothing is
    said of it and those after it. `lasting`: the event that goes on after the last step, or up to `adopted`.
    """

    flagged: Mask
    continued: Mask
    adopted: int | None
    lasting: Lasting


@dataclass(frozen=True)
class Patience:
    """For how many steps an event is held: `after` so many, what it shows counts as normal.

    It goes on through `gap` steps that are as usual, and once it has lasted through as many as it did, but
    `quiet` at most.
    """

    after: float
    gap: float
    quiet: float


def hold(
    flagged: Mask,
    excess: Mapping[str, Floats],
    limits: Mapping[str, Floats],
    begin: Lasting,
    patience: Patience,
) -> Held:
    """Flag what is odd for as long as the event that an alarm began goes on.

    `flagged` [steps]: those of alarms. By scale, `excess` [steps]: by how much log scores exceed the learned
    threshold, NaN where they are not off themselves; `limits` [steps]: what they had to exceed. Odd is what
    exceeds the limits that held when the event began. It looks at no later step.
    """
    return _Holding(flagged, excess, limits, patience).run(begin)


class _Holding:
    def __init__(
        self,
        flagged: Mask,
        excess: Mapping[str, Floats],
        limits: Mapping[str, Floats],
        patience: Patience,
    ):
        self._alarms, self._patience = np.flatnonzero(flagged), patience
        self._flagged = flagged.tolist()
        self._excess = {name: values.tolist() for name, values in excess.items()}
        self._limits = limits
        self._flags, self._continued = flagged.copy(), np.zeros_like(flagged)

    def run(self, lasting: Lasting) -> Held:
        place, steps = 0, len(self._flagged)
        while place < steps:
            if not lasting.goes_on:
                coming = int(np.searchsorted(self._alarms, place))
                if coming == len(self._alarms):
                    break
                place = int(self._alarms[coming])
                floors = {name: float(values[place]) for name, values in self._limits.items()}
                lasting = Lasting(0.0, 0.0, floors)
            odd = self._flagged[place] or self._is_odd(place, lasting)
            if odd and lasting.began >= self._patience.after:
                return Held(self._flags[:place], self._continued[:place], place, lasting)
            if odd:
                self._flags[place], self._continued[place] = True, lasting.began > 0
            lasting = self._after(place, odd, lasting)
            place += 1
        return Held(self._flags, self._continued, None, lasting)

    def _is_odd(self, place: int, lasting: Lasting) -> bool:
        return any(values[place] > lasting.floors.get(name, 0.0) for name, values in self._excess.items())

    def _after(self, place: int, odd: bool, lasting: Lasting) -> Lasting:
        """The event after one more step."""
        gap, most = self._patience.gap, self._patience.quiet
        quiet = min(max(lasting.quiet + 1, gap), max(most, gap)) if odd else lasting.quiet - 1
        if quiet < 0:
            return Lasting()
        shown = lasting.shown
        if odd and lasting.began >= _SETTLED * self._patience.after:
            shown = {
                name: shown.get(name, Shown()).and_one(values[place]) for name, values in self._excess.items()
            }
        return replace(lasting, began=lasting.began + 1, quiet=quiet, shown=shown)
