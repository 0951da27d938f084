"""How often files come, and on which days."""

from __future__ import annotations

import pytest
from support.dumps import DAY, HOUR, START, at, dump

from aedetect.engine.deliveries import Delivery
from aedetect.tasks.health.rhythm import Rhythm


def of_days(*days: float) -> Rhythm:
    rhythm = Rhythm.of([dump(day) for day in days])
    assert rhythm is not None
    return rhythm


def undated(*seconds: float) -> list[Delivery]:
    return [at(dump(0, name="in/a.csv"), START + each) for each in seconds]


def test_every_day() -> None:
    rhythm = of_days(*range(14))
    assert (rhythm.step, rhythm.dated, rhythm.words) == (DAY, True, "every day")
    assert rhythm.lag == DAY + 3 * HOUR
    assert all(rhythm.expects(rhythm.slots[-1] + day) for day in range(1, 20))


def test_a_week_must_have_been_seen() -> None:
    assert Rhythm.of([dump(day) for day in range(6)]) is None
    assert Rhythm.of([dump(day / 24, name="in/{:%Y-%m-%dT%H%M}.csv") for day in range(100)]) is None


def test_no_files_on_sundays_are_expected_where_none_came() -> None:
    days = [day for day in range(21) if day % 7 != 6]
    rhythm = of_days(*days)
    first = rhythm.slot(START)
    expected = [rhythm.expects(first + day) for day in range(21, 28)]
    assert expected == [True] * 6 + [False]


def test_one_that_did_not_come_is_expected_the_next_week() -> None:
    rhythm = of_days(*(day for day in range(28) if day != 23))
    assert rhythm.expects(rhythm.slot(START) + 30)


def test_three_days_a_week() -> None:
    rhythm = of_days(*(day for day in range(28) if day % 7 in (0, 2, 4)))
    first = rhythm.slot(START)
    assert rhythm.step == DAY
    assert [rhythm.expects(first + day) for day in range(28, 35)] == [
        True,
        False,
        True,
        False,
        True,
        False,
        False,
    ]


def test_overdue_only_after_the_hour_at_which_they_come() -> None:
    rhythm = of_days(*range(14))
    came = START + 14 * DAY + DAY + 3 * HOUR
    assert rhythm.overdue(came + 5 * HOUR) == []
    assert [rhythm.shown(slot) for slot in rhythm.overdue(came + 7 * HOUR)] == ["2026-03-16"]


def test_times_of_change_around_midnight_are_one_a_day() -> None:
    rhythm = Rhythm.of(undated(*(day * DAY + (-1) ** day * 0.2 * HOUR for day in range(14))))
    assert rhythm is not None
    assert rhythm.dated is False
    assert len(set(rhythm.slots)) == 14
    assert rhythm.lacking(rhythm.slots[-1], rhythm.slots[-1] + 3) != []


def test_hours() -> None:
    rhythm = Rhythm.of(undated(*(hour * HOUR + 60 * (hour % 3) for hour in range(24 * 9))))
    assert rhythm is not None
    assert (rhythm.step, rhythm.words, rhythm.cycles) == (HOUR, "every hour", [168, 24])


@pytest.mark.parametrize("seconds", [[0.0] * 20, [DAY * each**1.7 for each in range(20)]])
def test_no_rhythm(seconds: list[float]) -> None:
    assert Rhythm.of(undated(*seconds)) is None


def test_copied_files_say_nothing_of_when_they_come() -> None:
    copied = [at(dump(day), START + 100 * DAY) for day in range(14)]
    rhythm = Rhythm.of(copied)
    assert rhythm is not None
    assert (rhythm.lag, rhythm.slack) == (2 * DAY, 0.0)
