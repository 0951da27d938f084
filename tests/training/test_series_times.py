from __future__ import annotations

import numpy as np
import pytest

from aedetect.data.series.grid import Grid
from aedetect.data.series.segments import Timeline
from aedetect.data.series.time_text import Order
from aedetect.data.series.timestamps import Clock, Kind
from aedetect.errors import DataError
from aedetect.training.series_times import check_span, times_in_words

START = 1_704_067_200.0


def clock(kind: Kind = "text", order: Order = "ymd", zone: str | None = None, unit: float = 1.0) -> Clock:
    return Clock(columns=("t",), kind=kind, order=order, zone=zone, unit=unit)


def words(seconds: np.ndarray, series: np.ndarray | None = None, of: Clock | None = None) -> str:
    owners = np.zeros(len(seconds), dtype=np.int64) if series is None else series
    grid = Grid.fit(seconds, owners)
    return times_in_words(of or clock(), seconds, Timeline.of(seconds, owners, grid), grid)


def test_one_line_says_when_the_rows_are() -> None:
    steps = START + 300.0 * np.arange(600)
    assert words(steps) == "2024-01-01 00:00 to 2024-01-03 01:55, every 5 min, 1 series, no gaps"
    paused = np.delete(steps, np.r_[100:330])
    both, owners = np.r_[paused, paused], np.repeat([0, 1], len(paused))
    assert words(both, owners) == (
        "2024-01-01 00:00 to 2024-01-03 01:55, every 5 min, 2 series, 2 gaps (longest 19 h 15 min)"
    )
    assert words(steps[:3], of=clock(zone="Europe/Berlin")) == (
        "2024-01-01 01:00 to 2024-01-01 01:10 Europe/Berlin, every 5 min, 1 series, no gaps"
    )


def test_outages_that_windows_span_are_gaps_too() -> None:
    steps = np.delete(START + 300.0 * np.arange(600), np.r_[100:110, 300:302])
    assert words(steps).split(", ", 3)[3] == "2 gaps (longest 55 min)"


def test_steps_are_counted() -> None:
    counted = np.r_[0.0:100.0, 1000.0:1100.0]
    assert words(counted, of=clock("count")) == "0 to 1099, every 1, 1 series, 1 gap (longest 901)"


@pytest.mark.parametrize(
    ("unit", "order", "step"), [("M", "ym", "month"), ("Y", "y", "year"), ("D", "compact", "1 d")]
)
def test_months_and_years_are_steps(unit: str, order: Order, step: str) -> None:
    times = np.arange("2000", "2040", dtype=f"datetime64[{unit}]").astype("datetime64[s]").astype(np.float64)
    assert words(times, of=clock("digits", order)).split(", ")[1] == f"every {step}"


@pytest.mark.parametrize(
    ("seconds", "unit", "said"),
    [
        ([0.0, 90.0], 1.0, "0 to 90, read as seconds since 1970, are times from 1970-01-01 00:00:00 to "
                           "1970-01-01 00:01:30"),
        ([9e9, 9e9 + 5], 1.0, "9000000000 to 9000000005, read as seconds since 1970, are times from "
                              "2255-03-14 16:00:00 to 2255-03-14 16:00:05"),
        ([5e9, 5e9], 1e-3, "5000000000000 to 5000000000000, read as milliseconds since 1970, are times from "
                           "2128-06-11 08:53:20 to 2128-06-11 08:53:20"),
    ],
)  # fmt: skip
def test_times_nobody_recorded(seconds: list[float], unit: float, said: str) -> None:
    with pytest.raises(DataError) as caught:
        check_span("a.csv", clock("number", unit=unit), np.array([*seconds, np.nan]))
    assert str(caught.value) == (
        f"a.csv: column 't': numbers from {said}; say how they are written: --time-format steps where they "
        "only count, excel for days of spreadsheets, or as in '%Y%m%d'"
    )


def test_other_times_pass() -> None:
    check_span("a.csv", clock("number"), np.array([START, np.nan]))
    check_span("a.csv", clock("number"), np.array([np.nan]))
    check_span("a.csv", clock("text"), np.array([0.0]))
