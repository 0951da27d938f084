"""Rows of a long table in time: each has one channel's reading, and shares its instant with others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.series.buffer import Rows
from aedetect.data.series.segments import Timeline, repeated_instants

# The channel of a row that has no reading, or more than one.
NO_CHANNEL = -1
# What a model expects of one channel is upset by what is odd in another, and some error leaks over: a
# channel that is odd itself has at least so much of the error of the oddest one.
_LEAKED = 0.5


def reading_channels(values: Matrix) -> Integers:
    """The channel [rows] that each row of `values` [rows, channels] has its one reading of, or NO_CHANNEL."""
    known = ~np.isnan(values)
    return np.where(known.sum(axis=1) == 1, known.argmax(axis=1), NO_CHANNEL)


def of_blamed_channels(channels: Integers, shares: Matrix, least: float) -> Mask:
    """Which rows [rows] are of a channel that the error of their instant is attributed to.

    `shares` [rows, channels]: of the error. Those channels are meant that have the largest share, or at
    least `least` and not much less than the largest; a row of NO_CHANNEL, which earlier runs left, is of any.
    """
    shares_of_rows = np.take_along_axis(shares, np.maximum(channels, 0)[:, None], axis=1)[:, 0]
    largest = shares.max(axis=1)
    blamed = (shares_of_rows >= np.maximum(least, _LEAKED * largest)) | (shares_of_rows >= largest)
    return np.asarray(blamed | (channels == NO_CHANNEL))


@dataclass(frozen=True)
class Instants:
    """Rows by series and instant: those of one share their readings, and one of them stands for it.

    `rows`: as many as were given; those that stand for an instant have its time and the readings of all of
    its rows, the others the same readings and no time (NaN), as rows without a reading have.
    `standing` [rows]: the row that stands for each; a row without a reading or a time stands for itself.
    """

    rows: Rows
    standing: Integers

    @classmethod
    def of(cls, rows: Rows) -> Instants:
        """Several readings of one channel are averaged, so that the order of rows does not count."""
        seconds = np.where(np.isnan(rows.values).all(axis=1), np.nan, rows.seconds)
        timed = np.flatnonzero(~np.isnan(seconds))
        order = timed[np.lexsort((seconds[timed], rows.series[timed]))]
        standing, values = np.arange(len(rows)), rows.values.copy()
        if not len(order):
            return cls(replace(rows, seconds=seconds), standing)
        new = (np.diff(rows.series[order]) != 0) | (np.diff(seconds[order]) > 0)
        instants = np.r_[0, np.cumsum(new)]
        standing[order] = order[np.r_[0, np.flatnonzero(new) + 1]][instants]
        for channel in range(values.shape[1]):
            values[order, channel] = _means(rows.values[order, channel], instants)[instants]
        seconds[standing != np.arange(len(rows))] = np.nan
        return cls(replace(rows, seconds=seconds, values=values), standing)

    @classmethod
    def each(cls, rows: Rows) -> Instants:
        """Every row by itself, as in a wide table."""
        return cls(rows, np.arange(len(rows)))

    def any_of(self, marked: Mask) -> Mask:
        """Of rows that stand for an instant, whether any of its rows is `marked` [rows]; False elsewhere."""
        standing = np.zeros(len(marked), dtype=np.bool_)
        standing[self.standing[marked]] = True
        return standing

    def compact(self) -> Rows:
        """The rows that stand for an instant alone, by series and time."""
        timed = np.flatnonzero(~np.isnan(self.rows.seconds))
        return self.rows.part(timed[np.lexsort((self.rows.seconds[timed], self.rows.series[timed]))])


def compacted(rows: Rows) -> Rows:
    """A row for each series and instant, in this order, with all of its readings."""
    return Instants.of(rows).compact()


def repeated_readings(rows: Rows) -> int:
    """How many rows bear the instant of another reading of the same channel and series."""
    channels = reading_channels(rows.values)
    apart = rows.series * (rows.values.shape[1] + 1) + channels + 1
    seconds = np.where(channels == NO_CHANNEL, np.nan, rows.seconds)
    return repeated_instants(seconds, Timeline.of(seconds, apart, np.inf))


def _means(readings: Matrix, instants: Integers) -> Floats:
    """The mean reading of each instant; NaN where there is none."""
    known = ~np.isnan(readings)
    count = int(instants[-1]) + 1
    sums = np.bincount(instants[known], readings[known].astype(np.float64), count)
    counts = np.bincount(instants[known], minlength=count)
    return np.asarray(np.divide(sums, counts, out=np.full(count, np.nan), where=counts > 0))
