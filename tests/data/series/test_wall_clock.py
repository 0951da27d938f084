"""Of the hour that autumn repeats, the order of a series' rows tells the passes apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aedetect.data.series.wall_clock import WallClock

ZONE = "Europe/Berlin"


def instants(
    step: str, start: str = "2026-10-24 20:00", hours: float = 12, zone: str = ZONE
) -> pd.DatetimeIndex:
    """Instants at which a logger wrote, by the clock of its zone."""
    return pd.date_range(
        start, periods=int(pd.Timedelta(hours=hours) / pd.Timedelta(step)), freq=step, tz=zone
    )


def wall(times: pd.DatetimeIndex) -> np.ndarray:
    return times.tz_localize(None).as_unit("us").asi8 / 1e6


def utc(times: pd.DatetimeIndex) -> np.ndarray:
    return times.as_unit("us").asi8 / 1e6


def read(times: pd.DatetimeIndex, batch: int | None = None, zone: str = ZONE) -> np.ndarray:
    """The instants read from what the clock showed, in batches of so many rows."""
    clock, shown = WallClock(zone), wall(times)
    size = batch or len(shown)
    parts = [shown[first : first + size] for first in range(0, len(shown), size)]
    none = [np.full(len(part), np.nan) for part in parts]
    series = [np.zeros(len(part), np.int64) for part in parts]
    return np.concatenate([clock.seconds(*one) for one in zip(parts, none, series, strict=True)])


@pytest.mark.parametrize(
    "step", ["1min", "5min", "10min", "15min", "20min", "30min", "40min", "45min", "60min"]
)
@pytest.mark.parametrize("batch", [None, 1, 7])
def test_each_row_is_in_its_pass(step: str, batch: int | None) -> None:
    times = instants(step)
    np.testing.assert_array_equal(read(times, batch), utc(times))


@pytest.mark.parametrize("step", ["5min", "15min", "60min"])
@pytest.mark.parametrize("batch", [None, 1, 7])
def test_the_newest_row_may_come_first(step: str, batch: int | None) -> None:
    times = instants(step)[::-1]
    np.testing.assert_array_equal(read(times, batch), utc(times))


def test_rows_may_be_absent() -> None:
    times = instants("5min")
    for absent in (slice(53, 60), slice(60, 66), slice(68, 80), slice(58, 63)):
        left = times.delete(absent)
        np.testing.assert_array_equal(read(left), utc(left))


def test_rows_sent_twice_are_no_second_pass() -> None:
    times = instants("5min").repeat(2)
    np.testing.assert_array_equal(read(times), utc(times))


def test_a_row_that_comes_late_is_no_second_pass() -> None:
    times = instants("10min")
    order = np.arange(len(times))
    order[[26, 27]] = order[[27, 26]]
    np.testing.assert_array_equal(read(times[order]), utc(times[order]))


def test_a_file_that_begins_anew_begins_with_the_first_pass() -> None:
    times = instants("15min")
    again = times.append(times)
    np.testing.assert_array_equal(read(again), utc(again))


def test_a_file_that_is_read_after_later_ones_begins_with_the_first_pass() -> None:
    times = instants("15min")[24:]
    later = instants("15min", "2026-11-02 00:00").append(times)
    np.testing.assert_array_equal(read(later), utc(later))


def test_a_clock_that_is_put_back_by_half_an_hour() -> None:
    zone = "Australia/Lord_Howe"
    times = instants("10min", "2026-04-04 20:00", zone=zone)
    np.testing.assert_array_equal(read(times, zone=zone), utc(times))


def test_reading_goes_on_where_an_earlier_run_ended() -> None:
    times = instants("15min")
    clock = WallClock(ZONE)
    clock.resume(2, utc(times[26:28]))
    left = times[28:]
    found = clock.seconds(wall(left), np.full(len(left), np.nan), np.full(len(left), 2))
    np.testing.assert_array_equal(found, utc(left))


def test_series_are_told_apart_by_their_rows() -> None:
    times = instants("15min")
    both = times.repeat(2)
    clock, series = WallClock(ZONE), np.tile([0, 1], len(times))
    read_times = clock.seconds(wall(both), np.full(len(both), np.nan), series)
    np.testing.assert_array_equal(read_times, utc(both))


def test_rows_that_name_their_zone_are_left_as_they_are() -> None:
    times = instants("15min")
    offset = wall(times) - utc(times)
    np.testing.assert_array_equal(
        WallClock(ZONE).seconds(wall(times), offset, np.zeros(len(times), np.int64)), utc(times)
    )


def test_missing_times_stay_missing() -> None:
    shown = wall(instants("30min"))
    shown[[0, 13]] = np.nan
    found = WallClock(ZONE).seconds(shown, np.full(len(shown), np.nan), np.zeros(len(shown), np.int64))
    assert np.flatnonzero(np.isnan(found)).tolist() == [0, 13]


def test_times_that_no_clock_shows_are_the_end_of_the_hour_skipped() -> None:
    shown = pd.DatetimeIndex(["2026-03-29 01:55", "2026-03-29 02:30", "2026-03-29 03:00"])
    found = WallClock(ZONE).seconds(shown.as_unit("us").asi8 / 1e6, np.full(3, np.nan), np.zeros(3, np.int64))
    assert np.diff(found).tolist() == [300, 0]
