"""Past rows as they are counted: by day, by dump, and by the period of a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.io.source import Input
from aedetect.tasks.backtest.budget import Budget, Period
from aedetect.tasks.backtest.periods import SECONDS, keys_of, name_of
from aedetect.tasks.backtest.results import Fired, Line, Unit
from aedetect.tasks.backtest.tally import UNTIMED, Counted, Tally

_DAYS_A_WEEK = 7
NO_DAY = "(no readable time)"


@dataclass(frozen=True)
class Lines:
    """All rows; by day, None where nothing tells; those on no day, if there are any; by dump."""

    whole: Line
    days: list[Line] | None
    untimed: Line | None
    dumps: list[Line]


@dataclass
class Past:
    """Counts of all rows at `rates`, the finest first.

    `days_by`: what tells the days, in words; None where nothing does; `in_names`: it is the names of inputs.
    `step`: seconds between two rows of a series; None for tables. `local` [rows] is throughout the time of
    rows by the wall clock in seconds since 1970, NaN where unknown, and `dumps` [rows] the places of their
    inputs.
    """

    unit: Unit
    inputs: Sequence[Input]
    rates: Sequence[float]
    days_by: str | None
    in_names: bool = False
    step: float | None = None
    warnings: list[str] = field(default_factory=list)
    tallies: dict[Period, Tally] = field(default_factory=dict)
    _first: float = np.inf
    _last: float = -np.inf

    def __post_init__(self) -> None:
        self.tallies["dump"] = Tally(len(self.rates))
        if self.days_by is not None:
            self.tallies["day"] = Tally(len(self.rates))

    def count_periods(self, budget: Budget | None) -> None:
        """Count by the period of a budget as well."""
        if budget is not None and budget.period not in self.tallies:
            self.tallies[budget.period] = Tally(len(self.rates))

    @property
    def period(self) -> Period:
        """What averages are over where no budget says: days, or dumps where nothing tells days."""
        return "dump" if self.days_by is None else "day"

    def add_rows(self, local: Floats, dumps: Integers, unscorable: Mask) -> None:
        """Rows were read."""
        known = local[np.isfinite(local)]
        if len(known):
            self._first = min(self._first, float(known.min()))
            self._last = max(self._last, float(known.max()))
        for period, tally in self.tallies.items():
            keys = _keys(period, local, dumps)
            tally.add_rows(keys)
            tally.add_unscorable(keys[unscorable])

    def add_flagged(self, local: Floats, dumps: Integers, rate: int) -> None:
        """Some of them are flagged at one rate, by its place."""
        for period, tally in self.tallies.items():
            tally.add_flagged(_keys(period, local, dumps), rate)

    def add_flagged_from(self, local: Floats, dumps: Integers, finest: Integers) -> None:
        """Some are flagged at the rate in place `finest` [rows], and at all that are looser."""
        for period, tally in self.tallies.items():
            tally.add_flagged_from(_keys(period, local, dumps), finest)

    def add_events(self, local: Floats, dumps: Integers, rate: int) -> None:
        """Events began at one rate; [events]."""
        for period, tally in self.tallies.items():
            tally.add_events(_keys(period, local, dumps), rate)

    def counted(self, period: Period) -> dict[int, Counted]:
        """What was counted by period, in order; without rows that are in none."""
        counted = self.tallies[period].counted
        return {key: counted[key] for key in sorted(counted) if key != UNTIMED}

    def periods(self, period: Period) -> float:
        """How many of them have rows; of the first and last of a series only the part that has."""
        if period == "week":
            return self.periods("day") / _DAYS_A_WEEK
        count = float(len(self.counted(period)))
        if period == "dump" or self.step is None or not count:
            return count
        length = SECONDS[period]
        before = self._first % length
        # The last row stands for the time until the next would come.
        after = max(length - self._last % length - self.step, 0.0)
        return float(max(count - (before + after) / length, min(self.step / length, 1.0)))

    def name(self, period: Period, key: int) -> str:
        """What a period is called."""
        return self.inputs[key].name if period == "dump" else name_of(key, period)

    def lines(self, rates: Sequence[float]) -> Lines:
        """What was counted, at some of the rates."""
        dumps = self.counted("dump")
        nothing = np.zeros(len(self.rates), dtype=np.int64)
        none = Counted(nothing, nothing)
        by_dump = [
            self._line(source.name, dumps.get(place, none), rates) for place, source in enumerate(self.inputs)
        ]
        whole = none
        for counted in dumps.values():
            whole = _sum(whole, counted)
        days, untimed = None, None
        if self.days_by is not None:
            days = [
                self._line(self.name("day", key), counted, rates)
                for key, counted in self.counted("day").items()
            ]
            left = self.tallies["day"].counted.get(UNTIMED)
            untimed = None if left is None else self._line(NO_DAY, left, rates)
        return Lines(self._line("all", whole, rates), days, untimed, by_dump)

    def _line(self, name: str, counted: Counted, rates: Sequence[float]) -> Line:
        fired = {}
        for rate in rates:
            place = self.rates.index(rate)
            events = int(counted.events[place]) if self.unit == "events" else None
            fired[rate] = Fired(int(counted.flagged[place]), events)
        return Line(name, counted.rows, counted.unscorable, fired)

    def totals(self, period: Period) -> Integers:
        """Alarms [periods, rates] in each period, in the unit that alarms are counted by."""
        each = [getattr(counted, "events" if self.unit == "events" else "flagged")
                for counted in self.counted(period).values()]  # fmt: skip
        return np.array(each, dtype=np.int64).reshape(len(each), len(self.rates))


def _keys(period: Period, local: Floats, dumps: Integers) -> Integers:
    return dumps if period == "dump" else keys_of(local, period)


def _sum(first: Counted, second: Counted) -> Counted:
    return Counted(
        first.flagged + second.flagged,
        first.events + second.events,
        first.rows + second.rows,
        first.unscorable + second.unscorable,
    )
