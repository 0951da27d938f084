"""Which of the rates tried keeps a budget."""

from __future__ import annotations

from collections.abc import Mapping

from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.backtest.budget import Budget, Period
from aedetect.tasks.backtest.past import Past
from aedetect.tasks.backtest.results import BudgetOutcome, Pace


def pace_of(past: Past, period: Period, rate: int) -> Pace:
    """Alarms in a period at the rate in place `rate`, on average and at most."""
    totals = past.totals(period)[:, rate]
    keys = list(past.counted(period))
    periods = past.periods(period)
    mean = float(totals.sum()) / periods if periods else 0.0
    most = int(totals.max(initial=0))
    most_at = past.name(period, keys[int(totals.argmax())]) if most else None
    return Pace(past.rates[rate], mean, most, most_at)


def outcome_of(past: Past, budget: Budget, models: Mapping[float, FittedModel]) -> BudgetOutcome:
    """The loosest rate that keeps a budget on average, as do all finer ones.

    Of time series a looser rate may have fewer events, as they grow together: such a rate is not taken.
    """
    paces = [pace_of(past, budget.period, place) for place in range(len(past.rates))]
    beyond = next((place for place, pace in enumerate(paces) if pace.mean > budget.count), len(paces))
    chosen = paces[beyond - 1] if beyond else None
    looser = paces[beyond] if beyond < len(paces) else None
    periods = past.periods(budget.period)
    warnings = list(models[chosen.rate].threshold_policy.warnings) if chosen else []
    return BudgetOutcome(
        budget, past.unit, periods, chosen, looser, paces[0], [*warnings, *_thin(budget, periods)]
    )


def _thin(budget: Budget, periods: float) -> list[str]:
    """Where the past is too short to tell."""
    allowed = budget.count * periods
    if budget.period != "dump" and periods < 1:
        return [
            f"the rows cover {periods:.2g} of a {budget.period}: what is said of a {budget.period} is "
            "carried on from that; add older rows"
        ]
    if 0 < allowed < 1:
        return [
            f"{budget} allows for {allowed:.2g} alarms in all this time, so that any alarm breaks it; add "
            "older rows"
        ]
    return []
