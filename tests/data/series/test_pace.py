"""Rows that come more or less often than those learned are noticed."""

from __future__ import annotations

import numpy as np
import pytest

from aedetect.data.series.counted import Counted
from aedetect.data.series.pace import pace_notice, pauses_of


def notice_of(seconds: np.ndarray) -> str | None:
    """What is said of rows of two series, both at `seconds`, where 300 were learned."""
    pauses = Counted()
    for _ in range(2):
        pauses.add(pauses_of(seconds))
    return pace_notice(pauses, 300)


def notice(step: float, count: int = 100) -> str | None:
    return notice_of(np.arange(count) * step)


def test_both_paces_are_named_and_what_follows() -> None:
    assert (notice(600) or "").startswith("steps are 10 min, 5 min were learned: the steps between are taken")
    assert (notice(60) or "").startswith("steps are 1 min, 5 min were learned: rows are gathered to steps")


@pytest.mark.parametrize("step", [300, 240, 400])
def test_much_the_same_pace_is_none(step: float) -> None:
    assert notice(step) is None


def test_few_rows_tell_no_pace() -> None:
    assert notice(600, count=10) is None
    assert notice_of(np.array([0.0])) is None


def test_repeated_and_absent_rows_are_no_other_pace() -> None:
    seconds = np.delete(np.repeat(np.arange(200) * 300.0, 3), np.arange(0, 90, 4))
    assert notice_of(np.r_[seconds, np.nan]) is None
