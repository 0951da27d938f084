"""Rows that come at another pace than those learned are noticed."""

from __future__ import annotations

import numpy as np
import pytest

from aedetect.data.series.pace import duration, pace_notice


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (300.0, None),
        (
            600.0,
            "steps are 10 min, 5 min were learned: the steps between are taken as missing, which tells less; "
            "train on rows like these",
        ),
        (
            60.0,
            "steps are 1 min, 5 min were learned: rows are gathered to steps of 5 min, and each has the verdict "
            "of its step",
        ),
    ],
)
def test_what_is_said_of_another_pace(step: float, said: str | None) -> None:
    assert pace_notice(np.arange(100) * step, np.zeros(100, dtype=np.int64), 300.0) == said


def test_few_rows_have_no_pace() -> None:
    assert pace_notice(np.arange(10) * 600.0, np.zeros(10, dtype=np.int64), 300.0) is None


def test_durations_are_said_in_their_largest_unit() -> None:
    assert [duration(seconds) for seconds in (1, 90, 7200, 86400)] == ["1 s", "1.5 min", "2 h", "1 d"]
