"""Everyday series by seed: normal rows to learn from, and fresh rows with planted faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]

TIME = "time"
DAY = 288
"""Steps of five minutes in a day."""


@dataclass(frozen=True)
class Case:
    """What a user has: two tables and the flags that tell `train` how to read them.

    `odd` are the rows [fresh rows] of the one planted fault, all of one series; `ignored` are rows whose
    flags are right either way. `series` names the columns that tell series apart, of which one holds the
    fault. With `has_history` the rows learned go before the fresh ones when these are scored.
    """

    train: pd.DataFrame
    fresh: pd.DataFrame
    odd: Rows
    flags: tuple[str, ...] = ("--time", TIME)
    series: tuple[str, ...] = ()
    ignored: Rows | None = None
    has_history: bool = False


def correlated(random: np.random.Generator, rows: int, size: float = 1.0, memory: float = 0.7) -> Floats:
    """Noise [rows] of standard deviation `size` that hangs together from row to row."""
    pushed = random.normal(0, size * np.sqrt(1 - memory**2), rows)
    noise = np.empty(rows)
    noise[0] = random.normal(0, size)
    for row in range(1, rows):
        noise[row] = memory * noise[row - 1] + pushed[row]
    return noise


def span(rows: int, begin: int, length: int) -> Rows:
    """True in `length` rows from `begin`."""
    odd = np.zeros(rows, dtype=bool)
    odd[begin : begin + length] = True
    return odd


def cut(frame: pd.DataFrame, rows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first `rows` to learn from, and the others."""
    return frame[:rows].reset_index(drop=True), frame[rows:].reset_index(drop=True)


def _by_day(times: pd.DatetimeIndex | pd.Series[pd.Timestamp]) -> Floats:
    """The load of people [rows] by the hour of the local clock, 0 to 1."""
    index = pd.DatetimeIndex(times)
    hour = index.hour.to_numpy() + index.minute.to_numpy() / 60
    return np.asarray(0.5 - 0.35 * np.cos(2 * np.pi * (hour - 3) / 24) - 0.15 * np.cos(4 * np.pi * hour / 24))


def _weeks(seed: int) -> pd.DataFrame:
    """Six weeks of five-minute load: by day, and less at weekends."""
    random = np.random.default_rng(seed)
    times = pd.date_range("2026-01-05", periods=42 * DAY, freq="5min")
    level = np.where(times.day_of_week < 5, 1.0, 0.5)
    load = 100 * level * (0.3 + _by_day(times)) + correlated(random, len(times), 3.0)
    return pd.DataFrame({TIME: times, "load": load})


def month(seed: int) -> Case:
    """A month of five-minute data with days and weeks; two hours of a Tuesday noon at 40%."""
    train, fresh = cut(_weeks(seed), 28 * DAY)
    odd = span(len(fresh), 8 * DAY + 11 * 12, 24)
    fresh.loc[odd, "load"] *= 0.4
    return Case(train, fresh, odd)


def wednesday(seed: int) -> Case:
    """The same month; a Wednesday, between 8 and 20 o'clock, runs at the level of a Sunday."""
    train, fresh = cut(_weeks(seed), 28 * DAY)
    odd = span(len(fresh), 9 * DAY + 8 * 12, 12 * 12)
    fresh.loc[odd, "load"] *= 0.5
    return Case(train, fresh, odd)


def _clock_change(seed: int, first: str, days: int, learned: int) -> Case:
    random = np.random.default_rng(seed)
    start = pd.Timestamp(first, tz="Europe/Berlin")
    times = pd.date_range(start, start + pd.DateOffset(days=days), freq="h", inclusive="left")
    local = times.tz_localize(None)
    load = 100 * (0.3 + _by_day(local)) + correlated(random, len(times), 3.0)
    frame = pd.DataFrame({TIME: local.strftime("%Y-%m-%d %H:%M"), "load": load})
    train, fresh = cut(frame, learned * 24)
    # Eight hours of the working day, a week after the clocks changed.
    begin = int(np.flatnonzero(fresh[TIME].str.endswith("09:00"))[20])
    odd = span(len(fresh), begin, 8)
    fresh.loc[odd, "load"] *= 0.3
    return Case(train, fresh, odd, ("--time", TIME, "--time-zone", "Europe/Berlin"))


def spring(seed: int) -> Case:
    """Hourly load in local time, an hour of which is left out; eight hours at 30%."""
    return _clock_change(seed, "2026-01-05", 100, 70)


def autumn(seed: int) -> Case:
    """Hourly load in local time, an hour of which comes twice; eight hours at 30%."""
    return _clock_change(seed, "2026-08-03", 100, 70)


