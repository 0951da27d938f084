"""Rows in the order of time, per series, in the slots of a grid, cut where one ends or has a gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import AnyArray, Floats, Integers, Mask
from aedetect.data.series.buffer import Rows
from aedetect.data.series.calendar import local_seconds, utc_seconds
from aedetect.data.series.grid import Grid


@dataclass(frozen=True)
class Timeline:
    """Where the rows stand in time.

    `order` [timed rows]: the rows by series and slot, those of a slot by time. `slot_of` [rows]: the slot
    of each, -1 for rows without a time. Slots are those of all segments, end to end: `starts`, `lengths`
    [segments] say which, and `seconds` [slots] when they are; some have no row. `first` [segments]:
    whether the segment begins its series. `series` [segments]: whose it is.
    """

    order: Integers
    slot_of: Integers
    seconds: Floats
    starts: Integers
    lengths: Integers
    first: Mask
    series: Integers

    @classmethod
    def of(cls, seconds: Floats, series: Integers, grid: Grid) -> Timeline:
        """Sort rows [rows] by series and time; those of one instant stay in their order.

        Rows without a time (NaN) are nowhere.
        """
        timed = np.flatnonzero(~np.isnan(seconds))
        clock = seconds if grid.zone is None else np.full(len(seconds), np.nan)
        clock[timed] = local_seconds(seconds[timed], grid.zone)
        order = timed[np.lexsort((seconds[timed], clock[timed], series[timed]))]
        slot_of = np.full(len(seconds), -1, dtype=np.int64)
        if not len(order):
            nothing = np.empty(0, dtype=np.int64)
            return cls(order, slot_of, np.empty(0), nothing, nothing, nothing.astype(np.bool_), nothing)
        owners = series[order]
        numbers, phase = grid.slots(clock[order])
        new = np.r_[True, owners[1:] != owners[:-1]]
        paused = np.r_[False, np.diff(clock[order]) > grid.gap]
        begins = np.flatnonzero(new | paused)
        ends = np.r_[begins[1:], len(order)] - 1
        lengths = numbers[ends] - numbers[begins] + 1
        starts = np.r_[0, np.cumsum(lengths)[:-1]]
        # From the numbers of slots in their series to places among all: each segment is moved as a whole.
        rows_in = np.diff(np.r_[begins, len(order)])
        moves = starts - numbers[begins]
        slot_of[order] = numbers + np.repeat(moves, rows_in)
        slots = np.arange(int(lengths.sum())) - np.repeat(moves, lengths)
        times = utc_seconds(phase + slots * grid.step, grid.zone)
        return cls(order, slot_of, times, starts, lengths, new[begins], owners[begins])

    @property
    def segments(self) -> list[slice]:
        """The slots of each segment."""
        return [
            slice(int(start), int(start + length))
            for start, length in zip(self.starts, self.lengths, strict=True)
        ]

    @property
    def rows_in_segments(self) -> list[Integers]:
        """The rows of each segment, in the order of time."""
        if not len(self.order):
            return []
        bounds = np.searchsorted(self.slot_of[self.order], self.starts[1:])
        return np.split(self.order, bounds)

    def of_rows(self, values: AnyArray, otherwise: float | bool) -> AnyArray:
        """The values [rows] of the rows' slots, from those of all [slots]; else for rows without a time."""
        if not len(values):
            return np.full(len(self.slot_of), otherwise)
        return np.where(self.slot_of < 0, otherwise, values[np.maximum(self.slot_of, 0)])

    def marked(self, rows: Mask) -> Mask:
        """Which slots [slots] have a row that is marked [rows]."""
        marked = np.zeros(len(self.seconds), dtype=np.bool_)
        marked[self.slot_of[rows & (self.slot_of >= 0)]] = True
        return marked

    def empty(self) -> Mask:
        """Which slots [slots] have no row."""
        return ~self.marked(np.ones(len(self.slot_of), dtype=np.bool_))


def segment_values(rows: Rows, timeline: Timeline) -> Iterator[AnyArray]:
    """The channels [steps, channels] of each segment: the mean of a slot's rows, NaN where nothing is known.

    Rows of one series and instant count once, each channel as the last of them that knows it.
    """
    for part, order in zip(timeline.segments, timeline.rows_in_segments, strict=True):
        slots, seconds = timeline.slot_of[order] - part.start, rows.seconds[order]
        last = np.r_[(np.diff(seconds) > 0) | (np.diff(slots) > 0), True]
        instants = rows.values[order] if last.all() else _last_known(rows.values[order], last)
        slots = slots[last]
        values = np.full((part.stop - part.start, rows.values.shape[1]), np.nan, dtype=rows.values.dtype)
        shared = np.r_[False, np.diff(slots) == 0] | np.r_[np.diff(slots) == 0, False]
        values[slots[~shared]] = instants[~shared]
        if shared.any():
            _fill_shared(values, instants[shared], slots[shared])
        yield values


def _last_known(cells: AnyArray, last: Mask) -> AnyArray:
    """The last known of `cells` [rows, channels] in each run of rows that ends where `last` [rows] does."""
    ends = np.flatnonzero(last)
    starts = np.r_[0, ends[:-1] + 1]
    values = np.empty((len(ends), cells.shape[1]), dtype=cells.dtype)
    for channel in range(cells.shape[1]):
        known = np.maximum.accumulate(np.where(np.isnan(cells[:, channel]), -1, np.arange(len(cells))))[ends]
        values[:, channel] = np.where(known >= starts, cells[np.maximum(known, 0), channel], np.nan)
    return values


def _fill_shared(values: AnyArray, cells: AnyArray, slots: Integers) -> None:
    """Set slots of several rows to the means of their `cells` [rows, channels] that are known."""
    distinct, places = np.unique(slots, return_inverse=True)
    known = ~np.isnan(cells)
    sums = np.zeros((len(distinct), cells.shape[1]))
    counts = np.zeros_like(sums)
    np.add.at(sums, places, np.where(known, cells, 0.0))
    np.add.at(counts, places, known)
    with np.errstate(invalid="ignore"):
        values[distinct] = np.where(counts > 0, sums / counts, np.nan)


def repeated_instants(seconds: Floats, timeline: Timeline) -> int:
    """How many rows bear the instant of the row before them in their series."""
    return sum(int((np.diff(seconds[rows]) == 0).sum()) for rows in timeline.rows_in_segments)
