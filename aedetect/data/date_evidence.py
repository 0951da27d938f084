"""Which columns hold dates that are not plain ISO 8601, told from all of their cells.

Each way of writing dates that a first sample of a column may be written in is tried on every cell; what
comes of it is decided once all are seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data.arrays import Floats, Mask
from aedetect.data.instants import DAY, InstantProfile
from aedetect.data.series.clock_detection import EXCEL_DAYS, EXCEL_WHOLE_DAYS, unit_of
from aedetect.data.series.time_text import ORDERS, Order, looks_like
from aedetect.data.series.timestamps import Clock, digits

_SAMPLE = 200
_DISTINCT = 64
_YEAR = 365.2425 * 86_400
# Seconds since 1970 of the years 1950 and 2101, and of 1990, before which nobody counted such seconds.
_BEGIN, _END, _EPOCH_BEGIN = -20 * _YEAR, 131 * _YEAR, 20 * _YEAR
# Numbers that stand for no date.
_NEVER = (0.0, 999912.0, 99991231.0, 99991231235959.0)
_DIGITS = (8, 10, 12, 14)
_TIME_NAME = re.compile(
    r"(?i)(?:^|[\W_])(?:time|ts|timestamp|date|dates|datetime|dt|t|day|month|week|epoch|unix|period|at|on|when|since|"
    r"until|created|updated|modified|changed|deleted|inserted|opened|closed|start|end|begin|expires?|expiry|"
    r"deadline|launched|posted|published|issued|registered|joined|logged|arrival|departure|birth|birthday|dob|"
    r"ymd|yyyymm|yyyymmdd|datum|zeit|zeitstempel|uhrzeit|tag|monat|woche|fecha|hora|mes|"
    r"dia|jour|mois|heure|giorno|mese)(?:$|[\W_\d])"
    r"|(?:time|date|timestamp|datum|zeit)(?:_?[mun]?s|_?utc)?$"
)
_DATE_NAME = re.compile(r"(?i)date|datum|fecha|(?:^|[\W_])(?:day|tag|dia|jour|giorno)(?:$|[\W_])")


def names_time(column: str) -> bool:
    """Whether a column is called as times and dates are: 'created_at', 'timestampMs', 'day'."""
    return bool(_TIME_NAME.search(re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", column)))


def names_date(column: str) -> bool:
    """Whether a column is called as dates are, and not as what else may be about time."""
    return bool(_DATE_NAME.search(re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", column)))


@dataclass
class Reading:
    """What cells say if they are written as `clock` has it.

    `bad`: how many are no dates; `first_bad`: where the first of these stands, and its text. `example`: the
    first that is one, and its seconds since 1970. `far`: the texts that stand for no date, and how often each
    is there. `cells`: how many were looked at. `over`: whether it was given up, since half are no dates.
    """

    clock: Clock
    instants: InstantProfile = field(default_factory=InstantProfile)
    bad: int = 0
    first_bad: tuple[str, str] | None = None
    example: tuple[str, float] | None = None
    far: Counter[str] = field(default_factory=Counter)
    cells: int = 0
    over: bool = False

    def counting(self, cells_: int) -> Reading:
        """This reading, of so many cells; those that were not looked at are no dates."""
        self.bad += cells_ - self.cells
        self.cells = cells_
        return self

    def add(self, later: Reading) -> None:
        """Take in what later cells say."""
        self.instants.add(later.instants)
        self.bad += later.bad
        self.cells += later.cells
        self.first_bad = self.first_bad or later.first_bad
        if self.example is None:
            self.example = later.example
        elif later.example is not None:
            mute, other = _is_mute(self, np.array([self.example[1], later.example[1]]))
            self.example = later.example if mute and not other else self.example
        self.far.update(later.far)

    @property
    def is_plausible(self) -> bool:
        """Whether all of the instants lie in years that numbers may mean."""
        begin = _EPOCH_BEGIN if self.clock.kind == "number" else _BEGIN
        return begin <= self.instants.first and self.instants.last < _END


@dataclass(frozen=True)
class SettledDate:
    """How the dates of a column are written, None where nothing settles it, and an example in words.

    `ahead`: by how many seconds the zone that the example names is ahead of UTC.
    """

    clock: Clock | None
    example: str
    ahead: float = 0.0


class DateEvidence:
    """The ways in which all cells of a column that were seen so far may be dates.

    `given`: how they are written where the user says so. `filled`: how many are not missing. `distinct`: how
    many differ, counted up to a limit.
    """

    def __init__(self, column: str, given: cells.DateReader | None = None):
        self.column = column
        self.filled = 0
        self.given = given if isinstance(given, Clock) else None
        self._tried: list[Reading] | None = None if self.given is None else [reading_of(self.given)]
        self._unread = 0
        self._distinct: set[str] = set()

    @property
    def readings(self) -> list[Reading] | None:
        """The ways that are left; None where there was no cell yet."""
        return None if self._tried is None else [reading for reading in self._tried if not reading.over]

    def begin_as(self, pilot: DateEvidence) -> None:
        """Try the ways that were tried on the first cells of all, with nothing seen of them yet."""
        if self.given is None and pilot._tried is not None:
            self._tried = [reading_of(reading.clock) for reading in pilot._tried]

    def add(self, later: DateEvidence) -> None:
        """Take in what was seen of later cells.

        In ways that were given up or never tried there, cells are no dates.
        """
        before, behind = self.filled + self._unread, later.filled + later._unread
        if self._tried is None or later._tried is None:
            self._tried = later._tried if self._tried is None else self._tried
        else:
            mine = {reading.clock: reading.counting(before) for reading in self._tried}
            others = {reading.clock: reading.counting(behind) for reading in later._tried}
            for clock in dict.fromkeys([*mine, *others]):
                seen = mine.setdefault(clock, reading_of(clock).counting(before))
                seen.add(others.get(clock, reading_of(clock).counting(behind)))
            self._tried = list(mine.values())
        self.filled += later.filled
        self._unread += later._unread
        if len(self._distinct) < _DISTINCT:
            self._distinct |= later._distinct
        if self.given is None:
            for reading in self._tried or ():
                reading.counting(self.filled + self._unread).over = False
            self._give_up()

    def _give_up(self) -> None:
        for reading in self._tried or ():
            reading.over = reading.over or 2 * reading.bad > self.filled + self._unread

    @property
    def distinct(self) -> int:
        """How many of the cells differ, counted up to a limit."""
        return len(self._distinct)

    def take(self, array: pa.Array, rules: cells.CellRules, locate: Callable[[int], str]) -> None:
        """Take in one batch of text or numbers; `locate` names its row with a given index."""
        if self._tried is not None and not self.readings:
            self._unread += len(array)
            return
        texts = digits(array, rules)
        missing = cells.empty(array, rules)
        texts = pc.if_else(pa.array(missing), None, texts)
        encoded = texts.dictionary_encode()
        values = encoded.dictionary
        if not len(values):
            return
        if self._tried is None:
            sample = texts.drop_null()[:_SAMPLE]
            self._tried = [reading_of(clock) for clock in _clocks(self.column, sample, rules)]
        filled = len(array) - int(missing.sum())
        self.filled += filled
        if len(self._distinct) < _DISTINCT:
            self._distinct.update(values[:_DISTINCT].to_pylist())
        places = encoded.indices.to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(~np.isnan(places))
        places = places[rows].astype(np.int64)
        for reading in self.readings or ():
            reading.cells += filled
            _take(reading, values, places, rows, rules, locate)
        if self.given is None:
            self._give_up()


def reading_of(clock: Clock) -> Reading:
    """An empty one."""
    return Reading(clock, InstantProfile(clock.kind == "text" and clock.order == "clock"))


def _take(
    reading: Reading,
    values: pa.Array,
    places: np.ndarray[tuple[int], np.dtype[np.int64]],
    rows: np.ndarray[tuple[int], np.dtype[np.int64]],
    rules: cells.CellRules,
    locate: Callable[[int], str],
) -> None:
    """Take in cells: `values` [distinct], which of them each is and in which row it stands; [cells]."""
    read = cells.without_far(reading.clock.instants(values, rules))
    seconds, bad = read.values[places], read.bad[places]
    if bad.any():
        index = int(bad.argmax())
        reading.bad += int(bad.sum())
        if reading.first_bad is None:
            reading.first_bad = (locate(int(rows[index])), str(values[int(places[index])].as_py()))
    good = np.flatnonzero(~bad & ~np.isnan(seconds))
    for place, count in zip(*np.unique(places[~bad & np.isnan(seconds)], return_counts=True), strict=True):
        reading.far[str(values[int(place)].as_py()).strip()] += int(count)
    if len(good) and (reading.example is None or _is_mute(reading, np.array(reading.example[1:])).all()):
        telling = ~_is_mute(reading, seconds[good])
        if reading.example is None or telling.any():
            index = int(good[telling.argmax()])
            reading.example = (str(values[int(places[index])].as_py()).strip(), float(seconds[index]))
    reading.instants.update(seconds, lambda index: str(values[int(places[index])].as_py()).strip())


def _is_mute(reading: Reading, seconds: Floats) -> Mask:
    """Which instants [rows] read alike with day and month exchanged, as the 3rd of March does."""
    if reading.clock.order not in ("dmy", "mdy"):
        return np.zeros(len(seconds), np.bool_)
    days = np.floor(seconds / DAY).astype(np.int64).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    return np.asarray((days - months).astype(np.int64) == months.astype(np.int64) % 12)


def _clocks(column: str, values: pa.Array, rules: cells.CellRules) -> list[Clock]:
    """The ways in which half of `values`, cells as text, may be dates."""
    base = Clock(columns=(column,), kind="text")
    read = cells.numbers(values, rules)
    if not read.bad.any():
        known = read.values[np.isfinite(read.values) & ~np.isin(read.values, _NEVER)]
        tried = _of_numbers(base, known) if len(known) else []
    else:
        texts = [text.strip() for text in values.to_pylist()]
        orders = (order for order in (*ORDERS, "clock") if looks_like(texts, order))
        tried = [base.model_copy(update={"order": order}) for order in orders]
    fitting = []
    for clock in tried:
        instants = clock.instants(values, rules)
        if 2 * int(instants.bad.sum()) <= len(values):
            fitting.append(clock)
    return fitting


def _of_numbers(base: Clock, values: Floats) -> list[Clock]:
    """The ways in which numbers may be dates, the likeliest first."""
    least, most = float(values.min()), float(values.max())
    whole = bool((values == np.floor(values)).all())
    clocks = []
    if whole:
        orders: dict[int, Order] = {6: "ym", **dict.fromkeys(_DIGITS, "compact")}
        clocks += [
            base.model_copy(update={"kind": "digits", "order": order})
            for length, order in orders.items()
            if 1950 * 10.0 ** (length - 4) <= least and most < 2101 * 10.0 ** (length - 4)
        ]
    first, end = EXCEL_WHOLE_DAYS if whole else EXCEL_DAYS
    if first <= least and most < end:
        clocks.append(base.model_copy(update={"kind": "excel"}))
    unit = unit_of(values)
    if least * unit >= _EPOCH_BEGIN and most * unit < _END:
        clocks.append(base.model_copy(update={"kind": "number", "unit": unit}))
    return clocks
