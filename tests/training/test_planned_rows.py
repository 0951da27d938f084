"""Rows within a calendar are left out of learning, as if they were not there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from support.sensors import readings
from support.tables import tiny_frame

from aedetect import Detector, Muting
from aedetect.errors import AedetectWarning, DataError, UsageError

QUICK = {"training.epochs": 2, "training.folds": 2, "model.width": 16, "training.device": "cpu"}
SERIES = {**QUICK, "series.time": "time", "series.entity": ["machine"], "series.window": 24}
PLAN = "start,end,name,entity\n2026-01-02,2026-01-03,holiday,\n2026-01-04 06:00,2026-01-04 18:00,repair,m1\n"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.csv"
    path.write_text(PLAN)
    return path


def test_a_series_is_learned_as_if_planned_rows_were_absent(plan: Path) -> None:
    frame = readings(8, 2)
    time, machine = frame["time"], frame["machine"]
    planned = (time >= "2026-01-02") & (time < "2026-01-03")
    planned |= (time >= "2026-01-04 06:00") & (time < "2026-01-04 18:00") & (machine == "m1")
    with pytest.warns(
        AedetectWarning, match=r"within the calendar \(holiday 288, repair 72\); the first is row 145"
    ):
        with_plan = Detector(SERIES).fit(frame, muting=Muting(calendars=plan))
    without = Detector(SERIES).fit(frame[~planned])
    assert with_plan.training.rows_left_out == {"labelled": 0, "calendar": 288 + 72}
    assert with_plan.training.rows == without.training.rows == len(frame) - 360
    new = readings(2, 2, seed=5, start="2026-02-01")
    pd.testing.assert_frame_equal(with_plan.score(new), without.score(new))
    assert "plan.csv" not in with_plan.fitted.config.model_dump_json()


def table(rows: int = 200) -> pd.DataFrame:
    times = pd.date_range("2026-03-28", periods=rows, freq="30min").strftime("%d.%m.%Y %H:%M")
    return tiny_frame(rows).assign(at=times)


def test_a_table_is_learned_as_if_planned_rows_were_absent(tmp_path: Path) -> None:
    frame, path = table(), tmp_path / "plan.csv"
    path.write_text("start,end,name,site\n2026-03-29,2026-03-30,clock,\n2026-03-31,2026-04-01,audit,n*\n")
    times = pd.to_datetime(frame["at"], format="%d.%m.%Y %H:%M")
    planned = (times >= "2026-03-29") & (times < "2026-03-30")
    planned |= (times >= "2026-03-31") & (times < "2026-04-01") & (frame["site"] == "north")
    settings = {**QUICK, "data.exclude": ["at"]}
    with_plan = Detector(settings).fit(frame, muting=Muting(calendars=[path], time_of="at"))
    without = Detector(settings).fit(frame[~planned])
    assert with_plan.training.rows_left_out["calendar"] == planned.sum() > 48
    new = table(20)
    pd.testing.assert_frame_equal(with_plan.score(new), without.score(new))


def test_times_of_a_table_are_of_the_zone_that_is_said(tmp_path: Path) -> None:
    frame, path = table(), tmp_path / "plan.csv"
    path.write_text("start,end,name\n2026-03-29T00:00Z,2026-03-29T06:00Z,outage\n")
    times = pd.to_datetime(frame["at"], format="%d.%m.%Y %H:%M")
    planned = (times >= "2026-03-29 09:00") & (times < "2026-03-29 15:00")
    settings = {**QUICK, "data.exclude": ["at"]}
    muting = Muting(calendars=path, time_of="at", time_zone="Asia/Tokyo")
    with_plan = Detector(settings).fit(frame, muting=muting)
    assert with_plan.training.rows_left_out["calendar"] == 12
    new = table(20)
    without = Detector(settings).fit(frame[~planned])
    pd.testing.assert_frame_equal(with_plan.score(new), without.score(new))


def test_labelled_rows_count_apart_from_planned_ones(plan: Path) -> None:
    frame = readings(6, 2)
    frame["odd"] = 0
    frame.loc[[10, 150], "odd"] = 1
    fitted = Detector({**SERIES, "data.label": "odd"}).fit(frame, muting=Muting(calendars=plan))
    # Row 150 is within the holiday.
    assert fitted.training.rows_left_out == {"labelled": 1, "calendar": 360}


def test_a_calendar_that_no_row_touches_and_rows_without_a_time_are_said(tmp_path: Path) -> None:
    path, frame = tmp_path / "plan.csv", table()
    path.write_text("start,end,name\n2031-01-01,2031-01-02,later\n")
    frame.loc[[6, 9], "at"] = "?"
    with pytest.warns(AedetectWarning) as said:
        Detector({**QUICK, "data.exclude": ["at"]}).fit(frame, muting=Muting(calendars=path, time_of="at"))
    texts = [str(one.message) for one in said]
    assert f"{path} has no entry within the times of data (2026-03-28 00:00 to 2026-04-01 03:30)" in texts
    assert (
        "2 rows have no time in column 'at' that can be read, so that no calendar applies: they are learned "
        "from; the first is row 7 of data" in texts
    )


def test_times_of_zones_beside_times_of_none_are_said(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("start,end,name\n2026-03-29T00:00Z,2026-03-29T01:00Z,x\n")
    settings = {**QUICK, "data.exclude": ["at"]}
    muting = Muting(calendars=path, time_of="at")
    with pytest.warns(
        AedetectWarning, match="names time zones, and column 'at' none: its times are taken as UTC"
    ):
        Detector(settings).fit(table(), muting=muting)
    berlin = Detector({**settings, "series.time_zone": "Europe/Berlin"}).fit(table(), muting=muting)
    # Of the two rows of that hour in UTC none is other than by the clock in Berlin an hour later.
    assert berlin.training.rows_left_out["calendar"] == 2


@pytest.mark.parametrize(
    ("settings", "muting", "said"),
    [
        (
            {},
            {"calendars": "plan.csv"},
            "calendar: which column says when a row was? name it with time_of COLUMN",
        ),
        (
            {},
            {"calendars": "plan.csv", "time_of": "att"},
            "time_of: no column named 'att' in the data; did you mean 'at'?",
        ),
        ({}, {"time_of": "at"}, "time_of goes with calendar"),
        (
            {},
            {"calendars": "plan.csv", "time_of": "temp"},
            "holds numbers that only count, and a calendar has dates",
        ),
    ],
)
def test_wrong_use_is_said_at_once(
    settings: dict[str, object],
    muting: dict[str, str],
    said: str,
    plan: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(plan.parent)
    plan.write_text("start,end,name\n2026-03-29,2026-03-30,x\n")
    with pytest.raises(UsageError) as error:
        Detector({**QUICK, **settings}).fit(table(), muting=Muting(**muting))  # type: ignore[arg-type]
    assert said in str(error.value)


def test_entities_need_series(plan: Path) -> None:
    with pytest.raises(
        DataError, match="'repair' is for the entity 'm1', and the rows are not told apart by"
    ):
        Detector(QUICK).fit(table(), muting=Muting(calendars=plan, time_of="at"))
    with pytest.raises(
        UsageError, match="time_of is for tables; of time series series.time names the column"
    ):
        Detector(SERIES).fit(readings(2, 2), muting=Muting(calendars=plan, time_of="time"))


def test_nothing_is_left(plan: Path) -> None:
    plan.write_text("start,end,name\n2020-01-01,2030-01-01,all\n")
    with pytest.raises(DataError, match="0 usable rows; training needs at least 8"):
        Detector(QUICK).fit(table(), muting=Muting(calendars=plan, time_of="at"))
