"""Budgets as people type them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from aedetect.errors import UsageError
from aedetect.tasks.backtest.budget import RATES_TRIED, Budget

EXAMPLES = "write it like 5/day, 2/week, 1/hour or 3/dump"


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("5/day", Budget(5, "day")),
        (" 0.5 / weeks ", Budget(0.5, "week")),
        ("1/Hour", Budget(1, "hour")),
        ("0/dump", Budget(0, "dump")),
    ],
)
def test_a_budget_is_a_number_in_a_period(text: str, budget: Budget) -> None:
    assert Budget.parse(text) == budget


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("5", f"--budget '5': not a number of alarms in a period; {EXAMPLES}"),
        ("", f"--budget '': not a number of alarms in a period; {EXAMPLES}"),
        ("-1/day", f"--budget '-1/day': not a number of alarms in a period; {EXAMPLES}"),
        ("nan/day", f"--budget 'nan/day': not a number of alarms in a period; {EXAMPLES}"),
        ("5/", f"--budget '5/': not a number of alarms in a period; {EXAMPLES}"),
        ("5/dayy", f"--budget '5/dayy': 'dayy' is no period; did you mean 'day'?; {EXAMPLES}"),
        ("5/month", f"--budget '5/month': 'month' is no period; {EXAMPLES}"),
    ],
)
def test_other_texts_are_refused(text: str, error: str) -> None:
    with pytest.raises(UsageError) as raised:
        Budget.parse(text)
    assert str(raised.value) == error


def test_rates_tried_are_round_and_rise_by_about_a_quarter() -> None:
    assert list(RATES_TRIED) == sorted(set(RATES_TRIED))
    assert (RATES_TRIED[0], RATES_TRIED[-1]) == (1e-6, 0.1)
    steps = [later / earlier for earlier, later in pairwise(RATES_TRIED)]
    assert 1.24 < min(steps) <= max(steps) < 1.3
    assert all(float(f"{rate:g}") == rate for rate in RATES_TRIED)
