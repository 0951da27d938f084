"""Where instants lie in the day and in the week, by the clock on the wall where its zone is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data.arrays import Floats, Integers

DAY, WEEK = 86_400.0, 604_800.0
# 1970 began on a Thursday; weeks begin on Mondays.
_FIRST_MONDAY = 4 * DAY
_BIN = 3600.0


@dataclass(frozen=True)
class CycleBins:
    """The bins of a cycle of time, for steps of `step` seconds.

    `cycle`: seconds, DAY or WEEK. Bins are an hour wide, or a step where that is more. Where a bin holds
    several steps, bin 0 has its middle where the cycle begins, so that what lies between two middles can be
    interpolated.
    """

    cycle: float
    step: float

    @property
    def count(self) -> int:
        """How many there are."""
        return max(1, round(self.cycle / max(_BIN, self.step)))

    @property
    def width(self) -> float:
        """Seconds of one."""
        return self.cycle / self.count

    @property
    def fine(self) -> bool:
        """Whether a bin holds several steps."""
        return self.step < self.width / 2

    def of(self, local: Floats) -> tuple[Integers, Integers]:
        """The cycle and the bin [steps] of times by the local clock [steps], in seconds since 1970."""
        # Coarse steps lie at the beginning of their bin, give or take what times are rounded by.
        shift = self.width / 2 if self.fine else self.step / 4
        since = local - _FIRST_MONDAY + shift
        cycles = np.floor(since / self.cycle)
        bins = np.floor((since - cycles * self.cycle) / self.width).astype(np.int64)
        return cycles.astype(np.int64), np.clip(bins, 0, self.count - 1)

    def at(self, local: Floats, values: Floats) -> Floats:
        """What `values` [bins, channels] are at times by the local clock [steps]: [steps, channels]."""
        if not self.fine:
            return values[self.of(local)[1]]
        places = (local - _FIRST_MONDAY) % self.cycle / self.width
        low = np.floor(places).astype(np.int64)
        part = (places - low)[:, None]
        return np.asarray(values[low % self.count] * (1 - part) + values[(low + 1) % self.count] * part)


def local_seconds(seconds: Floats, zone: str | None) -> Floats:
    """Seconds since 1970 [steps] in UTC as those by the clock on the wall in `zone`; None stands for UTC."""
    if zone is None:
        return seconds
    micro = pa.array((seconds * 1e6).round().astype(np.int64)).cast(pa.timestamp("us", "UTC"))
    wall = pc.local_timestamp(micro.cast(pa.timestamp("us", zone))).cast(pa.int64())
    return np.asarray(wall.to_numpy(zero_copy_only=False) / 1e6)


def utc_seconds(local: Floats, zone: str | None) -> Floats:
    """Seconds since 1970 [steps] by the clock on the wall in `zone` as those in UTC.

    Of an hour that comes twice, the first; of one that is left out, where the clock jumped.
    """
    if zone is None:
        return local
    wall = pa.array((local * 1e6).round().astype(np.int64)).cast(pa.timestamp("us"))
    instants = pc.assume_timezone(wall, zone, ambiguous="earliest", nonexistent="latest").cast(pa.int64())
    return np.asarray(instants.to_numpy(zero_copy_only=False) / 1e6)


def clock_changes(seconds: Floats, zone: str | None) -> bool:
    """Whether the clock on the wall in `zone` is moved in the year from the first of the times on."""
    if zone is None or not len(seconds):
        return False
    year = np.asarray(float(np.nanmin(seconds)) + DAY * np.arange(366))
    return bool(np.ptp(local_seconds(year, zone) - year) > 0)
