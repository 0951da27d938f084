"""Times at which a series has no rows, though it had some before: no row can say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Floats, Mask
from aedetect.data.series.entities import Name

# A series that has been silent for so many times what is allowed, and so many seconds, has ended.
_ENDED, _ENDED_SECONDS = 30, 30 * 86_400.0


@dataclass(frozen=True)
class Silence:
    """No row of a series came between `start`, the time of one, and `end`, that of the next.

    `end` is None where none has come yet: it lasts until `until`, the newest time among all rows that were
    read now. All in seconds since 1970.
    """

    name: Name
    start: float
    end: float | None
    until: float

    @property
    def seconds(self) -> float:
        """How long it was, or has been so far."""
        return (self.until if self.end is None else self.end) - self.start


class SilenceFinder:
    """Finds gaps of more than `limit` seconds, series by series. None are found where it is None.

    `known`: when each series had its last row, by earlier runs, in seconds since 1970.
    """

    def __init__(self, limit: float | None, known: Mapping[Name, float]):
        self.limit = limit
        self._last = dict(known)
        self._newest = -np.inf
        self._found: list[Silence] = []

    def see(self, name: Name, seconds: Floats, new: Mask) -> None:
        """Take in the rows [rows] of a series, in any order; `new`: those that did not go before.

        Between rows that went before there may be others, which are not known any more: gaps count that end
        with a new row, and begin with one or with the last that went before.
        """
        timed = ~np.isnan(seconds)
        if self.limit is None or not timed.any():
            return
        order = np.flatnonzero(timed)[np.argsort(seconds[timed], kind="stable")]
        times, is_new = seconds[order], new[order]
        before = times[~is_new].max(initial=self._last.get(name, -np.inf))
        known = self._last.get(name)
        if known is not None and known < times[0]:
            times, is_new = np.r_[known, times], np.r_[False, is_new]
        begins = is_new[:-1] | (times[:-1] >= before)
        for place in np.flatnonzero((np.diff(times) > self.limit) & is_new[1:] & begins).tolist():
            end = float(times[place + 1])
            self._found.append(Silence(name, float(times[place]), end, end))
        self._last[name] = max(float(times[-1]), before)
        if is_new.any():
            self._newest = max(self._newest, float(times[is_new][-1]))

    def take(self, other: SilenceFinder) -> None:
        """Take in what another has seen of other series."""
        self._last |= other._last
        self._newest = max(self._newest, other._newest)
        self._found += other._found

    def silences(self) -> list[Silence]:
        """All that were found, by series in the order of their names and by time; those that last, last."""
        lasting = [each for each in self._lasting() if not self._is_over(each)]
        return sorted([*self._found, *lasting], key=lambda one: (one.name, one.start))

    def ended(self) -> list[Name]:
        """Series that have been silent for so long that they are taken to have ended."""
        return sorted(each.name for each in self._lasting() if self._is_over(each))

    def _lasting(self) -> list[Silence]:
        if self.limit is None:
            return []
        return [
            Silence(name, last, None, self._newest)
            for name, last in self._last.items()
            if self._newest - last > self.limit
        ]

    def _is_over(self, silence: Silence) -> bool:
        assert self.limit is not None
        return silence.seconds > max(_ENDED * self.limit, _ENDED_SECONDS)
