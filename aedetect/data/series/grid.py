"""The grid of a series: slots one step apart that rows fall into, whether or not each slot has a row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aedetect.data.arrays import Floats, Integers
from aedetect.data.series.calendar import local_seconds
from aedetect.data.series.order import by_series

# A pause is a gap if it is longer than all but few, by far; shorter ones leave empty slots. So are those
# of so many steps: a window then still sees both sides.
_LONGEST_STEPS, _LONG_RANK, _BRIDGED = 2.0, 0.99, 200
# A usual step that would be off by so much of itself over the whole time is not taken as it is.
_OFF = 0.3


@dataclass(frozen=True)
class Grid:
    """Slots begin every `step` seconds, at `phase` after 1970; a pause beyond `gap` seconds ends a segment.

    `phase` None: as the rows at hand have it. With a `zone`, slots follow the clock on the wall there: those
    of an hour that is left out have no rows, and those of an hour that comes twice have the rows of both.
    """

    step: float
    gap: float
    phase: float | None = None
    zone: str | None = None

    @classmethod
    def fit(cls, seconds: Floats, series: Integers, every: float | None = None) -> Grid:
        """The grid of rows [rows], over all series; `every`: the step where it is given, in seconds.

        Where rows of a series bear one instant each or all the same, a step is a second.
        """
        members = [np.unique(seconds[places]) for _, places in by_series(seconds, series)]
        times = [part[~np.isnan(part)] for part in members]
        pauses = np.concatenate([np.empty(0), *(np.diff(part) for part in times)])
        if not len(pauses):
            step = every or 1.0
            return cls(step, _BRIDGED * step, _phase(times, step))
        step = every or _step(times, float(np.median(pauses)))
        longest = _LONGEST_STEPS * float(np.quantile(pauses, _LONG_RANK))
        return cls(step, max(_BRIDGED * step, longest), _phase(times, step))

    def on_the_wall(self, seconds: Floats, zone: str) -> Grid:
        """This grid of rows [rows] by the clock on the wall in `zone`."""
        return replace(self, phase=_phase([local_seconds(seconds, zone)], self.step), zone=zone)

    def slots(self, seconds: Floats) -> tuple[Integers, float]:
        """The number of the slot of each row [rows], which may be up to 30% of a step late, and the phase.

        `seconds`: by the clock that the slots follow.
        """
        phase = self.phase if self.phase is not None else _phase([seconds], self.step)
        return np.floor((seconds - phase) / self.step + 0.5).astype(np.int64), phase


def _step(times: list[Floats], usual: float) -> float:
    """The usual step, or where it would not do over the whole time, the mean of those near it."""
    counts = [np.round(np.diff(part) / usual).sum() for part in times]
    longest = int(np.argmax(counts))
    part, count = times[longest], float(counts[longest])
    if not count:
        return usual
    mean = float(part[-1] - part[0]) / count
    return mean if abs(mean - usual) * count > _OFF * usual and abs(mean / usual - 1) < _OFF / 10 else usual


def _phase(times: list[Floats], step: float) -> float:
    """Where in a step rows are, usually: the middle of the half circle that most of them are on."""
    places = np.concatenate([np.empty(0), *(part % step for part in times)]) / step
    if not len(places):
        return 0.0
    angles = 2 * np.pi * places
    center = np.angle(np.exp(1j * angles).mean()) / (2 * np.pi)
    # Around their mean direction, the median: few late rows do not count.
    around = (places - center + 0.5) % 1 - 0.5
    return float((center + np.median(around)) % 1 * step)
