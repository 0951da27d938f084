"""Timestamps in any usual form, and no guesses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aedetect.data.cells import CellRules
from aedetect.data.series.clock_detection import find_clock
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
