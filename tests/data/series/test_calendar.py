"""Places of instants in the day and the week."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aedetect.data.series.calendar import (
    DAY,
    WEEK,
    CycleBins,
    clock_changes,
    local_seconds,
    utc_seconds,
)


def _instants(text: list[str], zone: str) -> np.ndarray:
    stamps = pd.DatetimeIndex(text).tz_localize(zone).tz_convert("UTC").tz_localize(None)
    return (stamps - pd.Timestamp(0)).total_seconds().to_numpy()


def test_clock_changes_do_not_shift_the_day() -> None:
    days = [f"2026-03-{day} 08:00" for day in (27, 28, 29, 30)] + ["2026-10-24 08:00", "2026-10-26 08:00"]
    utc = _instants(days, "Europe/Berlin")
    bins = CycleBins(DAY, 300.0)
    assert set(bins.of(local_seconds(utc, "Europe/Berlin"))[1].tolist()) == {8}
    assert set(bins.of(local_seconds(utc, None))[1].tolist()) == {6, 7}


def test_weeks_begin_on_mondays() -> None:
    seconds = _instants(["2026-01-04 12:00", "2026-01-05 00:00", "2026-01-11 12:00"], "UTC")
    cycles, places = CycleBins(WEEK, 3600.0).of(seconds)
    assert places.tolist() == [156, 0, 156]
    assert np.diff(cycles).tolist() == [1, 0]


def test_bins_are_no_finer_than_steps() -> None:
    assert CycleBins(WEEK, 86_400.0).count == 7
    assert CycleBins(DAY, 60.0).count == 24
    assert CycleBins(DAY, 7200.0).count == 12


def test_values_between_middles_of_bins_are_interpolated() -> None:
    bins = CycleBins(DAY, 900.0)
    values = np.arange(24.0)[:, None]
    monday = 4 * DAY
    at = bins.at(monday + np.array([0.0, 5400.0, 23.5 * 3600]), values)
    assert at.ravel().tolist() == [0.0, 1.5, 11.5]
    coarse = CycleBins(DAY, 3600.0).at(monday + np.array([3600.0, 7199.9]), values)
    assert coarse.ravel().tolist() == [1.0, 2.0]


def test_times_on_the_wall_come_back() -> None:
    hours = _instants(["2026-03-01", "2026-03-30", "2026-10-24", "2026-11-01"], "UTC")
    wall = local_seconds(hours, "Europe/Berlin")
    np.testing.assert_array_equal(utc_seconds(wall, "Europe/Berlin"), hours)
    np.testing.assert_array_equal(utc_seconds(hours, None), hours)


def test_an_hour_that_comes_twice_or_not_at_all_is_at_one_instant() -> None:
    def on_the_wall(text: str) -> float:
        return (pd.Timestamp(text) - pd.Timestamp(0)).total_seconds()

    twice = utc_seconds(np.array([on_the_wall("2026-10-25 02:30")]), "Europe/Berlin")
    assert twice.tolist() == [on_the_wall("2026-10-25 00:30")]
    never = utc_seconds(np.array([on_the_wall("2026-03-29 02:30")]), "Europe/Berlin")
    assert never.tolist() == [on_the_wall("2026-03-29 01:00")]


@pytest.mark.parametrize(
    ("zone", "changes"),
    [("Europe/Berlin", True), ("Asia/Tokyo", False), ("UTC", False), (None, False)],
)
def test_whether_a_clock_is_moved(zone: str | None, changes: bool) -> None:
    assert clock_changes(_instants(["2026-07-01"], "UTC"), zone) is changes
    assert clock_changes(np.empty(0), zone) is False
