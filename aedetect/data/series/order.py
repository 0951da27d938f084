"""Rows by series and time, whether or not there are gaps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask


def by_series(seconds: Floats, series: Integers) -> Iterator[tuple[int, Integers]]:
    """The number of each series and its rows in the order of time; those without a time (NaN) come last.

    `seconds`, `series` [rows]. Rows of one instant stay in their order.
    """
    order = np.lexsort((seconds, series))
    cuts = np.flatnonzero(np.diff(series[order])) + 1
    for places in np.split(order, cuts) if len(order) else ():
        yield int(series[places[0]]), places


def runs(marked: Mask) -> Integers:
    """Where runs of marked steps [steps] begin, and behind where they end; [runs, 2]."""
    return np.flatnonzero(np.diff(np.r_[False, marked, False])).reshape(-1, 2)


def places_in_runs(marked: Mask) -> Integers:
    """How many marked steps [steps, ...] there are without a break up to each step; 0 where not marked."""
    steps = np.arange(1, len(marked) + 1).reshape(-1, *[1] * (marked.ndim - 1))
    last_break = np.maximum.accumulate(np.where(marked, 0, steps), axis=0)
    return np.where(marked, steps - last_break, 0)
