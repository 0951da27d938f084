"""The context of series, carried over from one run to the next: what windows of coming rows begin with."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from aedetect.data.arrays import Integers
from aedetect.data.series.buffer import Rows, together
from aedetect.data.series.entities import Name

_HEADER = struct.Struct("<QQ")
_UNSCORABLE, _INFINITE = 1, 2
# Set in the number of channels where values are of 64 bits.
_WIDE = 1 << 63
# Seconds since 1970 that a date can hold.
_YEARS = (-62_135_596_800, 253_402_300_799)


@dataclass(frozen=True)
class SeriesContext:
    """The last rows of one series (and its first, where they scale it), kept for the next run.

    In the order of time, all of series number 0 and with a known time; at least one.
    """

    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def until(self) -> datetime:
        """The time of the last row; the year 1 or 9999 where it lies beyond."""
        seconds = float(np.clip(self.rows.seconds[-1], *_YEARS))
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)

    def to_bytes(self) -> bytes:
        """Counts of rows and channels, then times, values, flags and counters, if any; lowest byte first."""
        rows = self.rows
        flags = rows.unscorable * _UNSCORABLE + rows.infinite * _INFINITE
        count, channels = rows.values.shape
        wide = rows.values.dtype == np.float64
        values = rows.values.astype("<f8" if wide else "<f4")
        parts = (rows.seconds.astype("<f8"), values, flags.astype(np.uint8))
        data = _HEADER.pack(count, channels | (_WIDE if wide else 0)) + b"".join(
            part.tobytes() for part in parts
        )
        return data if rows.readings is None else data + rows.readings.astype("<f8").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> SeriesContext:
        """Raises ValueError where `data` are not what `to_bytes` gives."""
        try:
            rows, channels = _HEADER.unpack_from(data)
        except struct.error as error:
            raise ValueError(str(error)) from None
        size = 8 if channels & _WIDE else 4
        channels &= ~_WIDE
        sizes = (8 * rows, size * rows * channels, rows)
        more = len(data) - _HEADER.size - sum(sizes)
        if more and (more < 0 or not rows or more % (8 * rows)):
            raise ValueError(f"{len(data)} bytes for {rows} rows of {channels} channels")
        ends = np.cumsum((_HEADER.size, *sizes)).tolist()
        seconds, values, flags = (
            np.frombuffer(data[start:end], kind)
            for start, end, kind in zip(ends, ends[1:], ("<f8", f"<f{size}", "u1"), strict=False)
        )
        readings = (
            np.frombuffer(data[ends[-1] :], "<f8").astype(np.float64).reshape(rows, -1) if more else None
        )
        return cls(
            Rows(
                seconds.astype(np.float64),
                np.zeros(rows, dtype=np.int64),
                values.astype(values.dtype.newbyteorder("=")).reshape(rows, channels),
                (flags & _UNSCORABLE) > 0,
                (flags & _INFINITE) > 0,
                readings,
            )
        )


class CarryOver:
    """The contexts of all series, and what they become with each input.

    Of each series the last `length` rows are kept; of those that are scaled by their warm-up, which
    are all but `scaled`, the first `warmup` rows too. `gap` is the pause, in seconds, after which
    what went before counts no more.
    """

    def __init__(
        self,
        known: Mapping[Name, SeriesContext],
        length: int,
        gap: float,
        warmup: int = 0,
        scaled: frozenset[Name] = frozenset(),
    ):
        self._known = dict(known)
        self._length = length
        self._gap = gap
        self._warmup = warmup
        self._scaled = scaled

    def precede(self, rows: Rows, names: list[Name]) -> bool:
        """Whether something is kept, and all of it that is of the series in `rows` comes before them."""
        ends = {name: context.rows.seconds[-1] for name, context in self._known.items()}
        return bool(ends) and all(
            ends.get(names[number], -np.inf) < part.seconds[0] for number, part in _by_series(rows)
        )

    def rows(self, others: Rows, names: list[Name]) -> Rows:
        """What is kept of the series in `others`, which are called `names`, and not in `others` itself."""
        prior_parts = []
        for number, part in _by_series(others):
            if names[number] in self._known:
                context_rows = self._known[names[number]].rows
                new = np.flatnonzero(~np.isin(context_rows.seconds, part.seconds))
                prior_parts.append(_picked(context_rows, new, number))
        return together(prior_parts, others.values.shape[1])

    def after(self, rows: Rows, names: list[Name]) -> dict[Name, SeriesContext]:
        """Take in the rows of an input, whose series are called `names`; gives the contexts it changes.

        Rows that bear the instant of kept ones take their place: the input was delivered again.
        """
        changed = {}
        for number, part in _by_series(rows):
            name = names[number]
            if name in self._known:
                old = self._known[name].rows
                old = _picked(old, np.flatnonzero(~np.isin(old.seconds, part.seconds)), 0)
                part = together([old, part], part.values.shape[1])
                part = _picked(part, np.argsort(part.seconds, kind="stable"), 0)
            changed[name] = SeriesContext(self._cut(part, 0 if name in self._scaled else self._warmup))
        self._known |= changed
        return changed

    def _cut(self, rows: Rows, first: int) -> Rows:
        """The first and the last of rows in the order of time."""
        start = len(rows) - self._length
        if start <= first:
            return rows
        retained_rows = _picked(rows, np.r_[np.arange(first), np.arange(start, len(rows))], 0)
        # A cell that is missing stands for the last one known, which may lie among what goes.
        pauses = np.flatnonzero(np.diff(rows.seconds[: start + 1]) > self._gap)
        segment = rows.values[int(pauses[-1]) + 1 if len(pauses) else 0 : start + 1]
        for channel in np.flatnonzero(np.isnan(segment[-1])):
            known = np.flatnonzero(~np.isnan(segment[:, channel]))
            if len(known):
                retained_rows.values[first, channel] = segment[known[-1], channel]
        return retained_rows


def _by_series(rows: Rows) -> Iterator[tuple[int, Rows]]:
    """The rows of each series that have a time, in the order of time."""
    timed = np.flatnonzero(~np.isnan(rows.seconds))
    order = timed[np.lexsort((rows.seconds[timed], rows.series[timed]))]
    cuts = np.flatnonzero(np.diff(rows.series[order])) + 1
    for places in np.split(order, cuts) if len(order) else ():
        yield int(rows.series[places[0]]), _picked(rows, places, 0)


def _picked(rows: Rows, places: Integers, number: int) -> Rows:
    """The rows at `places`, as rows of one series."""
    return Rows(
        rows.seconds[places],
        np.full(len(places), number, dtype=np.int64),
        rows.values[places],
        rows.unscorable[places],
        rows.infinite[places],
        None if rows.readings is None else rows.readings[places],
    )
