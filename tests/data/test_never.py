from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aedetect.config import Config
from aedetect.data import cells
from aedetect.io.inputs import as_inputs
from aedetect.training.profiling import TrainingProfile, profile_inputs

DAYS = pd.date_range("2025-03-03", periods=200)


def profiled(dates: Any, **settings: Any) -> TrainingProfile:
    frame = pd.DataFrame({"until": dates, "n": np.random.default_rng(0).normal(size=len(dates))})
    return profile_inputs(as_inputs([frame], Config().data), Config.model_validate(settings))


@pytest.mark.parametrize(
    ("never", "written"),
    [
        ("9999-12-31", "%Y-%m-%d"),
        ("0001-01-01", "%Y-%m-%d"),
        ("1900-01-01", "%Y-%m-%d"),
        ("1970-01-01 00:00:00", "%Y-%m-%d 00:00:00"),
        ("2099-12-31", "%Y-%m-%d"),
        ("31.12.9999", "%d.%m.%Y"),
        ("01/01/1900", "%d/%m/%Y"),
    ],
)
def test_a_date_that_stands_for_none_is_missing_and_said(never: str, written: str) -> None:
    found = profiled([never if day.day % 3 == 0 else day.strftime(written) for day in DAYS])
    assert found.notices[0].startswith(f"column 'until': {never!r} (66 cells) is read as missing")
    assert found.facts["until"].missing == pytest.approx(66 / 200)
    reason = next(column.reason for column in found.schema.columns if column.name == "until")
    assert reason.startswith("dates; their weekday is learned")


@pytest.mark.parametrize(
    ("dates", "never"),
    [
        (DAYS.strftime("%Y%m%d").astype(int), 0),
        (DAYS.strftime("%Y%m%d"), "99991231"),
        (DAYS.as_unit("s").asi8, 0),
    ],
)
def test_among_dates_as_numbers_it_is_missing_and_said(dates: Any, never: Any) -> None:
    found = profiled([never if place % 4 == 0 else date for place, date in enumerate(dates)])
    assert any(f"'{never}' (50 cells) as missing" in notice for notice in found.notices)
    assert found.facts["until"].missing == pytest.approx(0.25)
    column = next(column for column in found.encoder.state.numeric if column.column == "until")
    assert column.cycles
    read = column.read(pa.array([str(never)]), found.schema.rules)
    assert (read.missing.tolist(), read.bad.tolist()) == ([True], [False])


def test_amounts_that_are_mostly_zero_are_no_dates() -> None:
    amounts = [0 if place % 4 else 20250301 + place % 28 for place in range(200)]
    assert profiled(amounts).schema.columns[0].role == "numeric"


@pytest.mark.parametrize(
    "dates",
    [
        [*DAYS[:-2].strftime("%Y-%m-%d"), "1970-01-01", "1970-01-01"],
        pd.date_range("1940-01-01", periods=200, freq="91D").strftime("%Y-%m-%d"),
        [*["2019-03-03"] * 9, *DAYS[9:].strftime("%Y-%m-%d")],
    ],
)
def test_dates_among_others_stay(dates: Any) -> None:
    assert not any("missing" in notice for notice in profiled(dates).notices)


def test_in_typed_columns_they_are_missing_too() -> None:
    dates = pa.array([None, "9999-12-31", "0001-01-01", "2025-03-03"]).cast(pa.date32())
    read = cells.datetimes(dates, cells.CellRules())
    assert read.missing.tolist() == [True, True, True, False]
    assert not read.bad.any()
    assert not cells.datetimes(dates, cells.CellRules(na_rule="0.1.0")).missing[1]


@pytest.mark.parametrize(("never", "zone"), [("1970-01-01", None), ("2262-01-01", "UTC")])
def test_in_a_typed_column_one_far_from_all_others_is_missing(never: str, zone: str | None) -> None:
    dates = DAYS.to_series(index=range(200)).dt.tz_localize(zone).copy()
    dates[::4] = pd.Timestamp(never, tz=zone)
    found = profiled(dates)
    assert found.notices[0].startswith(f"column 'until': '{never} 00:00:00")
    assert found.facts["until"].missing == pytest.approx(0.25)
    assert "season" not in found.schema.columns[0].reason


def test_a_date_named_as_missing_is_no_date() -> None:
    read = cells.datetimes(pa.array(["1970-01-01", "2025-03-03"]), cells.CellRules(na_values=("1970-01-01",)))
    assert np.isnan(read.values).tolist() == read.missing.tolist() == [True, False]
