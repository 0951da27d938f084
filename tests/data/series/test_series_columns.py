"""Which column tells series apart that share their timestamps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aedetect.data.cells import CellRules
from aedetect.data.series.series_columns import SeriesColumns, entity_flags

TIMES, HOSTS = 400, ("web-1", "web-2", "db-1")


def hosts(one_after_another: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    places = np.arange(3 * TIMES)
    place, host = (places % TIMES, places // TIMES) if one_after_another else (places // 3, places % 3)
    return pd.DataFrame(
        {
            "seconds": 60.0 * place,
            "host": np.array(HOSTS)[host],
            "rack": np.array(["a", "b", "b"])[host],
            "state": rng.choice(["ok", "busy"], len(places)),
            "load": rng.normal(20, 2, len(places)).round(1),
        }
    )


def columns_of(frame: pd.DataFrame, size: int = 500) -> tuple[str, ...]:
    names = [name for name in frame.columns if name != "seconds"]
    columns = SeriesColumns(names, len(frame))
    for first in range(0, len(frame), size):
        part = frame[first : first + size]
        batch = pa.record_batch({name: pa.array(list(map(str, part[name]))) for name in names})
        columns.take(batch, CellRules(".", ()))
    return columns.result(frame["seconds"].to_numpy())


@pytest.mark.parametrize("one_after_another", [False, True])
def test_a_column_within_whose_values_no_timestamp_repeats(one_after_another: bool) -> None:
    assert columns_of(hosts(one_after_another)) == ("host",)


def test_a_few_rows_sent_twice_are_no_matter() -> None:
    frame = hosts()
    assert columns_of(pd.concat([frame, frame[:6]])) == ("host",)


def test_numbers_of_stations_are_such_a_column() -> None:
    frame = hosts()
    frame["host"] = frame["host"].map({"web-1": 1, "web-2": 2, "db-1": 7})
    assert columns_of(frame) == ("host",)


def test_two_columns_that_do_it_together() -> None:
    frame = pd.concat([hosts().assign(disk=disk) for disk in ("sda", "sdb")]).sort_values("seconds")
    assert columns_of(frame) == ("host", "disk")
    assert entity_flags(("host", "my disk")) == "--entity host --entity 'my disk'"


def test_rows_sent_twice_are_no_series() -> None:
    frame = hosts()
    one = frame[frame["host"] == "db-1"]
    assert columns_of(pd.concat([one, one[100:200]])) == ()


def test_times_of_day_tell_no_series_apart() -> None:
    frame = hosts()
    frame["hour"] = frame["host"].map({"web-1": 8, "web-2": 9, "db-1": 10})
    assert columns_of(frame.drop(columns="host")) == ()


def test_without_times_there_is_nothing_to_say() -> None:
    frame = hosts().assign(seconds=np.nan)
    assert columns_of(frame) == ()
