"""Hours, days and weeks, and dates in names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aedetect.config import DataConfig
from aedetect.io.inputs import as_inputs
from aedetect.tasks.backtest.budget import Period
from aedetect.tasks.backtest.periods import dates_in_names, keys_of, name_of, on_the_wall
from aedetect.tasks.backtest.tally import UNTIMED


class Named:
    """An input of which nothing but the name is asked."""

    def __init__(self, name: str):
        self.name = name


def seconds(*texts: str) -> np.ndarray:
    return np.array([pd.Timestamp(text).timestamp() for text in texts])


@pytest.mark.parametrize(
    ("period", "text", "name"),
    [
        ("hour", "2026-03-01 13:59:59", "2026-03-01 13:00"),
        ("day", "2026-03-01 23:59:59", "2026-03-01"),
        ("day", "1969-12-31 23:00", "1969-12-31"),
        ("week", "2026-03-01 23:59:59", "the week of 2026-02-23"),
        ("week", "2026-03-02 00:00", "the week of 2026-03-02"),
        ("week", "1970-01-01 00:00", "the week of 1969-12-29"),
    ],
)
def test_periods_are_those_of_the_calendar(period: Period, text: str, name: str) -> None:
    (key,) = keys_of(seconds(text), period).tolist()
    assert name_of(key, period) == name


def test_rows_without_a_time_are_in_no_period() -> None:
    assert keys_of(np.array([np.nan, 0.0]), "day").tolist() == [UNTIMED, 0]
    assert np.isnan(on_the_wall(np.array([np.nan]), "Europe/Berlin")).all()


def test_days_begin_where_the_clock_on_the_wall_says() -> None:
    """In summer as in winter."""
    times = seconds("2026-01-05 23:30", "2026-07-05 22:30")
    days = keys_of(on_the_wall(times, "Europe/Berlin"), "day").tolist()
    assert [name_of(day, "day") for day in days] == ["2026-01-06", "2026-07-06"]


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("dumps/2026-03-01.csv", "2026-03-01"),
        ("dumps/rows_20260301.csv.gz", "2026-03-01"),
        ("s3://bucket/2025/day=2026-03-01/part-0.parquet", "2026-03-01"),
        ("2025-12-31/rows-2026.03.01T0400.csv", "2026-03-01"),
        ("rows-2026-13-01.csv", None),
        ("rows-2026-02-30.csv", None),
        ("rows-1234567890123.csv", None),
        ("rows.csv", None),
    ],
)
def test_a_name_tells_a_day(name: str, day: str | None) -> None:
    found = dates_in_names([Named(name)])  # type: ignore[list-item]
    assert found == (None if day is None else [seconds(day)[0]])


def test_one_name_without_a_day_leaves_all_without() -> None:
    assert dates_in_names([Named("2026-03-01.csv"), Named("more.csv")]) is None  # type: ignore[list-item]
    assert dates_in_names(as_inputs(pd.DataFrame({"a": [1]}), DataConfig())) is None
