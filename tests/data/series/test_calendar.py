"""Places of instants in the day and the week."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aedetect.data.series.calendar import DAY, WEEK, CycleBins, local_seconds


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
