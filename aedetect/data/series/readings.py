"""Rows of a long table in time: each has one channel's reading, and shares its instant with others."""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import AnyArray, Integers, Mask, Matrix
from aedetect.data.series.buffer import Rows

# The channel of a row that has no reading, or more than one.
NO_CHANNEL = -1
# What a model expects of one channel is upset by what is odd in another, and some error leaks over: a
# channel that is odd itself has at least so much of the error of the oddest one.
_LEAKED = 0.5


def reading_channels(values: AnyArray) -> Integers:
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


def any_of(standing: Integers, marked: Mask) -> Mask:
    """Which rows [rows] stand for one that is `marked` [rows]; `standing` [rows] is what stands for each."""
    of_marked = np.zeros(len(marked), dtype=np.bool_)
    of_marked[standing[marked]] = True
    return of_marked


def read_again(old: Rows, new: Rows) -> Mask:
    """Which of the `old` rows [rows] have a reading of the same channel and instant among the `new` ones.

    All are of one series.
    """
    before, after = reading_channels(old.values), reading_channels(new.values)
    again = np.zeros(len(old), dtype=np.bool_)
    for channel in np.unique(before).tolist():
        places = np.flatnonzero(before == channel)
        again[places] = np.isin(old.seconds[places], new.seconds[after == channel])
    return again


def repeated_readings(rows: Rows) -> int:
    """How many rows bear the instant of another reading of the same channel and series."""
    channels = reading_channels(rows.values)
    apart = rows.series * (rows.values.shape[1] + 1) + channels + 1
    seconds = np.where(channels == NO_CHANNEL, np.nan, rows.seconds)
    timed = np.flatnonzero(~np.isnan(seconds))
    return len(timed) - len(np.unique(np.stack([apart[timed], seconds[timed]]), axis=1).T)
