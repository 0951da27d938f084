"""Timestamps in any usual form, and no guesses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aedetect.data.cells import CellRules
from aedetect.data.series.clock_detection import find_clock, guess_notice
from aedetect.data.series.timestamps import Clock, TimeReader, instant, joined
from aedetect.errors import DataError, UsageError

NOON = 1_704_110_400.0  # 2024-01-01 12:00 UTC


def place(index: int) -> str:
    return f"a.csv: row {index + 1}"


def read(
    values: Sequence[Any] | pa.Array, time_format: str | None = None, zone: str | None = None
) -> np.ndarray[Any, Any]:
    array = values if isinstance(values, pa.Array) else pa.array(values)
    clock = find_clock(["t"], array, CellRules(), time_format, zone, place)
    return clock.read(array, CellRules(), place).seconds


@pytest.mark.parametrize(
    "values",
    [
        ["2024-01-01 12:00:00"],
        ["2024-01-01T12:00:00.000000"],
        ["2024-01-01T12:00:00Z"],
        ["2024-01-01T13:00:00+01:00"],
        ["1704110400"],
        ["1704110400000"],
        [1704110400],
        [1704110400_000],
        [1704110400_000_000],
        [1704110400_000_000_000],
        [1704110400.0],
        pa.array([1704110400_000], pa.timestamp("ms")),
        pa.array([1704110400_000_000_000], pa.timestamp("ns", tz="Europe/Berlin")),
    ],
    ids=str,
)
def test_usual_forms_are_understood(values: Any) -> None:
    assert read(values).tolist() == [NOON]


@pytest.mark.parametrize(
    "text",
    [
        "2024/01/01 12:00:00",
        "2024.01.01 12:00",
        "2024/1/1 12:00 PM",
        "2024-01-01 12:00:00,000",
        "2024-01-01 12:00:00 UTC",
        "2024-01-01 12:00 GMT",
        "2024-01-01T12:00:00.000 Z",
        "2024-01-01 13:00:00 CET",
        "2024-01-01 14:00:00 CEST",
        "2024-01-01 07:00 EST",
        "2024-01-01 14:00 +02:00",
        "2024-01-01 13:00 UTC+1",
        "2024-01-01T13:00:00+01:00[Europe/Berlin]",
        "20240101T120000Z",
        "20240101 1200",
        "20240101120000",
        "202401011200",
        "1 Jan 2024 12:00",
        "01-JAN-24 12:00",
        "Jan 1, 2024 12:00",
        "Mon, 01 Jan 2024 12:00:00 GMT",
        "01/Jan/2024:13:00:00 +0100",
    ],
)
def test_other_forms_that_can_mean_one_thing_only(text: str) -> None:
    assert read([text]).tolist() == [NOON]
    assert read([text, text]).tolist() == [NOON, NOON]


def test_24_00_is_the_end_of_the_day() -> None:
    midnights = ["2024-01-01 24:00", "2024-01-02 00:00", "2024-01-01 24:00:00"]
    assert read(midnights).tolist() == [NOON + 43_200] * 3
    with pytest.raises(DataError, match=r"'2024-01-01 24:01' is no timestamp; repair it"):
        read(["2024-01-01 24:01"])


def test_milliseconds_after_a_comma() -> None:
    assert read(["2024-01-01 12:00:00,250", "2024-01-01 12:00:01,5"]).tolist() == [NOON + 0.25, NOON + 1.5]


@pytest.mark.parametrize(
    ("values", "shown", "how"),
    [
        (["20240101", "20240102"], "2024-01-01 00:00", "written like %Y%m%d"),
        ([20240101, 20240102], "2024-01-01 00:00", "written like %Y%m%d"),
        ([20240101.0, 20240102.0], "2024-01-01 00:00", "written like %Y%m%d"),
        ([20240101000000, 20240102000000], "2024-01-01 00:00", "written like %Y%m%d%H%M%S"),
        ([202401010000, 202401020000], "2024-01-01 00:00", "written like %Y%m%d%H%M"),
        ([2024010100, 2024010200], "2024-01-01 00:00", "written like %Y%m%d%H"),
        (["45292", "45293"], "2024-01-01 00:00", "a day number of spreadsheets"),
        ([45292.0, 45293.0], "2024-01-01 00:00", "a day number of spreadsheets"),
    ],
)
def test_numbers_that_are_dates_are_read_so_and_said(values: Any, shown: str, how: str) -> None:
    assert read(values).tolist() == [NOON - 43_200, NOON + 43_200]
    array = pa.array(values)
    clock = find_clock(["t"], array, CellRules(), None, None, place)
    cell = str(values[0]).removesuffix(".0")
    assert guess_notice(clock, array, CellRules()) == (
        f"column 't': {cell!r} is read as {shown}, {how}; if that is wrong, say how timestamps are written "
        "(--time-format)"
    )


def test_days_of_spreadsheets_have_a_time_of_day() -> None:
    assert read([45292.5, 45292.75]).tolist() == [NOON, NOON + 21_600]
    assert read([46027.0104166667, 46027.0208333333], zone="UTC").tolist() == [1_767_572_100, 1_767_573_000]


def test_years_are_dates() -> None:
    for years in (list(range(2010, 2022)), [str(year) for year in range(2010, 2022)]):
        assert read(years)[[0, -1]].tolist() == [1_262_304_000, 1_609_459_200]
        array = pa.array(years)
        clock = find_clock(["t"], array, CellRules(), None, None, place)
        assert guess_notice(clock, array, CellRules()) == (
            "column 't': '2010' is read as 2010-01-01 00:00, written like %Y; if that is wrong, say how "
            "timestamps are written (--time-format)"
        )


@pytest.mark.parametrize(
    ("values", "first"),
    [
        (["2024-W01", "2024-W02"], NOON - 43_200),
        (["2024-Q1", "2024-Q2"], NOON - 43_200),
        (["Jan 2024", "Feb 2024"], NOON - 43_200),
        (["Mon Jan  1 12:00:00 2024"], NOON),
        (["2012/01/01"], 1_325_376_000),
    ],
)
def test_weeks_quarters_and_months_in_words(values: list[str], first: float) -> None:
    assert read(values)[0] == first


def test_times_of_day_need_a_date() -> None:
    with pytest.raises(DataError) as raised:
        read(["14:30:00", "14:35:00"])
    assert str(raised.value) == (
        "a.csv: row 1, column 't': '14:30:00' is a time of day and no date; give --time twice, the column of "
        "the date and that of the time of day"
    )


def test_months_as_whole_numbers() -> None:
    few = find_clock(["month"], pa.array([202401, 202402, 202403]), CellRules(), None, None, place)
    assert (few.kind, few.order) == ("digits", "ym")
    months = [year * 100 + month for year in (2024, 2025) for month in range(1, 13)]
    assert read(months)[[0, 12]].tolist() == [NOON - 43_200, NOON - 43_200 + 366 * 86_400]
    # A running number: there is no month 13.
    assert read(list(range(202401, 202425)))[0] == 202_401


@pytest.mark.parametrize("values", [list(range(100)), [20240132, 20240133], [0.04 * row for row in range(9)]])
def test_numbers_that_cannot_be_dates_count_the_rows(values: list[float]) -> None:
    assert read(values).tolist() == values
    array = pa.array(values)
    clock = find_clock(["t"], array, CellRules(), None, None, place)
    assert clock.shown(values[2 % len(values)]) == f"{values[2 % len(values)]:.12g}"
    first, last = values[0], values[-1]
    assert guess_notice(clock, array, CellRules()) == (
        f"column 't': numbers from {first:.12g} to {last:.12g} are taken for steps of a second and not "
        "for dates; if they are dates, say how they are written, e.g. --time-format '%Y%m%d', excel or epoch"
    )


def test_a_guess_can_be_overruled() -> None:
    assert read([20240101, 20240102], "epoch").tolist() == [20240101, 20240102]
    assert read([20240101, 20240102], "steps").tolist() == [20240101, 20240102]
    assert read([20240131, 20240132, 20240133], "%Y%m%d")[0] == NOON - 43_200 + 30 * 86_400
    assert read(["20000.5"], "excel").tolist() == [(20000.5 - 25_569) * 86_400]
    assert (
        find_clock(["t"], pa.array([5]), CellRules(), "epoch", None, place).shown(5) == "1970-01-01 00:00:05"
    )
    with pytest.raises(UsageError, match="^--time-format excel: column 't' holds no numbers$"):
        read(["2024-01-01"], "excel")


@pytest.mark.parametrize(
    ("values", "shown", "written"),
    [
        (["01/02/2024 10:00", "13/02/2024 10:00"], "2024-02-13 10:00", "%d/%m/%Y %H:%M"),
        (["02/01/2024 10:00", "02/13/2024 10:00"], "2024-02-13 10:00", "%m/%d/%Y %H:%M"),
        (["01.02.2024", "13.02.2024"], "2024-02-13 00:00", "%d.%m.%Y"),
        (["1/2/24 9:05", "13/2/24 9:05"], "2024-02-13 09:05", "%d/%m/%y %H:%M"),
        (["16/12/2006 17.24.00", "16/12/2006 17.25.00"], "2006-12-16 17:24", "%d/%m/%Y %H.%M.%S"),
    ],
)
def test_a_day_above_12_tells_the_order(values: list[str], shown: str, written: str) -> None:
    array = pa.array(values)
    clock = find_clock(["t"], array, CellRules(), None, None, place)
    told = guess_notice(clock, array, CellRules())
    assert told is not None
    assert told.endswith(
        f"is read as {shown}, written like {written}; if that is wrong, say how timestamps are written "
        "(--time-format)"
    )


def test_cells_in_two_orders_are_an_error() -> None:
    with pytest.raises(DataError) as raised:
        read(["13/02/2024", "14/02/2024", "02/15/2024"])
    assert str(raised.value) == (
        "a.csv: row 3, column 't': '02/15/2024' is no timestamp written as the others are (%d/%m/%Y); repair "
        "it, or say how they are written (--time-format)"
    )


def test_abbreviations_that_stand_for_several_zones() -> None:
    with pytest.raises(DataError) as raised:
        read(["2024-01-01 12:00 IST"])
    assert str(raised.value) == (
        "a.csv: row 1, column 't': '2024-01-01 12:00 IST' names a zone by an abbreviation that is not known "
        "or stands for several; write its offset instead, e.g. +01:00, or give --time-zone, whose own "
        "abbreviations are understood"
    )
    assert read(["2024-01-01 17:30 IST"], zone="Asia/Kolkata").tolist() == [NOON]
    assert read(["2024-01-01 06:00 CST"], zone="America/Chicago").tolist() == [NOON]


def test_the_passes_of_an_hour_that_comes_twice_are_told_apart_batch_by_batch() -> None:
    texts = ["2024-10-27 02:30", "2024-10-27 02:45", "2024-10-27 02:00", "2024-10-27 02:15"]
    clock = find_clock(["t"], pa.array(texts), CellRules(), None, "Europe/Berlin", place)
    reader, series = TimeReader(clock), np.zeros(1, np.int64)
    parts = [pa.record_batch({"t": [text]}) for text in texts]
    found = [reader.read(part, series, CellRules(), place).seconds[0] for part in parts]
    assert np.diff(found).tolist() == [900, 900, 900]
    assert clock.read(pa.array(texts), CellRules(), place).seconds.tolist() == found


@pytest.mark.parametrize(
    ("date", "time"),
    [
        (["2024-01-01"], ["12:00:00"]),
        (["01/01/2024", "13/01/2024"], ["12.00.00", "12.00.00"]),
        ([20240101], ["12:00"]),
        (pa.array([19_723], pa.date32()), pa.array([43_200_000], pa.time32("ms"))),
        (pa.array([1_704_067_200], pa.timestamp("s")), pa.array(["12:00"])),
    ],
)
def test_a_date_and_a_time_of_day(date: Any, time: Any) -> None:
    columns = [pa.array(part) if isinstance(part, list) else part for part in (date, time)]
    array = joined(columns, CellRules())
    clock = find_clock(["Date", "Time"], array, CellRules(), None, None, place)
    batch = pa.record_batch({"Date": columns[0], "Time": columns[1]})
    series = np.zeros(len(batch), np.int64)
    assert TimeReader(clock).read(batch, series, CellRules(), place).seconds[0] == NOON
    assert clock.column == "Date Time"


def test_a_date_without_a_time_of_day_is_missing() -> None:
    array = joined(
        [pa.array(["2024-01-01", "2024-01-01"]), pa.array(["12:00", "?"])], CellRules(na_values=("?",))
    )
    assert array.to_pylist() == ["2024-01-01 12:00", None]


def test_clocks_of_older_models() -> None:
    stored = '{"column": "t", "kind": "text", "format": null, "zone": null, "unit": 1.0, "aware": false}'
    assert Clock.model_validate_json(stored) == Clock(columns=("t",), kind="text")


@pytest.mark.parametrize(
    ("seconds", "zone", "text"),
    [
        (NOON, None, "2024-01-01 12:00"),
        (NOON, "Europe/Berlin", "2024-01-01 13:00"),
        (NOON + 1.5, "Europe/Berlin", "2024-01-01 13:00:01.500"),
        (1_729_989_000, "Europe/Berlin", "2024-10-27 02:30 CEST"),
        (1_729_992_600, "Europe/Berlin", "2024-10-27 02:30 CET"),
        (float("nan"), None, ""),
    ],
)
def test_instants_are_shown_by_the_clock_of_the_zone(seconds: float, zone: str | None, text: str) -> None:
    assert instant(seconds, zone) == text


def test_days_alone_are_midnights() -> None:
    assert read(["2024-01-01", "2024-01-02"]).tolist() == [NOON - 43_200, NOON + 43_200]
    assert read(pa.array([19_723], pa.date32())).tolist() == [NOON - 43_200]


def test_a_format_of_the_users() -> None:
    assert read(["01/02/2024 12:00"], "%d/%m/%Y %H:%M").tolist() == [NOON + 31 * 86_400]
    assert read(["02/01/2024 12:00"], "%d/%m/%Y %H:%M").tolist() == [NOON + 86_400]


def test_a_zone_for_timestamps_without_one() -> None:
    assert read(["2024-01-01 13:00"], zone="Europe/Berlin").tolist() == [NOON]
    assert read(["01.01.2024 13:00"], "%d.%m.%Y %H:%M", "Europe/Berlin").tolist() == [NOON]
    both = ["2024-01-01 13:00", "2024-01-01 12:00Z"]
    assert read(both, zone="Europe/Berlin").tolist() == [NOON, NOON]


def test_the_hour_that_comes_twice_is_read_as_the_first_and_the_one_that_is_skipped_as_its_end() -> None:
    twice, skipped = read(["2024-10-27 02:30", "2024-03-31 02:30"], zone="Europe/Berlin").tolist()
    assert twice == 1_729_989_000.0
    assert skipped == 1_711_846_800.0


def test_mixed_zones_ask_for_one() -> None:
    with pytest.raises(DataError) as raised:
        read(["2024-01-01T12:00:00Z", "2024-01-01 12:00:00"])
    assert str(raised.value) == (
        "a.csv: row 2, column 't': '2024-01-01 12:00:00' has no zone while other timestamps have one; "
        "give --time-zone, the zone of those without one, e.g. UTC"
    )


def test_ambiguous_dates_ask_for_a_format() -> None:
    with pytest.raises(DataError) as raised:
        read(["01/02/2024 10:00"])
    assert str(raised.value) == (
        "a.csv: row 1, column 't': '01/02/2024 10:00' may be read in more than one way; say how timestamps "
        "are written, e.g. --time-format '%d/%m/%Y %H:%M'"
    )


def test_words_are_no_timestamps() -> None:
    with pytest.raises(
        DataError, match="^a.csv: row 2, column 't': 'soon' is no timestamp; repair it, or say"
    ):
        read(["2024-01-01", "soon"])


def test_truth_values_are_no_timestamps() -> None:
    with pytest.raises(DataError, match="column 't': bool values are no timestamps"):
        read([True])


def test_an_unknown_zone_is_wrong_use() -> None:
    with pytest.raises(
        UsageError, match="^--time-zone 'Mars': no such zone; write it like Europe/Berlin or UTC$"
    ):
        read(["2024-01-01"], zone="Mars")


def test_missing_cells_are_missing_and_bad_ones_bad() -> None:
    clock = find_clock(["t"], pa.array(["2024-01-01"]), CellRules(), None, None, place)
    times = clock.read(pa.array(["2024-01-01", "", "x", None]), CellRules(), place)
    assert np.isnan(times.seconds).tolist() == [False, True, True, True]
    assert times.bad.tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("values", "shown_in", "zone"),
    [
        (["2024-01-01T12:00:00+02:00", "2024-01-01T13:00:00+0200"], "+02:00", "+02:00"),
        (["2024-01-01T12:00:00+02:00", "2024-01-01T13:00:00+01:00"], None, "UTC"),
        (["2024-01-01T12:00:00Z"], None, "UTC"),
        (["2024-01-01 12:00", "2024-01-01"], None, None),
        ([1_704_110_400], None, "UTC"),
    ],
)
def test_the_zone_times_came_in(values: list[Any], shown_in: str | None, zone: str | None) -> None:
    clock = find_clock(["t"], pa.array(values), CellRules(), None, None, place)
    assert (clock.shown_in, clock.stamp_zone) == (shown_in, zone)
    assert Clock.model_validate(clock.model_dump()) == clock
    assert ("shown_in" in clock.model_dump()) == (shown_in is not None)


def test_the_zone_of_instants() -> None:
    for zone, shown_in in (("Europe/Berlin", "Europe/Berlin"), ("UTC", None), ("+02:00", "+02:00")):
        array = pa.array([0], pa.timestamp("s", tz=zone))
        clock = find_clock(["t"], array, CellRules(), None, None, place)
        assert (clock.shown_in, clock.stamp_zone) == (shown_in, zone)


def test_instants_are_shown_in_the_zone_they_came_in() -> None:
    clock = find_clock(["t"], pa.array(["2024-01-01T12:00:00-03:30"]), CellRules(), None, None, place)
    assert clock.shown(NOON + 12_600) + clock.zone_name == "2024-01-01 12:00 -03:30"
