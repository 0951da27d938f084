"""How the instants of a table's rows are read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aedetect.data.cells import CellRules
from aedetect.data.plans.row_clock import RowClock, lenient_clock
from aedetect.errors import DataError, UsageError

RULES = CellRules()


def seconds(*cells: object, zone: str | None = None) -> list[float]:
    array = pa.array(cells)
    clock = RowClock(lenient_clock(["at"], array, RULES, None, zone, str))
    return clock.seconds(array, RULES, str).tolist()


def utc(text: str, zone: str = "UTC") -> float:
    return pd.Timestamp(text).tz_localize(zone, ambiguous=True).timestamp()


def test_cells_that_cannot_be_read_have_no_time() -> None:
    found = seconds("2026-01-05 10:00", "?", "2026-01-05 11:00", None)
    assert found[0] == utc("2026-01-05 10:00")
    assert np.isnan(found[1])
    assert np.isnan(found[3])
    found = seconds("13/01/2026", "x", "14/01/2026", "15/01/2026")
    assert found[2] == utc("2026-01-14")
    found = seconds("1767607200", "x", "1767607260", "1767607320")
    assert (found[0], np.isnan(found[1])) == (1767607200.0, True)


def test_cells_of_which_most_are_no_times_are_refused() -> None:
    with pytest.raises(DataError, match="column 'at': 'x' is no timestamp"):
        seconds("x", "y", "2026-01-05")


def test_of_an_hour_that_comes_twice_a_row_is_of_the_first() -> None:
    cells = ["2026-10-25 01:30", "2026-10-25 02:30", "2026-10-25 02:30", "2026-10-25 03:30"]
    found = seconds(*cells, zone="Europe/Berlin")
    assert found == [utc(text, "Europe/Berlin") for text in cells]


@pytest.mark.parametrize("cells", [("1", "2", "3"), ("10:00", "11:00", "12:00")])
def test_times_on_no_day_are_refused(cells: tuple[str, ...]) -> None:
    with pytest.raises((UsageError, DataError)):
        seconds(*cells)


def test_the_zone_of_plans_is_that_of_the_data() -> None:
    def zone(array: pa.Array, given: str | None = None) -> str:
        return RowClock(lenient_clock(["at"], array, RULES, None, given, str)).zone

    assert zone(pa.array(["2026-01-05 10:00"])) == "UTC"
    assert zone(pa.array(["2026-01-05 10:00"]), "Asia/Tokyo") == "Asia/Tokyo"
    assert zone(pa.array(["2026-01-05 10:00+02:00"])) == "+02:00"
    assert zone(pa.array([pd.Timestamp("2026-01-05", tz="Asia/Tokyo")])) == "Asia/Tokyo"
