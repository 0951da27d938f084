"""What a backtest came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aedetect.tasks.backtest.budget import Budget

Unit = Literal["events", "rows"]


@dataclass(frozen=True)
class Fired:
    """What would have fired at one rate: flagged rows, and events, None for models that know none."""

    flagged: int
    events: int | None

    def of(self, unit: Unit) -> int:
        """What is counted in `unit`."""
        return self.flagged if unit == "rows" or self.events is None else self.events


@dataclass(frozen=True)
class Line:
    """A day, a dump or all rows, by name. `fired`: by alert rate, the finest first.

    Of each rate, the rows that are neither flagged nor `unscorable` are normal.
    """

    name: str
    rows: int
    unscorable: int
    fired: dict[float, Fired]

    def as_dict(self, key: str) -> dict[str, Any]:
        """For --json; `key`: what the name is called."""
        return {
            key: self.name,
            "rows": self.rows,
            "unscorable": self.unscorable,
            "rates": [
                {
                    "alert_rate": rate,
                    "normal": self.rows - self.unscorable - fired.flagged,
                    "flagged": fired.flagged,
                    "events": fired.events,
                }
                for rate, fired in self.fired.items()
            ],
        }


@dataclass(frozen=True)
class Pace:
    """How many alarms there would have been in a period at one rate: on average, and the most in one.

    `most_at`: when that was, or in which dump; None where there was no alarm.
    """

    rate: float
    mean: float
    most: int
    most_at: str | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "alert_rate": self.rate,
            "expected": round(self.mean, 6),
            "most": self.most,
            "most_at": self.most_at,
        }


@dataclass(frozen=True)
class BudgetOutcome:
    """Which rate keeps a budget, on average over the periods of the history.

    `chosen`: the loosest rate tried that does, as all finer ones do; None where none does. `looser`: the next
    rate, which does not; None where all do. `finest`: of the finest rate tried. `periods`: how many hours,
    days, weeks or dumps the average is over. `warnings`: where the calibration rows are too few for the rate.
    """

    budget: Budget
    unit: Unit
    periods: float
    chosen: Pace | None
    looser: Pace | None
    finest: Pace
    warnings: Sequence[str]

    def as_dict(self) -> dict[str, Any]:
        chosen = self.chosen.as_dict() if self.chosen else dict.fromkeys(self.finest.as_dict())
        return {
            "count": self.budget.count,
            "period": self.budget.period,
            "unit": self.unit,
            "periods": round(self.periods, 6),
            **chosen,
            "next_looser": self.looser.as_dict() if self.looser else None,
            "finest_tried": self.finest.as_dict(),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class Backtest:
    """Verdicts of past rows at several alert rates.

    `unit`: what alarms are counted by, events or flagged rows. `days`: those with rows, in order; None where
    nothing says on which day rows are. `days_by`: what does; `in_names`: it is the names of the inputs.
    `untimed`: rows that are on no day; None where there are none. `dumps`: by input. `paces`: alarms a day at
    each rate, or a dump where there are no days; `periods`: how many these are, of the first and last day of
    a series the part that has rows.
    """

    unit: Unit
    rates: Sequence[float]
    whole: Line
    days: Sequence[Line] | None
    days_by: str | None
    in_names: bool
    untimed: Line | None
    dumps: Sequence[Line]
    paces: Sequence[Pace]
    periods: float
    budget: BudgetOutcome | None
    warnings: list[str]

    @property
    def period(self) -> str:
        """What `paces` are for: 'day' or 'dump'."""
        return "dump" if self.days is None else "day"

    @property
    def lines(self) -> Sequence[Line]:
        """The days, or the dumps where there are none."""
        return self.dumps if self.days is None else self.days

    def as_dict(self) -> dict[str, Any]:
        """As `backtest --json` prints it."""
        return {
            "unit": self.unit,
            "rows": self.whole.rows,
            "unscorable": self.whole.unscorable,
            "rates": [
                {**line, f"expected_per_{self.period}": pace["expected"], "most": pace["most"],
                 "most_at": pace["most_at"]}
                for line, pace in zip(
                    self.whole.as_dict("all")["rates"], (pace.as_dict() for pace in self.paces), strict=True
                )
            ],
            "days_by": self.days_by,
            f"{self.period}s_counted": round(self.periods, 6),
            "days": None if self.days is None else [line.as_dict("day") for line in self.days],
            "untimed": self.untimed.as_dict("day") if self.untimed else None,
            "dumps": [line.as_dict("path") for line in self.dumps],
            "budget": self.budget.as_dict() if self.budget else None,
            "warnings": self.warnings,
        }  # fmt: skip
