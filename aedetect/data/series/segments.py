"""Rows in the order of time, per series, cut where one ends or has a gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask

# A pause is a gap if it is this much longer than the usual step, and than nearly all steps: a
# market that is closed at weekends has no gap every week.
_STEPS, _LONGEST_STEPS, _LONG_RANK = 3.0, 2.0, 0.99


@dataclass(frozen=True)
class Interval:
    """Seconds between two steps, and the pause from which on there is a gap."""

    step: float
    gap: float


@dataclass(frozen=True)
class Timeline:
    """Where the rows stand in time. Positions count the sorted rows.

    `order` [sorted rows]: the row at each position. `starts`, `lengths` [segments]: runs of
    rows of one series without a gap. `first` [segments]: whether the segment begins its series.
    `series` [segments]: whose it is.
    """

    order: Integers
    starts: Integers
    lengths: Integers
    first: Mask
    series: Integers

    @classmethod
    def of(cls, seconds: Floats, series: Integers, gap: float) -> Timeline:
        """Sort rows [rows] by series and time; those of one instant stay in their order.

        Rows without a time (NaN) are nowhere.
        """
        timed = np.flatnonzero(~np.isnan(seconds))
        order = timed[np.lexsort((seconds[timed], series[timed]))]
        if not len(order):
            nothing = np.empty(0, dtype=np.int64)
            return cls(order, nothing, nothing, np.empty(0, dtype=np.bool_), nothing)
        owners = series[order]
        new = np.r_[True, owners[1:] != owners[:-1]]
        paused = np.r_[False, np.diff(seconds[order]) > gap]
        starts = np.flatnonzero(new | paused)
        return cls(order, starts, np.diff(np.r_[starts, len(order)]), new[starts], owners[starts])

    @property
    def segments(self) -> list[slice]:
        """The positions of each segment."""
        return [
            slice(int(start), int(start + length))
            for start, length in zip(self.starts, self.lengths, strict=True)
        ]


def find_interval(seconds: Floats, series: Integers) -> Interval:
    """The usual step of rows [rows], over all series.

    Where rows of a series bear one instant each or all the same, a step is a second.
    """
    timed = np.flatnonzero(~np.isnan(seconds))
    order = timed[np.lexsort((seconds[timed], series[timed]))]
    same = series[order][1:] == series[order][:-1]
    steps = np.diff(seconds[order])[same]
    steps = steps[steps > 0]
    if not len(steps):
        return Interval(1.0, _STEPS)
    step = float(np.median(steps))
    return Interval(step, max(_STEPS * step, _LONGEST_STEPS * float(np.quantile(steps, _LONG_RANK))))


def repeated_instants(seconds: Floats, timeline: Timeline) -> int:
    """How many rows bear the instant of the row before them in their series."""
    sorted_seconds = seconds[timeline.order]
    count = 0
    for part in timeline.segments:
        count += int((np.diff(sorted_seconds[part]) == 0).sum())
    return count
