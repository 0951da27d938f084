"""How many days the past has."""

from __future__ import annotations

import numpy as np
import pytest

from aedetect.config import DataConfig
from aedetect.io.inputs import as_inputs
from aedetect.tasks.backtest.budget import Budget, Period
from aedetect.tasks.backtest.past import Past

DAY, HOUR = 86_400.0, 3600.0


def past_of(first: float, last: float, step: float | None, period: Period) -> Past:
    inputs = as_inputs(np.zeros((1, 1)), DataConfig())
    past = Past("events", inputs, [0.01], "by time", step=step)
    past.count_periods(Budget(1, period))
    local = np.arange(first, last + 1, step or HOUR)
    past.add_rows(local, np.zeros(len(local), dtype=np.int64), np.zeros(len(local), dtype=np.bool_))
    return past


@pytest.mark.parametrize(
    ("first", "last", "step", "period", "count"),
    [
        # Whole days, of rows ten minutes, an hour and a day apart.
        (0, 3 * DAY - 600, 600, "day", 3),
        (0, 3 * DAY - HOUR, HOUR, "day", 3),
        (0, 2 * DAY, DAY, "day", 3),
        # From noon to noon.
        (DAY / 2, 2.5 * DAY - 600, 600, "day", 2),
        # One hour, which is no day.
        (DAY / 2, DAY / 2 + HOUR - 600, 600, "day", 1 / 24),
        (DAY / 2, DAY / 2 + HOUR - 600, 600, "hour", 1),
        (0, 10 * DAY - 600, 600, "week", 10 / 7),
        # A table may have rows in office hours alone: its days are whole.
        (9 * HOUR, 17 * HOUR, None, "day", 1),
        (9 * HOUR, 17 * HOUR, None, "hour", 9),
        (0, 0, None, "dump", 1),
    ],
)
def test_periods_are_those_that_the_rows_cover(
    first: float, last: float, step: float | None, period: Period, count: float
) -> None:
    assert past_of(first, last, step, period).periods(period) == pytest.approx(count)
