"""Reading the time column: ISO text, a format of the user's, epoch numbers, Arrow timestamps."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from aedetect.data import cells
from aedetect.data.arrays import Floats, Mask
from aedetect.errors import DataError, UsageError

Kind = Literal["text", "format", "number", "instant"]
Locate = Callable[[int], str]

# Epoch numbers by size: seconds until the year 5138, then milli-, micro- and nanoseconds.
_UNITS = ((1e11, 1.0), (1e14, 1e-3), (1e17, 1e-6), (np.inf, 1e-9))
_DAY_AND_MONTH = re.compile(r"^\s*\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
_INSPECTED = 1000


@dataclass(frozen=True)
class Times:
    """Seconds since 1970 in UTC [rows], NaN where missing or unreadable, and which are unreadable."""

    seconds: Floats
    bad: Mask


class Clock(BaseModel):
    """How the cells of the time column are read.

    `unit`: seconds per unit of epoch numbers. `zone`: of timestamps that name none; None means
    UTC. `aware`: whether those of training named their zone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    kind: Kind
    format: str | None = None
    zone: str | None = None
    unit: float = 1.0
    aware: bool = False

    def read(self, array: pa.Array, rules: cells.CellRules, locate: Locate) -> Times:
        """The instants in `array`.

        Raises DataError where timestamps with and without a zone are mixed and no zone was given.
        """
        array = cells.plain(array)
        if self.kind == "number":
            numbers = cells.numbers(array, rules)
            return Times(numbers.values * self.unit, numbers.bad | np.isinf(numbers.values))
        if self.kind == "instant" or not cells.is_text(array.type):
            return self._instants(array, rules)
        if self.kind == "format":
            return self._formatted(array, rules)
        instants = cells.datetimes(array, rules)
        given = ~(instants.missing | instants.bad)
        aware = cells.zoned(array) & given
        if self.zone is None:
            self._check_zones(aware, given & ~aware, array, locate)
            return Times(instants.values, instants.bad)
        return Times(np.where(aware, instants.values, self._localised(instants.values)), instants.bad)

    def _instants(self, array: pa.Array, rules: cells.CellRules) -> Times:
        instants = cells.datetimes(array, rules)
        if self.zone is not None and getattr(array.type, "tz", None) is None:
            return Times(self._localised(instants.values), instants.bad)
        return Times(instants.values, instants.bad)

    def _formatted(self, array: pa.Array, rules: cells.CellRules) -> Times:
        # Pandas takes long to load, and only formats of the user's need it.
        import pandas as pd

        text = pd.Series(cells.categories(array, rules).to_pandas(), dtype=object)
        parsed = pd.to_datetime(text, format=self.format, errors="coerce", utc=True)
        # Instants of any resolution, as microseconds since 1970.
        stamps = parsed.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
        seconds = np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64) / 1e6)
        bad = np.isnan(seconds) & text.notna().to_numpy()
        if self.zone is not None and "%z" not in (self.format or ""):
            seconds = self._localised(seconds)
        return Times(seconds, bad)

    def _localised(self, seconds: np.ndarray[Any, Any]) -> Floats:
        """Wall-clock seconds in the clock's zone as seconds in UTC."""
        missing = np.isnan(seconds)
        micro = np.where(missing, 0.0, seconds * 1e6).round().astype(np.int64)
        naive = pa.array(micro).cast(pa.timestamp("us"))
        # Of an hour that the clock runs through twice, the first; of one it skips, its end.
        local = pc.assume_timezone(naive, self.zone, ambiguous="earliest", nonexistent="latest")
        values = local.cast(pa.int64()).to_numpy(zero_copy_only=False) / 1e6
        return np.where(missing, np.nan, values)

    def _check_zones(
        self, aware: np.ndarray[Any, Any], naive: np.ndarray[Any, Any], array: pa.Array, locate: Locate
    ) -> None:
        odd = naive if self.aware else aware
        if odd.any():
            index = int(odd.argmax())
            has, others = ("no zone", "have one") if self.aware else ("a zone", "have none")
            raise DataError(
                f"{locate(index)}, column {self.column!r}: {array[index].as_py()!r} has {has} while other "
                f"timestamps {others}; give --time-zone, the zone of those without one, e.g. UTC"
            )


def _check_format(time_format: str) -> None:
    import pandas as pd

    try:
        pd.to_datetime(pd.Series(["any"]), format=time_format, errors="coerce")
    except ValueError as error:
        raise UsageError(f"--time-format: {error}; write it like '%d/%m/%Y %H:%M'") from None


def find_clock(
    column: str,
    array: pa.Array,
    rules: cells.CellRules,
    time_format: str | None,
    zone: str | None,
    locate: Locate,
) -> Clock:
    """How to read the time column, told from its first cells.

    Raises DataError for cells that are no timestamps or ambiguous ones, UsageError for an
    unknown zone or format.
    """
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise UsageError(
                f"--time-zone {zone!r}: no such zone; write it like Europe/Berlin or UTC"
            ) from None
    array = cells.plain(array)[:_INSPECTED]
    if time_format is not None:
        if not (cells.is_text(array.type) or cells.is_number(array.type)):
            raise UsageError(f"--time-format: column {column!r} holds no text, so it needs no format")
        _check_format(time_format)
        return Clock(column=column, kind="format", format=time_format, zone=zone)
    if cells.is_datetime(array.type):
        aware = getattr(array.type, "tz", None) is not None
        return Clock(column=column, kind="instant", zone=zone, aware=aware)
    if not (cells.is_text(array.type) or cells.is_number(array.type)):
        raise DataError(f"{locate(0)}, column {column!r}: {array.type} values are no timestamps")
    numbers = cells.numbers(array, rules)
    if not numbers.bad.any() and (~numbers.missing).any():
        largest = float(np.nanmax(np.abs(np.where(np.isinf(numbers.values), np.nan, numbers.values))))
        return Clock(column=column, kind="number", unit=next(unit for most, unit in _UNITS if largest < most))
    instants = cells.datetimes(array, rules)
    if instants.bad.any():
        raise DataError(_unreadable(column, array, int(instants.bad.argmax()), locate))
    given = ~instants.missing
    aware = bool(given.any() and cells.zoned(array)[int(given.argmax())])
    return Clock(column=column, kind="text", zone=zone, aware=aware)


def _unreadable(column: str, array: pa.Array, index: int, locate: Locate) -> str:
    text = str(array[index].as_py())[:40]
    if _DAY_AND_MONTH.match(text):
        return (
            f"{locate(index)}, column {column!r}: {text!r} may be read in more than one way; say how "
            "timestamps are written, e.g. --time-format '%d/%m/%Y %H:%M'"
        )
    return (
        f"{locate(index)}, column {column!r}: {text!r} is no timestamp; repair it, or say how they are "
        "written, e.g. --time-format '%d/%m/%Y %H:%M'"
    )


def instant(seconds: float) -> str:
    """Seconds since 1970 as '2026-02-03 04:05' in UTC, with seconds where they are not 0."""
    if np.isnan(seconds):
        return ""
    moment = datetime.fromtimestamp(round(seconds, 3), UTC)
    text = moment.strftime("%Y-%m-%d %H:%M")
    if moment.microsecond:
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return text + (moment.strftime(":%S") if moment.second else "")


def span(seconds: float) -> str:
    """A duration in its two largest units: '2 d 4 h', '35 min'."""
    parts = []
    rest = round(seconds)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if rest >= size:
            parts.append(f"{rest // size:,} {unit}")
            rest %= size
    return " ".join(parts[:2]) or f"{seconds:.3g} s"