def sales(seed: int) -> Case:
    """Four years of daily sales with week and year, and a fifth with a dip of five days to 40%."""
    random = np.random.default_rng(seed)
    times = pd.date_range("2021-01-01", "2025-12-31", freq="D")
    week = np.array([1.0, 0.95, 0.97, 1.05, 1.3, 1.5, 0.5])[times.day_of_week]
    year = 1 + 0.25 * np.cos(2 * np.pi * (times.day_of_year.to_numpy() - 350) / 365.25)
    sold = 1000 * week * year * (1 + correlated(random, len(times), 0.05, 0.3))
    train, fresh = cut(pd.DataFrame({TIME: times, "sold": sold.round()}), 1461)
    odd = span(len(fresh), 160, 5)
    fresh.loc[odd, "sold"] = (fresh.loc[odd, "sold"] * 0.4).round()
    return Case(train, fresh, odd, has_history=True)


HOLIDAYS = pd.to_datetime(
    ["2025-01-01", "2025-04-18", "2025-04-21", "2025-05-01", "2025-05-29", "2025-06-09", "2025-10-03"]
    + ["2025-12-25", "2025-12-26", "2026-01-01", "2026-04-03", "2026-04-06"]
)


def holidays(seed: int) -> Case:
    """Fourteen months of hourly load, holidays as Sundays; then two holidays, and twelve hours 40% up."""
    random = np.random.default_rng(seed)
    times = pd.date_range("2025-01-01", periods=(424 + 84) * 24, freq="h")
    off = (times.day_of_week >= 5) | times.normalize().isin(HOLIDAYS)
    load = 100 * np.where(off, 0.6, 1.0) * (0.3 + _by_day(times)) + correlated(random, len(times), 3.0)
    train, fresh = cut(pd.DataFrame({TIME: times, "load": load}), 424 * 24)
    # From 7 o'clock on Tuesday, 17 March.
    odd = span(len(fresh), int(np.flatnonzero(fresh[TIME] == "2026-03-17 07:00")[0]), 12)
    fresh.loc[odd, "load"] *= 1.4
    return Case(train, fresh, odd)


def intermittent(seed: int) -> Case:
    """Hourly counts that are mostly none; a day of many in every hour."""
    random = np.random.default_rng(seed)
    times = pd.date_range("2026-01-05", periods=90 * 24, freq="h")
    counts = random.poisson(3, len(times)) * (random.random(len(times)) < 0.2)
    train, fresh = cut(pd.DataFrame({TIME: times, "orders": counts}), 60 * 24)
    odd = span(len(fresh), 400, 24)
    fresh.loc[odd, "orders"] = random.poisson(8, 24) + 1
    return Case(train, fresh, odd)


def counter(seed: int) -> Case:
    """A counter that grows by day and starts anew every few days; it stands still for three hours."""
    random = np.random.default_rng(seed)
    times = pd.date_range("2026-01-05", periods=21 * DAY, freq="5min")
    growth = np.round(1000 * (0.3 + _by_day(times)) * (1 + correlated(random, len(times), 0.05)))
    begin = 17 * DAY + 10 * 12
    growth[begin : begin + 36] = 0
    total = np.cumsum(growth)
    for reset in np.sort(random.choice(np.arange(1, 7), 5, replace=False)) * 3 * DAY + 77:
        total[reset:] -= total[reset]
    train, fresh = cut(pd.DataFrame({TIME: times, "bytes_total": total.astype(np.int64)}), 14 * DAY)
    return Case(train, fresh, span(len(fresh), begin - 14 * DAY, 36))


def dead_channel(seed: int) -> Case:
    """Five channels that move together; one keeps its last value for six hours."""
    random = np.random.default_rng(seed)
    times = pd.date_range("2026-01-05", periods=19 * DAY, freq="5min")
    base = _by_day(times) + correlated(random, len(times), 0.05, 0.95)
    channels = {
        f"sensor_{number}": (number + 1) * base * 10 + correlated(random, len(times), 0.3, 0.5)
        for number in range(5)
    }
    train, fresh = cut(pd.DataFrame({TIME: times, **channels}), 14 * DAY)
    # From 4 o'clock, where the rhythm is steep: that a channel stands still shows soon.
    begin = 2 * DAY + 4 * 12
    odd = span(len(fresh), begin, 72)
    fresh.loc[odd, "sensor_2"] = fresh["sensor_2"].iloc[begin]
    return Case(train, fresh, odd)


def states(seed: int) -> Case:
    """Power that goes with a machine's state; for two hours it says idle and draws as if it ran."""
    random = np.random.default_rng(seed)
    times = pd.date_range("2026-01-05", periods=19 * DAY, freq="5min")
    state: list[str] = []
    while len(state) < len(times):
        state += ["run"] * int(random.integers(18, 48)) + ["clean"] * int(random.integers(4, 8))
        state += ["idle"] * int(random.integers(12, 36))
    states = np.array(state[: len(times)])
    power = pd.Series(states).map({"run": 50.0, "clean": 25.0, "idle": 5.0}).to_numpy()
    frame = pd.DataFrame({TIME: times, "state": states, "power": power + correlated(random, len(times), 1.0)})
    train, fresh = cut(frame, 14 * DAY)
    odd = span(len(fresh), 3 * DAY, 24)
    fresh.loc[odd, "state"] = "idle"
    fresh.loc[odd, "power"] = 50 + correlated(random, 24, 1.0)
    return Case(train, fresh, odd)


