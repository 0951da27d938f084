"""Which of the rates tried keeps a budget."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from aedetect.config import DataConfig
from aedetect.io.inputs import as_inputs
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.backtest.budget import Budget
from aedetect.tasks.backtest.outcome import outcome_of
from aedetect.tasks.backtest.past import Past
from aedetect.tasks.backtest.results import BudgetOutcome

RATES = (0.001, 0.01, 0.02, 0.05)
DAY = 86_400.0


class Unwarned:
    """A model whose calibration rows are enough for any rate."""

    class threshold_policy:
        warnings = ()


def outcome(events: Sequence[Sequence[int]], budget: Budget) -> BudgetOutcome:
    """Of so many events [days, rates] on days without a gap."""
    past = Past("events", as_inputs(np.zeros((1, 1)), DataConfig()), RATES, "by time", step=600.0)
    past.count_periods(budget)
    local = np.arange(0, len(events) * DAY, 600.0)
    past.add_rows(local, np.zeros(len(local), dtype=np.int64), np.zeros(len(local), dtype=np.bool_))
    for day, counts in enumerate(events):
        for rate, count in enumerate(counts):
            past.add_events(np.full(count, day * DAY), np.zeros(count, dtype=np.int64), rate)
    models: dict[float, FittedModel] = dict.fromkeys(RATES, Unwarned())  # type: ignore[arg-type]
    return outcome_of(past, budget, models)


def test_the_loosest_rate_that_keeps_it_on_average_is_taken() -> None:
    found = outcome([[0, 1, 4, 9], [0, 2, 2, 9]], Budget(3, "day"))
    assert found.chosen is not None
    assert found.looser is not None
    assert (found.chosen.rate, found.chosen.mean, found.chosen.most) == (0.02, 3, 4)
    assert (found.chosen.most_at, found.looser.rate, found.looser.mean) == ("1970-01-01", 0.05, 9)


def test_a_rate_at_which_events_have_grown_together_is_not_taken() -> None:
    """Its few events are long ones: finer rates would have had more."""
    found = outcome([[1, 2, 9, 1], [1, 2, 9, 1]], Budget(3, "day"))
    assert found.chosen is not None
    assert (found.chosen.rate, found.chosen.mean) == (0.01, 2)


def test_no_rate_may_do() -> None:
    found = outcome([[5, 6, 7, 8], [3, 6, 7, 8]], Budget(1, "day"))
    assert found.chosen is None
    assert (found.finest.rate, found.finest.mean, found.finest.most) == (0.001, 4, 5)
    assert found.as_dict()["alert_rate"] is None
    assert found.as_dict()["finest_tried"]["expected"] == 4


@pytest.mark.parametrize(
    ("days", "budget", "warnings"),
    [
        (7, Budget(1, "week"), []),
        (
            2,
            Budget(4, "week"),
            ["the rows cover 0.29 of a week: what is said of a week is carried on from that; add older rows"],
        ),
        (
            2,
            Budget(0.2, "day"),
            ["0.2/day allows for 0.4 alarms in all this time, so that any alarm breaks it; add older rows"],
        ),
    ],
)
def test_a_past_too_short_to_tell_is_said(days: int, budget: Budget, warnings: list[str]) -> None:
    assert outcome([[0, 0, 0, 0]] * days, budget).warnings == warnings
