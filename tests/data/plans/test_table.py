"""Plans in tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from aedetect.data.plans.table import TablePlan
from aedetect.errors import DataError


def read(folder: Path, text: str) -> TablePlan:
    path = folder / "plan.csv"
    path.write_text(text)
    return TablePlan.read(path)


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-12-24", "2026-12-27"), ("24.12.2026", "27.12.2026"), ("2026-12-24T00:00", "2026-12-27 00:00:00")],
)
def test_an_entry_is_from_its_start_to_its_end(start: str, end: str, tmp_path: Path) -> None:
    plan = read(tmp_path, f"start,end,name,entity\n{start},{end},Christmas,\n")
    (entry,) = plan.entries
    assert (entry.name, entry.entities, entry.where) == ("Christmas", (), {})
    assert (entry.start.floating, entry.end.floating, plan.names_zones) == (True, True, False)
    assert entry.start.seconds == pd.Timestamp("2026-12-24").timestamp()
    assert entry.end.instant("Europe/Berlin") == pd.Timestamp("2026-12-27", tz="Europe/Berlin").timestamp()
    assert entry.place == f"{tmp_path / 'plan.csv'}: row 1 (line 2)"


def test_times_may_name_their_zone(tmp_path: Path) -> None:
    plan = read(tmp_path, "start;end;name\n2026-12-24T10:00+02:00;2026-12-24T09:00Z;x\n")
    (entry,) = plan.entries
    assert plan.names_zones
    assert entry.start.instant("Asia/Tokyo") == pd.Timestamp("2026-12-24 08:00", tz="UTC").timestamp()
    assert entry.end.seconds - entry.start.seconds == 3600


def test_whom_an_entry_is_for(tmp_path: Path) -> None:
    plan = read(
        tmp_path, "start,end,name,entity,host\n2026-01-01,2026-01-02,x,m1,web-*\n2026-01-01,2026-01-02,,,\n"
    )
    first, second = plan.entries
    assert (first.entities, first.where, plan.columns) == (("m1",), {"host": "web-*"}, ["host"])
    assert (second.entities, second.where) == ((), {})
    assert second.name == f"row 2 of {tmp_path / 'plan.csv'}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "start,end\n2026-01-01,2026-01-02\n",
            "no column named 'name'; a calendar has the columns start, end and name, and where "
            "an entry is for some "
            "rows alone, entity",
        ),
        (
            "Start,end,name\n2026-01-01,2026-01-02,x\n",
            "no column named 'start' (is 'Start' meant?); a calendar has the columns start, end "
            "and name, and where "
            "an entry is for some rows alone, entity",
        ),
        (
            "start,end,name\n2026-01-01,2026-01-02,x\n2026-01-05,soon,y\n",
            "row 2 (line 3), column 'end': 'soon' is no time; write times like 2026-12-24 or "
            "2026-12-24 18:00",
        ),
        (
            "start,end,name\n,2026-01-02,x\n",
            "row 1 (line 2), column 'start': is empty; an entry has a start and an end (write "
            "times like 2026-12-24 or "
            "2026-12-24 18:00)",
        ),
        (
            "start,end,name\n2026-01-02,2026-01-01,x\n",
            "row 1 (line 2): 'x' ends before it starts; exchange the two, or correct one",
        ),
        (
            "start,end,name\n2026-01-02,2026-01-02,x\n",
            "row 1 (line 2): 'x' ends when it starts; its end is the first moment after it: of "
            "a whole day, the next day",
        ),
        (
            "start,end,name\n01/02/2026,02/03/2026,x\n",
            "row 1 (line 2), column 'start': '01/02/2026' may be read in more than one way; "
            "write times like 2026-12-24 or 2026-12-24 18:00",
        ),
    ],
)
def test_what_is_wrong_is_named_by_row_and_column(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read(tmp_path, text)
    assert str(error.value) == f"{tmp_path / 'plan.csv'}: {said}"