def _machines(seed: int, names: list[str], rows: int, start: str) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    times = pd.date_range(start, periods=rows, freq="5min")
    steps = np.arange(rows)
    frames = []
    for name in names:
        level, size, shift = random.normal(50, 10), random.uniform(5, 10), random.uniform(0, 2 * np.pi)
        wave = level + size * np.sin(2 * np.pi * steps / 48 + shift)
        values = wave + correlated(random, rows, size / 20)
        frames.append(pd.DataFrame({TIME: times, "machine": name, "temp": values}))
    return pd.concat(frames).sort_values([TIME, "machine"], kind="stable", ignore_index=True)


def _faulty_machine(frame: pd.DataFrame, learned: int, name: str, begin: int, length: int) -> Case:
    """`frame` cut after `learned` rows of each machine; one machine is off by far for `length` rows."""
    place = frame.groupby("machine").cumcount()
    train, fresh = frame[place < learned], frame[place >= learned].reset_index(drop=True)
    at = fresh.groupby("machine").cumcount()
    of_machine = fresh["machine"] == name
    odd = (of_machine & (at >= begin) & (at < begin + length)).to_numpy()
    spread = fresh.loc[of_machine, "temp"].std()
    fresh.loc[odd, "temp"] += 4 * spread
    return Case(train, fresh, odd, ("--time", TIME, "--entity", "machine"), ("machine",))


def short_entity(seed: int) -> Case:
    """Five machines, and one of which there are three rows; one of the five is off for two hours."""
    case = _faulty_machine(
        _machines(seed, [f"m{number}" for number in range(5)], 10 * DAY, "2026-01-05"), 7 * DAY, "m3", 400, 24
    )
    new = case.fresh.iloc[::5][:3].assign(machine="new", temp=[50.0, 51.0, 50.5])
    fresh = pd.concat([case.fresh, new], ignore_index=True)
    odd = np.concatenate([case.odd, np.zeros(3, dtype=bool)])
    return Case(case.train, fresh, odd, case.flags, case.series)


def many_entities(seed: int) -> Case:
    """Five thousand machines of 200 rows each; an hour of one of them is off."""
    names = [f"m{number:04}" for number in range(5000)]
    case = _faulty_machine(_machines(seed, names, 260, "2026-01-05"), 200, "m1234", 30, 12)
    # Sixty rows of each are fewer than a window.
    return replace(case, has_history=True)


def irregular(seed: int) -> Case:
    """A log whose rows come at any time, two minutes apart on average; three hours are off."""
    random = np.random.default_rng(seed)
    seconds = np.cumsum(random.exponential(120, 14 * 720)).round()
    times = pd.Timestamp("2026-01-05") + pd.to_timedelta(seconds, unit="s")
    values = 200 * (0.5 + _by_day(times)) + correlated(random, len(times), 10.0)
    train, fresh = cut(pd.DataFrame({TIME: times, "latency": values}), 10 * 720)
    odd = span(len(fresh), 1500, 90)
    fresh.loc[odd, "latency"] += 150
    return Case(train, fresh, odd, ("--time", TIME, "--every", "5min"))


def long_format(seed: int) -> Case:
    """A reading a row, of three sensors at two rates and units; pressure is off for three hours."""
    random = np.random.default_rng(seed)
    times = pd.date_range("2026-01-05", periods=19 * DAY, freq="5min")
    base = _by_day(times)
    wide = pd.DataFrame({TIME: times})
    for name, unit in (("temp", 1.0), ("speed", 50.0), ("pressure", 1000.0)):
        wide[name] = unit * (5 * base + correlated(random, len(times), 0.2))
    wide["speed"] = wide["speed"].where(np.arange(len(wide)) % 3 == 0)
    begin = 16 * DAY + 100
    wide.loc[begin : begin + 35, "pressure"] += 3000
    frame = wide.melt([TIME], var_name="sensor", value_name="reading").dropna()
    frame = frame.sort_values([TIME, "sensor"], kind="stable", ignore_index=True)
    train, fresh = cut(frame, int((frame[TIME] < times[14 * DAY]).sum()))
    odd = (fresh["sensor"] == "pressure") & fresh[TIME].between(times[begin], times[begin + 35])
    flags = ("--time", TIME, "--series-name", "sensor", "--value", "reading")
    return Case(train, fresh, odd.to_numpy(), flags, ("sensor",))


CASES: dict[str, Callable[[int], Case]] = {
    case.__name__: case
    for case in (
        *(month, wednesday, spring, autumn, sales, holidays, intermittent, counter, dead_channel, states),
        *(short_entity, many_entities, irregular, long_format),
    )
}
SLOW = frozenset({"many_entities"})
