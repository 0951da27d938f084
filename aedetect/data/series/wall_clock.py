"""The clock on the wall as instants: which pass of an hour that autumn repeats a row belongs to."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data.arrays import Floats, Integers, Mask

# Where the wall clock goes back by at least this share of what it was put back, it is the second pass;
# where it goes back by less, a step of at most so many usual ones must come of it.
_MOST_OF_IT, _USUAL_STEPS = 0.5, 1.5
# A row farther away in time than this says nothing of the row after it: another file has begun.
_NEAR = 86_400.0


class WallClock:
    """Reads rows in the order of their files, and knows of each series how far it has come.

    Of an hour that the clock skips, any time is its end. Of one that it runs through twice, a row is
    of the first pass until the wall clock of its series goes back by about as much as it was put
    back; in files with the newest rows first the other way about.
    """

    def __init__(self, zone: str):
        self._zone = zone
        # Of each series: its last instant, and its last step that was none of 0 seconds.
        self._last = np.empty(0)
        self._step = np.empty(0)

    def seconds(self, wall: Floats, offset: Floats, series: Integers) -> Floats:
        """Seconds since 1970 in UTC [rows] of seconds by the clock on the wall [rows], NaN where unknown.

        `offset` [rows]: of a row's own zone from UTC in seconds, NaN where the row names none.
        """
        early, late = (_localised(wall, self._zone, which) for which in ("earliest", "latest"))
        utc = np.where(np.isnan(offset), early, wall - offset)
        twice = (early != late) & np.isnan(offset) & ~np.isnan(wall)
        self._grow(int(series.max(initial=-1)) + 1)
        timed = np.flatnonzero(~np.isnan(utc))
        order = timed[np.argsort(series[timed], kind="stable")]
        if twice.any():
            self._settle(utc, late, np.asarray(twice), series, order)
        self._remember(utc[order], series[order])
        return np.asarray(utc)

    def resume(self, series: int, seconds: Floats) -> None:
        """Go on after rows of a series at `seconds` since 1970 in UTC [rows], at least one."""
        self._grow(series + 1)
        self._remember(seconds, np.full(len(seconds), series))

    def _grow(self, size: int) -> None:
        more = size - len(self._last)
        if more > 0:
            unknown = np.full(more, np.nan)
            self._last, self._step = np.r_[self._last, unknown], np.r_[self._step, unknown]

    def _settle(self, utc: Floats, late: Floats, twice: Mask, series: Integers, order: Integers) -> None:
        """Put the rows of the second pass there; `order` has the rows by series, each as in its file."""
        owners = series[order]
        for place in np.flatnonzero(twice[order]).tolist():
            row, owner = order[place], int(owners[place])
            before = place - 1
            previous, step = self._last[owner], self._step[owner]
            if place and owners[before] == owner:
                previous = utc[order[before]]
                # Rows of one instant say nothing of the step; it is that before them.
                while before and owners[before - 1] == owner and utc[order[before - 1]] == previous:
                    before -= 1
                earlier = (
                    utc[order[before - 1]] if before and owners[before - 1] == owner else self._last[owner]
                )
                if not np.isnan(earlier) and earlier != previous:
                    step = previous - earlier
            utc[row] = _pass(previous, step, utc[row], late[row], self._zone)

    def _remember(self, utc: Floats, owners: Integers) -> None:
        if not len(utc):
            return
        first = np.r_[True, owners[1:] != owners[:-1]]
        steps = utc - np.where(first, self._last[owners], np.r_[np.nan, utc[:-1]])
        moved = np.flatnonzero(~np.isnan(steps) & (steps != 0))
        self._step[owners[moved]] = steps[moved]
        ends = np.r_[np.flatnonzero(first)[1:] - 1, len(utc) - 1]
        self._last[owners[ends]] = utc[ends]


def _pass(previous: float, step: float, early: float, late: float, zone: str) -> float:
    """The instant of a row that is at `early` or at `late`, after a row of its series at `previous`."""
    if np.isnan(previous) or previous < early - _NEAR or previous > late + _NEAR:
        return early
    turn = _put_back(early, late, zone)
    if step < 0:
        # The same in the mirror: newest first, so the second pass comes first.
        if previous < turn or previous > late:
            return early if previous < turn else late
        went, goes_on = late - previous, previous - early
        first, second = late, early
    else:
        if previous >= turn or previous < early:
            return late if previous >= turn else early
        went, goes_on = previous - early, late - previous
        first, second = early, late
    repeats = went >= _MOST_OF_IT * (late - early) or goes_on <= _USUAL_STEPS * abs(step)
    return second if repeats else first


def _put_back(early: float, late: float, zone: str) -> float:
    """The instant between the two passes at which the clock is put back."""
    return _turn(int(early // 60), int(late // 60), zone) * 60.0


@lru_cache(maxsize=4096)
def _turn(low: int, high: int, zone: str) -> int:
    """The first minute since 1970, after `low` and up to `high`, with the offset of `high`."""
    place = ZoneInfo(zone)

    def offset(minute: int) -> Any:
        return datetime.fromtimestamp(minute * 60, UTC).astimezone(place).utcoffset()

    after = offset(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if offset(middle) == after else (middle, high)
    return high


def first_pass(wall: Floats, offset: Floats, zone: str) -> Floats:
    """Seconds since 1970 in UTC [rows], each row by itself: of an hour that comes twice, the first pass.

    `wall`, `offset`: as for `WallClock.seconds`.
    """
    return np.where(np.isnan(offset), _localised(wall, zone, "earliest"), wall - offset)


def _localised(wall: Floats, zone: str, ambiguous: str) -> Floats:
    """Wall-clock seconds in `zone` as seconds in UTC; [rows]."""
    missing = np.isnan(wall)
    micro = np.where(missing, 0.0, wall * 1e6).round().astype(np.int64)
    naive = pa.array(micro).cast(pa.timestamp("us"))
    local = pc.assume_timezone(naive, zone, ambiguous=ambiguous, nonexistent="latest")
    values = local.cast(pa.int64()).to_numpy(zero_copy_only=False) / 1e6
    return np.where(missing, np.nan, values)
