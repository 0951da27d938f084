"""Flagged rows within an entry of a calendar are muted by its name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from support.sensors import broken, readings
from support.tables import tiny_frame

from aedetect import Detector, Muting
from aedetect.errors import AedetectWarning, DataError, UsageError

QUICK = {"training.epochs": 2, "training.folds": 2, "model.width": 16, "training.device": "cpu"}


def table(rows: int = 200) -> pd.DataFrame:
    times = pd.date_range("2026-10-24 22:00", periods=rows, freq="30min", tz="UTC")
    return tiny_frame(rows).assign(at=times.tz_convert("Europe/Berlin").strftime("%Y-%m-%d %H:%M"))


@cache
def of_table() -> Detector:
    return Detector({**QUICK, "data.exclude": ["at"]}).fit(table())


def odd(rows: int = 60) -> pd.DataFrame:
    return table(rows).assign(load=-900.0)


def muted(plan: Path, text: str, frame: pd.DataFrame, **more: str) -> pd.Series:
    plan.write_text(text)
    found = of_table().score(frame, muting=Muting(calendars=plan, time_of="at", **more))
    assert found["is_anomaly"].tolist() == (found["anomaly_status"] != "muted").tolist()
    return found["anomaly_muted_by"].fillna("")


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return tmp_path / "plan.csv"


def test_the_day_on_which_the_clocks_go_back_has_25_hours(plan: Path) -> None:
    found = muted(plan, "start,end,name\n2026-10-25,2026-10-26,clock day\n", odd(), time_zone="Europe/Berlin")
    assert set(found) == {"", "calendar: clock day"}
    assert found.tolist().index("") == 50


def test_an_entry_in_utc_is_held_against_times_of_a_zone(plan: Path) -> None:
    text = "start,end,name\n2026-10-25T03:00Z,2026-10-25T04:00Z,x\n"
    frame = odd()
    found = muted(plan, text, frame, time_zone="Europe/Berlin")
    assert frame["at"][found != ""].tolist() == ["2026-10-25 04:00", "2026-10-25 04:30"]
    with pytest.warns(
        AedetectWarning, match="names time zones, and column 'at' none: its times are taken as UTC"
    ):
        found = muted(plan, text, frame)
    assert frame["at"][found != ""].tolist() == ["2026-10-25 03:00", "2026-10-25 03:30"]


def test_an_entry_may_be_for_some_rows_alone(plan: Path) -> None:
    frame = odd()
    text = "start,end,name,site\n2026-10-20,2026-10-30,audit,n*\n2026-10-20,2026-10-30,rest,west\n"
    found = muted(plan, text, frame)
    names = {"north": "calendar: audit", "west": "calendar: rest", "south": ""}
    assert found.tolist() == frame["site"].map(names).tolist()


@pytest.mark.parametrize("size", [1, 7])
def test_where_a_table_is_cut_changes_nothing(size: int, plan: Path) -> None:
    plan.write_text("start,end,name\n2026-10-25 02:00,2026-10-25 03:00,twice\n")
    muting = Muting(calendars=plan, time_of="at", time_zone="Europe/Berlin")
    cut = of_table().adjusted({"scoring.batch_rows": size})
    pd.testing.assert_frame_equal(cut.score(odd(), muting=muting), of_table().score(odd(), muting=muting))


def test_rows_without_a_time_stay_flagged_and_are_said(plan: Path) -> None:
    frame = odd()
    frame.loc[[4, 8], "at"] = ["soon", None]
    said = (
        "2 rows have no time in column 'at' that can be read, so that no calendar applies: they stay flagged"
    )
    with pytest.warns(AedetectWarning, match=said):
        found = muted(plan, "start,end,name\n2020-01-01,2030-01-01,all\n", frame)
    assert found[found == ""].index.tolist() == [4, 8]


def test_what_does_not_apply_is_said(plan: Path) -> None:
    with pytest.warns(AedetectWarning) as said:
        muted(plan, "start,end,name\n2031-01-01,2031-01-02,later\n", odd())
    assert str(said[0].message) == (
        f"{plan} has no entry within the times of data (2026-10-25 00:00 to 2026-10-26 04:30)"
    )
    with pytest.warns(AedetectWarning) as said:
        muted(plan, "start,end,name,site\n2026-10-25,2026-10-26,x,nort\n", odd())
    assert str(said[0].message) == (
        f"data: {plan}: row 1 (line 2): no row has 'nort' in column 'site'; did you mean 'north'?"
    )


def test_of_rows_between_two_entries_nothing_is_said(plan: Path) -> None:
    # The dump of an ordinary day, beside a plan of the whole year.
    with pytest.warns(AedetectWarning) as said:
        found = muted(plan, "start,end,name\n2025-12-25,2025-12-27,a\n2027-01-01,2027-01-02,b\n", odd())
    assert set(found) == {""}
    assert [text for text in (str(one.message) for one in said) if "has no entry" in text] == []


@cache
def of_series() -> Detector:
    settings = {**QUICK, "series.time": "time", "series.entity": ["machine"], "series.window": 24}
    return Detector(settings).fit(readings(8, 2))


NEW = broken(broken(readings(3, 2, seed=5, start="2026-02-01"), 200, 220), 632, 652)


def test_an_event_of_one_machine_is_muted_by_name(plan: Path) -> None:
    plan.write_text("start,end,name,machine\n2026-02-02,2026-02-03,repair,m0\n")
    muting = Muting(calendars=plan)
    before, found = of_series().score(NEW), of_series().score(NEW, muting=muting)
    inside = (NEW["machine"] == "m0") & (NEW["time"] >= "2026-02-02") & (NEW["time"] < "2026-02-03")
    flagged = before["is_anomaly"].astype(bool)
    assert (flagged & inside).any()
    assert (flagged & ~inside).any()
    assert (found["anomaly_status"] == "muted").tolist() == (flagged & inside).tolist()
    explained = of_series().explain(NEW, rows=[int((flagged & inside).idxmax()) + 1], muting=muting)
    reason = explained.explained[0].muted
    assert reason is not None
    assert reason.text == f"within 'repair' of {plan}, from 2026-02-02 00:00 to 2026-02-03 00:00"
    assert explained.muted_events == 1


@pytest.mark.parametrize(
    ("muting", "said"),
    [
        ({"calendars": "p.csv"},
         "calendar: the model's rows are no time series; name the column that says when a row was: time_of "
         "COLUMN"),
        ({"time_of": "at"}, "time_of goes with calendar"),
        ({"time_zone": "UTC"}, "time_zone goes with calendar"),
    ],
)  # fmt: skip
def test_wrong_use_is_said(
    muting: dict[str, str], said: str, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(plan.parent)
    Path("p.csv").write_text("start,end,name\n2026-01-01,2026-01-02,x\n")
    with pytest.raises(UsageError) as error:
        of_table().score(odd(), muting=Muting(**muting))  # type: ignore[arg-type]
    assert said in str(error.value).replace("calendars", "calendar")


def test_a_column_of_times_that_is_not_there(plan: Path) -> None:
    plan.write_text("start,end,name\n2026-01-01,2026-01-02,x\n")
    with pytest.raises(DataError) as error:
        of_table().score(odd(), muting=Muting(calendars=plan, time_of="att"))
    assert str(error.value) == (
        "data: has no column 'att', which time_of names; did you mean 'at'? There are: temp, load, site, "
        "open, at"
    )


def test_series_know_their_time(plan: Path) -> None:
    plan.write_text("start,end,name,entity\n2026-01-01,2026-01-02,x,a/b\n")
    for more, said in (
        ({"time_of": "time"}, "time_of is for tables"),
        ({"time_zone": "UTC"}, "time_zone is said in"),
    ):
        with pytest.raises(UsageError, match=said):
            of_series().score(NEW, muting=Muting(calendars=plan, **more))
    plan.write_text("start,end,name,site\n2026-01-01,2026-01-02,x,a\n")
    with pytest.raises(DataError, match="column 'site' is none of start, end, name, entity"):
        of_series().score(NEW, muting=Muting(calendars=plan))
