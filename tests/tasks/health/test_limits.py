"""Limits that a few sick deliveries do not move."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dumps import dump

from aedetect.tasks.health.limits import (
    LEAST,
    Peers,
    is_excused,
    limits_of,
    of_rows,
    of_share,
    rows_at,
    share_at,
)

FLOOR = math.log(4 / 3)


def peers(sizes: list[int], alike: list[int] | None = None) -> Peers:
    deliveries = [dump(day, rows) for day, rows in enumerate(sizes)]
    return Peers(deliveries, "them", [deliveries], [dump(0, rows) for rows in alike or []])


def width(sizes: list[int]) -> float:
    limits = limits_of(of_rows, peers(sizes), FLOOR, lambda _: 0.0)
    assert limits is not None
    return limits.high - limits.low


def test_equal_sizes_leave_a_third_of_room() -> None:
    limits = limits_of(of_rows, peers([1000] * 14), FLOOR, lambda _: 0.0)
    assert limits is not None
    assert [round(rows_at(each)) for each in (limits.low, limits.high)] == [750, 1334]


def test_sizes_that_vary_leave_more() -> None:
    assert width([500, 1000, 2000] * 5) > 2 * width([950, 1000, 1050] * 5)


def test_sick_ones_do_not_widen_the_limits() -> None:
    sound = [980, 990, 1000, 1010, 1020] * 6
    assert width([*sound[:-9], *[12] * 9]) < 2.5 * width(sound)
    limits = limits_of(of_rows, peers([*sound[:-9], *[12] * 9]), FLOOR, lambda _: 0.0)
    assert limits is not None
    assert not limits.hold(of_rows(dump(0, 12)))


def test_few_say_nothing() -> None:
    assert limits_of(of_rows, peers([1000] * (LEAST - 1)), FLOOR, lambda _: 0.0) is None


def test_few_of_the_same_day_excuse() -> None:
    assert is_excused(of_rows, of_rows(dump(0, 100)), peers([1000] * 7, [95]), FLOOR)
    assert not is_excused(of_rows, of_rows(dump(0, 10)), peers([1000] * 7, [95]), FLOOR)
    assert not is_excused(of_rows, of_rows(dump(0, 10)), peers([1000] * 7), FLOOR)


@given(st.floats(0, 1))
def test_shares_there_and_back(share: float) -> None:
    assert share_at(of_share(share)) == pytest.approx(share, abs=1e-9)


@given(st.integers(0, 10**9))
def test_rows_there_and_back(rows: int) -> None:
    assert rows_at(of_rows(dump(0, rows))) == pytest.approx(rows, rel=1e-9, abs=1e-9)
