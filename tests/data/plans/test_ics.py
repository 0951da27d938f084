"""iCalendar files: whole days, what recurs, zones, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aedetect.data.plans.ics import IcsPlan
from aedetect.data.plans.planned_times import Columns, PlannedTimes
from aedetect.errors import DataError

BERLIN = "Europe/Berlin"


def ics(*events: str) -> str:
    """A calendar of events, each in its lines."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for number, event in enumerate(events):
        uid = [] if "UID:" in event else [f"UID:{number}"]
        lines += ["BEGIN:VEVENT", *uid, *event.split("\n"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def planned(path: Path, text: str, zone: str = "UTC", columns: Columns | None = None) -> PlannedTimes:
    path = path / "plan.ics"
    path.write_text(text, newline="")
    return PlannedTimes([IcsPlan.read(path)], columns or Columns(), zone)


def hours(times: PlannedTimes, start: str, count: int, zone: str = "UTC") -> list[str]:
    """Of the hours from `start` on, in UTC, those that are planned, by the clock in `zone`."""
    instants = pd.date_range(start, periods=count, freq="h", tz="UTC")
    seconds = instants.astype("datetime64[ns, UTC]").asi8 / 1e9
    _, places = times.of_rows(np.asarray(seconds), lambda _: np.full(count, ""))
    return [each.strftime("%d %H:%M%z") for each in instants.tz_convert(zone)[places >= 0]]


def test_a_whole_day_is_as_long_as_the_clock_makes_it(tmp_path: Path) -> None:
    spring = "SUMMARY:spring\nDTSTART;VALUE=DATE:20260329\nDTEND;VALUE=DATE:20260330"
    autumn = "SUMMARY:autumn\nDTSTART;VALUE=DATE:20261025"
    times = planned(tmp_path, ics(spring, autumn), BERLIN)
    in_spring = hours(times, "2026-03-28 12:00", 48, BERLIN)
    assert (in_spring[0], in_spring[-1], len(in_spring)) == ("29 00:00+0100", "29 23:00+0200", 23)
    in_autumn = hours(times, "2026-10-24 12:00", 48, BERLIN)
    assert (in_autumn[0], in_autumn[-1], len(in_autumn)) == ("25 00:00+0200", "25 23:00+0100", 25)
    assert len(hours(planned(tmp_path, ics(spring)), "2026-03-28 12:00", 48)) == 24


def test_what_recurs_leaves_out_and_moves_single_times(tmp_path: Path) -> None:
    weekly = (
        f"UID:w\nSUMMARY:weekly\nDTSTART;TZID={BERLIN}:20260321T020000\nDTEND;TZID={BERLIN}:20260321T030000\n"
        f"RRULE:FREQ=WEEKLY;COUNT=5\nEXDATE;TZID={BERLIN}:20260404T020000"
    )
    moved = (
        f"UID:w\nSUMMARY:moved\nRECURRENCE-ID;TZID={BERLIN}:20260411T020000\n"
        f"DTSTART;TZID={BERLIN}:20260412T050000\nDTEND;TZID={BERLIN}:20260412T070000"
    )
    times = planned(tmp_path, ics(weekly, moved))
    assert hours(times, "2026-03-20 00:00", 24 * 40, BERLIN) == [
        "21 02:00+0100",
        "28 02:00+0100",
        "12 05:00+0200",
        "12 06:00+0200",
        "18 02:00+0200",
    ]
    assert {span.name for span in times.of_year(2026)} == {"weekly", "moved"}


def test_what_recurs_for_ever_does_so_in_every_year(tmp_path: Path) -> None:
    times = planned(
        tmp_path,
        ics("SUMMARY:eve\nDTSTART;VALUE=DATE:20201231\nDTEND;VALUE=DATE:20210102\nRRULE:FREQ=YEARLY"),
    )
    for year in (2020, 2024, 2031):
        assert len(hours(times, f"{year}-12-30", 24 * 5)) == 48


def test_a_floating_time_is_of_the_clock_of_the_data_and_others_are_not(tmp_path: Path) -> None:
    floating = "SUMMARY:f\nDTSTART:20260701T100000\nDURATION:PT1H"
    utc = "SUMMARY:u\nDTSTART:20260701T150000Z\nDTEND:20260701T160000Z"
    tokyo = "SUMMARY:t\nDTSTART;TZID=Asia/Tokyo:20260702T060000\nDURATION:PT1H"
    assert hours(planned(tmp_path, ics(floating, utc, tokyo), BERLIN), "2026-07-01", 24) == [
        "01 08:00+0000",
        "01 15:00+0000",
        "01 21:00+0000",
    ]
    plan = IcsPlan.read(tmp_path / "plan.ics")
    assert plan.names_zones
    (tmp_path / "plan.ics").write_text(ics(floating), newline="")
    assert not IcsPlan.read(tmp_path / "plan.ics").names_zones


def test_an_hour_that_comes_twice_is_meant_the_first_time(tmp_path: Path) -> None:
    times = planned(tmp_path, ics("SUMMARY:x\nDTSTART:20261025T020000\nDTEND:20261025T030000"), BERLIN)
    assert hours(times, "2026-10-24 22:00", 8, BERLIN) == ["25 02:00+0200", "25 02:00+0100"]
    times = planned(tmp_path, ics("SUMMARY:x\nDTSTART:20261025T020000\nDURATION:PT30M"), BERLIN)
    assert hours(times, "2026-10-24 22:00", 8, BERLIN) == ["25 02:00+0200"]


def test_cancelled_events_are_none(tmp_path: Path) -> None:
    gone = "SUMMARY:x\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20260701"
    assert hours(planned(tmp_path, ics(gone)), "2026-07-01", 24) == []
    weekly = "UID:w\nSUMMARY:w\nDTSTART:20260701T000000\nDTEND:20260701T010000\nRRULE:FREQ=DAILY;COUNT=3"
    one = "UID:w\nSTATUS:CANCELLED\nRECURRENCE-ID:20260702T000000\nDTSTART:20260702T000000\nDURATION:PT1H"
    assert hours(planned(tmp_path, ics(weekly, one)), "2026-07-01", 72) == ["01 00:00+0000", "03 00:00+0000"]


def test_the_description_says_for_whom_an_event_is(tmp_path: Path) -> None:
    event = "SUMMARY:x\nDTSTART;VALUE=DATE:20260701\nDESCRIPTION:ask Eve\\nEntity: m1\\n entity: m2"
    times = planned(tmp_path, ics(event), columns=Columns(["machine"]))
    seconds = np.full(3, pd.Timestamp("2026-07-01 12:00").timestamp())
    _, places = times.of_rows(seconds, lambda _: np.array(["m1", "m2", "m3"], dtype=object))
    assert (places >= 0).tolist() == [True, True, False]
    with pytest.raises(
        DataError, match="line 4: 'x' is for the entity 'm1', and the rows are not told apart"
    ):
        planned(tmp_path, ics(event))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            "SUMMARY:a\nDTSTART:20260701T020000\nDTEND:20260701T010000",
            "line 4: 'a' ends before it starts; exchange the two, or correct one",
        ),
        (
            "SUMMARY:a\nDTSTART:20260701T020000\nDTEND:20260701T020000",
            "line 4: 'a' ends when it starts; its end is the first moment after it: of a whole "
            "day, the next day",
        ),
        (
            "SUMMARY:a\nDTSTART:soon",
            "line 4, event 'a': DTSTART cannot be read; repair it, or export the calendar anew",
        ),
        (
            "SUMMARY:a\nDTSTART:20260701T020000\nDURATION:PT1H\nRRULE:FREQ=NEVER",
            "line 4, event 'a': RRULE cannot be read; repair it, or export the calendar anew",
        ),
        (
            "SUMMARY:a\nDTEND:20260701T020000",
            "line 4, event 'a': has no start (DTSTART); repair it, or export the calendar anew",
        ),
        (
            "SUMMARY:a\nDTSTART;TZID=Mars/Base:20260701T020000\nDURATION:PT1H",
            "line 4, event 'a': the time zone 'Mars/Base' is not known; write it like "
            "Europe/Berlin, or export the "
            "calendar with its zones (VTIMEZONE)",
        ),
    ],
)
def test_an_event_that_cannot_be_read_is_named_by_its_line(event: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        planned(tmp_path, ics(event))
    assert str(error.value) == f"{tmp_path / 'plan.ics'}: {said}"


@pytest.mark.parametrize("text", ["", "start,end,name\n", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "\0\0"])
def test_what_is_no_calendar(text: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"plan.ics: not an iCalendar file, or cut off; repair it"):
        planned(tmp_path, text)


def test_a_calendar_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        IcsPlan.read(tmp_path / "none.ics")
    (tmp_path / "x.ics").write_bytes(b"BEGIN:VCALENDAR\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        IcsPlan.read(tmp_path / "x.ics")
