"""Reading time columns: ISO text and its kin, a format of the user's, numbers, Arrow timestamps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer, model_validator

from aedetect.data import cells
from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.data.series.time_text import Order, ReadText, read_text
from aedetect.data.series.wall_clock import WallClock
from aedetect.errors import DataError

# 'digits': whole numbers such as 20260105; 'excel': days since 1899-12-30; 'count': a running number.
Kind = Literal["text", "format", "number", "instant", "digits", "excel", "count"]
Locate = Callable[[int], str]

# Day 0 of spreadsheets, in days since 1970.
_EXCEL_DAY_0 = -25_569
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Times:
    """Seconds since 1970 in UTC [rows], NaN where missing or unreadable, and which are unreadable."""

    seconds: Floats
    bad: Mask


@dataclass(frozen=True)
class WallTimes:
    """Times as they are written; [rows] each.

    `seconds`: since 1970 by the clock on the wall, NaN where unknown. `offset`: of a row's own zone from
    UTC in seconds, NaN where it names none. `bad`: unreadable.
    """

    seconds: Floats
    offset: Floats
    bad: Mask

    @classmethod
    def of_instants(cls, seconds: Floats, bad: Mask) -> WallTimes:
        """Instants in UTC."""
        return cls(seconds, np.zeros(len(seconds)), bad)

    @classmethod
    def unzoned(cls, seconds: Floats, bad: Mask) -> WallTimes:
        """Times that name no zone."""
        return cls(seconds, np.full(len(seconds), np.nan), bad)


class Clock(BaseModel):
    """How the cells of the time columns are read.

    `columns`: several are joined by spaces, a date and a time of day, say. `unit`: seconds per unit of
    epoch numbers. `zone`: of timestamps that name none; None means UTC. `aware`: whether those of
    training named their zone, and `shown_in` which, where it was one alone and not UTC: a name or an offset.
    `order`: of the parts of dates in text and digits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[str, ...]
    kind: Kind
    format: str | None = None
    zone: str | None = None
    unit: float = 1.0
    aware: bool = False
    order: Order = "ymd"
    shown_in: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_column(cls, values: Any) -> Any:
        """Models made before time could be in several columns name one, as `column`."""
        if isinstance(values, dict) and "column" in values:
            values = dict(values)
            values["columns"] = (values.pop("column"),)
        return values

    @model_serializer(mode="wrap")
    def _stored(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """One column is stored as older models have it, so that what reads model files finds it there."""
        stored: dict[str, Any] = handler(self)
        if self.order == "ymd":
            del stored["order"]
        if self.shown_in is None:
            del stored["shown_in"]
        if len(self.columns) == 1:
            del stored["columns"]
            stored = {"column": self.columns[0], **stored}
        return stored

    @property
    def column(self) -> str:
        """The time columns by name, for messages."""
        return " ".join(self.columns)

    @property
    def zone_name(self) -> str:
        """What is to be said after a time: ' UTC', ' Europe/Berlin', or nothing where no zone is known."""
        zone = self.zone or self.shown_in
        return f" {zone}" if zone else " UTC" if self.aware else ""

    @property
    def stamp_zone(self) -> str | None:
        """The zone of instants in outputs; None for times that name none, which are the wall clock's."""
        walls = not self.aware and self.kind not in ("number", "count")
        return self.zone or self.shown_in or (None if walls else "UTC")

    def cells_of(self, batch: pa.RecordBatch, rules: cells.CellRules) -> pa.Array:
        """The time cells of `batch`, those of several columns joined; null where one is missing."""
        return joined([batch.column(name) for name in self.columns], rules)

    def shown(self, seconds: float) -> str:
        """An instant as people find it in the data: local where a zone was given; '' where unknown."""
        if self.kind == "count":
            return "" if np.isnan(seconds) else f"{seconds:.12g}"
        return instant(seconds, self.zone or self.shown_in)

    def stretch(self, start: float, end: float) -> str:
        """'from 2026-02-03 04:05 to 2026-02-03 05:05 Europe/Berlin'."""
        return f"from {self.shown(start)} to {self.shown(end)}{self.zone_name}"

    def read(self, array: pa.Array, rules: cells.CellRules, locate: Locate) -> Times:
        """The instants in `array`, whose rows are of one series; see `TimeReader` for several batches.

        Raises DataError where timestamps with and without a zone are mixed and no zone was given.
        """
        series = np.zeros(len(array), dtype=np.int64)
        return TimeReader(self).times(array, series, rules, locate)

    def wall_times(self, array: pa.Array, rules: cells.CellRules, locate: Locate) -> WallTimes:
        """The times in `array` as they are written. Raises DataError as `read` does."""
        array = cells.plain(array)
        times, text = self._walls(array, rules)
        if text is not None and self.zone is None:
            given = ~(text.missing | text.bad)
            self._check_zones(text.zoned & given, given & ~text.zoned, array, locate)
        return times

    def instants(self, array: pa.Array, rules: cells.CellRules) -> cells.Cells:
        """The cells of `array` as seconds since 1970; those that name no zone are taken as UTC."""
        array = cells.plain(array)
        times, _ = self._walls(array, rules)
        seconds, bad = times.seconds - np.nan_to_num(times.offset), np.asarray(times.bad)
        if self.kind in ("number", "digits"):
            # A 0 among them is what programs write that have no date.
            zero = cells.numbers(array, replace(rules, date=None, writing=None)).values == 0
            seconds, bad = np.where(zero, np.nan, seconds), bad & ~zero
        return cells.Cells(seconds, np.isnan(seconds) & ~bad, bad)

    def _walls(self, array: pa.Array, rules: cells.CellRules) -> tuple[WallTimes, ReadText | None]:
        """The times as they are written, and what text cells say of them, where they are text."""
        if self.kind == "instant" or cells.is_datetime(array.type):
            instants = cells.datetimes(array, rules)
            known = WallTimes.unzoned if getattr(array.type, "tz", None) is None else WallTimes.of_instants
            return known(instants.values, instants.bad), None
        if self.kind in ("number", "count", "excel"):
            return self._numbers(cells.numbers(array, rules)), None
        if self.kind == "format":
            return self._formatted(array, rules), None
        if self.kind == "digits":
            array = digits(array, rules)
        elif not cells.is_text(array.type):
            instants = cells.datetimes(array, rules)
            return WallTimes.unzoned(instants.values, instants.bad), None
        read = read_text(array, rules, self.order, self.zone)
        return WallTimes(read.seconds, read.offset, read.bad), read

    def spelled(self, seconds: Floats) -> pa.Array:
        """Instants [rows] as the cells of this column are written, null where NaN: text, or numbers."""
        missing = np.isnan(seconds)
        settled = np.where(missing, 0.0, seconds)
        if self.kind in ("number", "excel"):
            day_0 = _EXCEL_DAY_0 * _DAY_SECONDS if self.kind == "excel" else 0
            unit = _DAY_SECONDS if self.kind == "excel" else self.unit
            values = (settled - day_0) / unit
            return pa.array(
                np.round(values).astype(np.int64) if unit != _DAY_SECONDS else values, mask=missing
            )
        template = self.format or "%Y-%m-%d %H:%M:%S"
        moments = [datetime.fromtimestamp(round(second), UTC) for second in settled.tolist()]
        texts = [moment.strftime(template.replace("%q", str((moment.month + 2) // 3))) for moment in moments]
        return pa.array(texts, pa.string(), mask=missing)

    def _numbers(self, numbers: cells.Cells) -> WallTimes:
        bad = numbers.bad | np.isinf(numbers.values)
        if self.kind == "excel":
            return WallTimes.unzoned(((numbers.values + _EXCEL_DAY_0) * _DAY_SECONDS).round(3), bad)
        return WallTimes.of_instants(numbers.values * self.unit, bad)

    def _formatted(self, array: pa.Array, rules: cells.CellRules) -> WallTimes:
        # Pandas takes long to load, and only formats of the user's need it.
        import pandas as pd

        text = pd.Series(digits(array, rules).to_pandas(), dtype=object)
        parsed = pd.to_datetime(text, format=self.format, errors="coerce", utc=True)
        # Instants of any resolution, as microseconds since 1970.
        stamps = parsed.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
        seconds = np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64) / 1e6)
        bad = np.isnan(seconds) & text.notna().to_numpy()
        zoned = "%z" in (self.format or "").lower()
        return WallTimes.of_instants(seconds, bad) if zoned else WallTimes.unzoned(seconds, bad)

    def _check_zones(self, aware: Mask, naive: Mask, array: pa.Array, locate: Locate) -> None:
        odd = naive if self.aware else aware
        if odd.any():
            index = int(odd.argmax())
            has, others = ("no zone", "have one") if self.aware else ("a zone", "have none")
            raise DataError(
                f"{locate(index)}, column {self.column!r}: {array[index].as_py()!r} has {has} while other "
                f"timestamps {others}; give --time-zone, the zone of those without one, e.g. UTC"
            )


class TimeReader:
    """Reads the time columns of batch after batch, and knows how far each series has come."""

    def __init__(self, clock: Clock):
        self.clock = clock
        self._wall = WallClock(clock.zone) if clock.zone is not None else None

    def resume(self, series: int, seconds: Floats) -> None:
        """The last rows of a series that was read before were at `seconds` [rows], at least one."""
        if self._wall is not None:
            self._wall.resume(series, seconds)

    def read(self, batch: pa.RecordBatch, series: Integers, rules: cells.CellRules, locate: Locate) -> Times:
        """The instants of the rows of `batch`, which are of `series` [rows].

        Raises DataError where timestamps with and without a zone are mixed and no zone was given.
        """
        return self.times(self.clock.cells_of(batch, rules), series, rules, locate)

    def times(self, array: pa.Array, series: Integers, rules: cells.CellRules, locate: Locate) -> Times:
        """The same, of time cells."""
        wall = self.clock.wall_times(array, rules, locate)
        return Times(self.instants(wall.seconds, wall.offset, series), wall.bad)

    def instants(self, wall: Floats, offset: Floats, series: Integers) -> Floats:
        """The instants of rows of `series` [rows], whose times were written as `wall` and `offset` [rows]."""
        if self._wall is None:
            return wall - np.nan_to_num(offset)
        return self._wall.seconds(wall, offset, series)


def joined(columns: list[pa.Array], rules: cells.CellRules) -> pa.Array:
    """Time cells [rows]: of one column as they are, of several as text, parts joined by a space."""
    if len(columns) == 1:
        return columns[0]
    return pc.binary_join_element_wise(
        *(_as_text(cells.plain(column), rules) for column in columns), " ", null_handling="emit_null"
    )


def _as_text(array: pa.Array, rules: cells.CellRules) -> pa.Array:
    if pa.types.is_timestamp(array.type):
        # Dates that a program holds as midnights.
        days = pc.cast(array, pa.date32(), safe=False)
        midnights = pc.all(pc.equal(pc.cast(days, array.type), array)).as_py()
        array = days if midnights in (True, None) else array
    if cells.is_datetime(array.type) or pa.types.is_time(array.type):
        return pc.cast(array, pa.string())
    return digits(array, rules)


def digits(array: pa.Array, rules: cells.CellRules) -> pa.Array:
    """Cells as text, whole numbers without the '.0' that some programs write."""
    names = cells.categories(array, rules)
    return pc.replace_substring_regex(names, r"^([0-9]+)\.0*$", r"\1")


def zone_of(name: str) -> tzinfo:
    """The zone of that name, or an offset from UTC such as '+02:00'."""
    if name[0] not in "+-":
        return ZoneInfo(name)
    minutes = 60 * int(name[1:3]) + int(name[4:6])
    return timezone(timedelta(minutes=-minutes if name[0] == "-" else minutes))


def instant(seconds: float, zone: str | None = None) -> str:
    """Seconds since 1970 as '2026-02-03 04:05' in `zone` or UTC, with seconds where they are not 0.

    Of an hour that the clock of the zone runs through twice, '2026-10-25 02:30 CET' tells which.
    """
    if np.isnan(seconds):
        return ""
    moment = datetime.fromtimestamp(round(seconds, 3), UTC)
    if zone is not None:
        moment = moment.astimezone(zone_of(zone))
    text = moment.strftime("%Y-%m-%d %H:%M")
    if moment.microsecond:
        text = moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    elif moment.second:
        text += moment.strftime(":%S")
    passes = {moment.replace(fold=fold).utcoffset() for fold in (0, 1)}
    return text if len(passes) == 1 else f"{text} {moment.tzname()}"


def span(seconds: float) -> str:
    """A duration in its two largest units: '2 d 4 h', '35 min'."""
    parts = []
    rest = round(seconds)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if rest >= size:
            parts.append(f"{rest // size:,} {unit}")
            rest %= size
    return " ".join(parts[:2]) or f"{seconds:.3g} s"
