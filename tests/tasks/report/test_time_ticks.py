"""Ticks of an axis of time lie on round instants of the clock that the data have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.series.timestamps import Clock
from aedetect.tasks.report.time_ticks import MOST, time_ticks

NAIVE = Clock(columns=("time",), kind="text")
BERLIN = Clock(columns=("time",), kind="text", zone="Europe/Berlin")
STEPS = Clock(columns=("step",), kind="count")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def texts(start: str, end: str, clock: Clock = NAIVE) -> list[str]:
    return [tick.text for tick in time_ticks(at(start), at(end), clock)]


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        ("2026-02-01 00:00", "2026-02-10 23:50", [f"2026-02-{day:02d}" for day in (2, 4, 6, 8, 10)]),
        ("2026-02-01 09:20", "2026-02-01 13:05", ["2026-02-01 10:00", "11:00", "12:00", "13:00"]),
        ("2026-02-01 21:00", "2026-02-02 05:00", ["2026-02-01 22:00", "2026-02-02", "02:00", "04:00"]),
        ("2026-02-01 00:00:10", "2026-02-01 00:01:00", [
            *["2026-02-01 00:00:10", "00:00:20", "00:00:30", "00:00:40", "00:00:50", "00:01:00"],
        ]),
        ("2025-11-20 00:00", "2026-03-02 00:00", ["2025-12", "2026-01", "2026-02", "2026-03"]),
        ("2019-05-01 00:00", "2024-05-01 00:00", ["2020", "2021", "2022", "2023", "2024"]),
        ("2026-01-01 00:00", "9999-12-31 00:00", ["4000", "6000", "8000"]),
    ],
)  # fmt: skip
def test_ticks_are_round_and_written_as_short_as_can_be(start: str, end: str, shown: list[str]) -> None:
    assert texts(start, end) == shown


def test_days_begin_at_midnight_of_the_zone_also_when_clocks_change() -> None:
    ticks = time_ticks(at("2026-03-26 00:00"), at("2026-04-01 00:00"), BERLIN)
    assert [tick.text for tick in ticks] == [
        *("2026-03-27", "2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31", "2026-04-01")
    ]
    hours = {datetime.fromtimestamp(tick.seconds, UTC).hour for tick in ticks}
    assert hours == {23, 22}


def test_steps_are_numbers() -> None:
    assert [tick.text for tick in time_ticks(0, 1000, STEPS)] == ["0", "200", "400", "600", "800", "1,000"]


@given(st.floats(0, 2e9), st.floats(0, 9.5).map(lambda power: 10**power), st.sampled_from([NAIVE, BERLIN]))
def test_ticks_lie_within_the_axis_in_order(start: float, length: float, clock: Clock) -> None:
    ticks = time_ticks(start, start + length, clock)
    assert len(ticks) <= MOST + 2
    seconds = [tick.seconds for tick in ticks]
    assert seconds == sorted(seconds)
    assert all(start - 1e-3 <= one <= start + length + 1e-3 for one in seconds)
