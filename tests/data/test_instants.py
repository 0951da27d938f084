from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.instants import DAY, InstantProfile

MONTHS = np.arange("2020-01", "2023-01", dtype="datetime64[M]").astype("datetime64[s]").astype(np.float64)


def profile(seconds: np.ndarray, of_no_day: bool = False) -> InstantProfile:
    seen = InstantProfile(of_no_day)
    for part in np.array_split(seconds, 3):
        seen.update(part)
    return seen


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (np.arange(0, 1.9 * DAY, 600), ()),
        (np.arange(0, 13.9 * DAY, 600), ("day",)),
        (np.arange(0, 15 * DAY, 600), ("day", "week")),
        (np.arange(0, 729 * DAY, 7200), ("day", "week")),
        (np.arange(0, 731 * DAY, 7200), ("day", "week", "year")),
        # All at midnight, all on one weekday, on few days, on the first of months.
        (np.arange(0, 20 * DAY, DAY), ("week",)),
        (np.arange(0, 100 * DAY, 7 * DAY), ()),
        (np.arange(0, 800 * DAY, 100 * DAY), ()),
        (MONTHS, ("year",)),
        (np.array([]), ()),
    ],
)
def test_cycles_seen_twice_that_tell_rows_apart(seconds: np.ndarray, expected: tuple[str, ...]) -> None:
    assert profile(seconds).cycles == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [([0.0, 3600.0, 7200.0], ()), ([0.0, 7200.0, 3600.0], ("day",)), ([0.0, 7200.0, 80_000.0], ("day",))],
)
def test_times_of_one_hour_of_one_day_are_no_rhythm(seconds: list[float], expected: tuple[str, ...]) -> None:
    assert profile(np.array(seconds), of_no_day=True).cycles == expected


def test_facts_span_batches() -> None:
    seen = profile(np.array([5 * DAY, np.nan, 6 * DAY, 6 * DAY, 7 * DAY, np.nan]))
    assert (seen.count, seen.first, seen.last, seen.days) == (4, 5 * DAY, 7 * DAY, 3)
    assert (seen.only_dates, seen.rising) == (True, True)
    seen.update(np.array([6.5 * DAY]))
    assert (seen.only_dates, seen.rising) == (False, False)


@given(
    st.lists(st.integers(0, 400).map(lambda step: step * DAY / 4) | st.just(np.nan), max_size=40),
    st.lists(st.integers(0, 40), max_size=3),
)
def test_parts_add_up_to_the_whole(seconds: list[float], places: list[int]) -> None:
    whole, total = InstantProfile(), InstantProfile()
    whole.update(np.array(seconds, dtype=np.float64))
    for values in np.split(np.array(seconds, dtype=np.float64), sorted(places)):
        part = InstantProfile()
        part.update(values)
        total.add(part)
    names = ("count", "first", "last", "only_dates", "rises", "stays", "falls", "days", "cycles")
    assert [getattr(total, name) for name in names] == [getattr(whole, name) for name in names]
    assert [end[:2] for end in (*total.lowest, *total.highest)] == [
        end[:2] for end in (*whole.lowest, *whole.highest)
    ]
    assert total.usual_step[1] == whole.usual_step[1]
