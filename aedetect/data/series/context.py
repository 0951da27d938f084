"""The context of series, carried over from one run to the next: what windows of coming rows begin with."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain

import numpy as np

from aedetect.data.arrays import Integers, Mask
from aedetect.data.series.buffer import Rows, together
from aedetect.data.series.entities import Name
from aedetect.data.series.readings import read_again

# The scales of time that alarms are raised at.
SCALES = ("long", "short", "step", "calendar")
_HEADER = struct.Struct("<QQ")
_ALARMS = struct.Struct("<" + "d?ddqd" * len(SCALES) + "dqdddd")
_NO_LEVEL = (0.0, False, 0.0, 0.0, 0, 0.0)
_LASTING = struct.Struct("<" + "dd" + "dddd" * len(SCALES))
_NOTHING_SHOWN = (0.0, 0.0, 0.0)
_UNSCORABLE, _INFINITE = 1, 2
# Set in the number of channels where values are of 64 bits.
_WIDE = 1 << 63
# And this, where an event goes on that is held.
_LASTS = 1 << 62
# Seconds since 1970 that a date can hold.
_YEARS = (-62_135_596_800, 253_402_300_799)


@dataclass(frozen=True)
class LastingState:
    """The event of a series that is held; by scale, `shown` holds what `scoring.lasting.Shown` does.

    `began`, `quiet` and `floors` as those of `scoring.lasting.Lasting`.
    """

    began: float
    quiet: float
    floors: Mapping[str, float] = field(default_factory=dict)
    shown: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class AlarmState:
    """Where the alarms of a series stood after its last row that is not after `until`, in seconds.

    `levels`: by scale, what `scoring.tracking.Level` holds, in its order; `last`: what
    `scoring.reminders.LastAlarm` does. `event`: the number of the last event that had begun, 0 for none, and
    `event_until`, its last flagged row by then, in seconds. `lasting`: the event that was held by then; None
    where none was.
    """

    levels: Mapping[str, tuple[float, bool, float, float, int, float]] = field(default_factory=dict)
    until: float = -math.inf
    event: int = 0
    event_until: float = -math.inf
    last: tuple[float, float, float] = (math.inf, 0.0, math.inf)
    lasting: LastingState | None = None


@dataclass(frozen=True)
class SeriesContext:
    """The last rows of one series (and its first, where they scale it), kept for the next run.

    In the order of time, all of series number 0 and with a known time; at least one. `alarms`: where
    its alarms stood.
    """

    rows: Rows
    alarms: AlarmState = field(default_factory=AlarmState)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def until(self) -> datetime:
        """The time of the last row; the year 1 or 9999 where it lies beyond."""
        seconds = float(np.clip(self.rows.seconds[-1], *_YEARS))
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)

    def to_bytes(self) -> bytes:
        """Counts of rows and channels, then times, values, flags, alarms and counters; lowest byte first."""
        rows, state = self.rows, self.alarms
        flags = rows.unscorable * _UNSCORABLE + rows.infinite * _INFINITE
        count, channels = rows.values.shape
        wide = rows.values.dtype == np.float64
        values = rows.values.astype("<f8" if wide else "<f4")
        parts = (rows.seconds.astype("<f8"), values, flags.astype(np.uint8))
        levels = chain.from_iterable(state.levels.get(name, _NO_LEVEL) for name in SCALES)
        data = _HEADER.pack(
            count, channels | (_WIDE if wide else 0) | (_LASTS if state.lasting is not None else 0)
        )
        data += b"".join(part.tobytes() for part in parts)
        data += _ALARMS.pack(*levels, state.until, state.event, state.event_until, *state.last)
        data += b"" if state.lasting is None else _lasting_bytes(state.lasting)
        return data if rows.readings is None else data + rows.readings.astype("<f8").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> SeriesContext:
        """Raises ValueError where `data` are not what `to_bytes` gives."""
        try:
            rows, channels = _HEADER.unpack_from(data)
        except struct.error as error:
            raise ValueError(str(error)) from None
        size = 8 if channels & _WIDE else 4
        alarms_size = _ALARMS.size + (_LASTING.size if channels & _LASTS else 0)
        lasts, channels = bool(channels & _LASTS), channels & ~(_WIDE | _LASTS)
        sizes = (8 * rows, size * rows * channels, rows)
        # Those of earlier versions end with the flags.
        more = len(data) - _HEADER.size - sum(sizes)
        readings_size = more - alarms_size if more or lasts else 0
        if readings_size and (readings_size < 0 or not rows or readings_size % (8 * rows)):
            raise ValueError(f"{len(data)} bytes for {rows} rows of {channels} channels")
        ends = np.cumsum((_HEADER.size, *sizes)).tolist()
        seconds, values, flags = (
            np.frombuffer(data[start:end], kind)
            for start, end, kind in zip(ends, ends[1:], ("<f8", f"<f{size}", "u1"), strict=False)
        )
        readings = None
        if readings_size:
            stored = np.frombuffer(data[ends[-1] + alarms_size :], "<f8")
            readings = stored.astype(np.float64).reshape(rows, -1)
        return cls(
            Rows(
                seconds.astype(np.float64),
                np.zeros(rows, dtype=np.int64),
                values.astype(values.dtype.newbyteorder("=")).reshape(rows, channels),
                (flags & _UNSCORABLE) > 0,
                (flags & _INFINITE) > 0,
                readings,
            ),
            _alarm_state(data[ends[-1] :], lasts),
        )


class CarryOver:
    """The contexts of all series, and what they become with each input.

    Of each series the last `span` seconds are kept; of those that are scaled by their warm-up, which
    are all but `scaled`, the first `warmup` rows too. `gap` is the pause, in seconds, after which
    what went before counts no more. In `long` tables rows of one instant are of several channels.
    """

    def __init__(
        self,
        known: Mapping[Name, SeriesContext],
        span: float,
        gap: float,
        warmup: int = 0,
        scaled: frozenset[Name] = frozenset(),
        long: bool = False,
    ):
        self._known = dict(known)
        self._span = span
        self._gap = gap
        self._warmup = warmup
        self._scaled = scaled
        self._long = long

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
                new = np.flatnonzero(~self._again(context_rows, part))
                prior_parts.append(_picked(context_rows, new, number))
        return together(prior_parts, others.values.shape[1])

    def after(
        self, rows: Rows, names: list[Name], alarms_at: Callable[[int, Rows], AlarmState]
    ) -> dict[Name, SeriesContext]:
        """Take in the rows of an input, whose series are called `names`; gives the contexts it changes.

        `alarms_at`: where the alarms of a series, by its number, stood at the end of what is kept of it.
        Rows that bear the instant of kept ones take their place: the input was delivered again.
        """
        changed = {}
        for number, part in _by_series(rows):
            name = names[number]
            if name in self._known:
                old = self._known[name].rows
                old = _picked(old, np.flatnonzero(~self._again(old, part)), 0)
                part = together([old, part], part.values.shape[1])
                part = _picked(part, np.argsort(part.seconds, kind="stable"), 0)
            retained = self._cut(part, 0 if name in self._scaled else self._warmup)
            changed[name] = SeriesContext(retained, alarms_at(number, retained))
        self._known |= changed
        return changed

    def _again(self, old: Rows, new: Rows) -> Mask:
        """Which `old` rows [rows] are among the `new` ones of the same series: they were delivered again."""
        return read_again(old, new) if self._long else np.isin(old.seconds, new.seconds)

    def _cut(self, rows: Rows, first: int) -> Rows:
        """The first and the last of rows in the order of time."""
        start = int(np.searchsorted(rows.seconds, rows.seconds[-1] - self._span))
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


def _lasting_bytes(state: LastingState) -> bytes:
    floors = (state.floors.get(name, math.nan) for name in SCALES)
    shown = chain.from_iterable(state.shown.get(name, _NOTHING_SHOWN) for name in SCALES)
    return _LASTING.pack(state.began, state.quiet, *floors, *shown)


def _lasting_state(data: bytes) -> LastingState:
    began, quiet, *stated = _LASTING.unpack_from(data, _ALARMS.size)
    count = len(SCALES)
    floors = {name: value for name, value in zip(SCALES, stated, strict=False) if not math.isnan(value)}
    shown = {name: tuple(stated[count + 3 * at : count + 3 * at + 3]) for at, name in enumerate(SCALES)}
    return LastingState(began, quiet, floors, {name: each for name, each in shown.items() if each[0]})


def _alarm_state(data: bytes, lasts: bool) -> AlarmState:
    if not data:
        return AlarmState()
    *stated, until, event, event_until, steps, idle, began = _ALARMS.unpack_from(data)
    width = len(_NO_LEVEL)
    levels = {name: tuple(stated[place * width : (place + 1) * width]) for place, name in enumerate(SCALES)}
    lasting = _lasting_state(data) if lasts else None
    return AlarmState(levels, until, event, event_until, (steps, idle, began), lasting)


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
