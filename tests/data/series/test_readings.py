"""Rows of a long table in time: whose reading each has, and which share an instant."""

from __future__ import annotations

import numpy as np

from aedetect.data.series.buffer import Rows
from aedetect.data.series.readings import (
    NO_CHANNEL,
    any_of,
    of_blamed_channels,
    read_again,
    reading_channels,
    repeated_readings,
)

NAN = np.nan
# Two series; in the first the channels are read at 0, and one of them twice.
SECONDS = [60, 0, 0, 0, 0, 120, NAN]
SERIES = [0, 0, 0, 0, 1, 0, 0]
VALUES = [[3, NAN], [1, NAN], [NAN, 5], [2, NAN], [9, NAN], [NAN, NAN], [7, NAN]]


def rows(order: list[int] | None = None) -> Rows:
    places = np.array(order or range(len(SECONDS)))
    nothing = np.zeros(len(places), dtype=np.bool_)
    values = np.array(VALUES, dtype=np.float32)[places]
    return Rows(np.array(SECONDS, float)[places], np.array(SERIES)[places], values, nothing, nothing)


def test_what_stands_for_one_that_is_marked() -> None:
    marked = np.array([False, False, True, True])
    assert any_of(np.array([0, 0, 0, 3]), marked).tolist() == [True, False, False, True]


def test_a_reading_comes_again_where_its_channel_and_instant_do() -> None:
    assert read_again(rows([0, 1, 2]), rows([3])).tolist() == [False, True, False]
    assert read_again(rows([0, 1, 2]), rows([2])).tolist() == [False, False, True]


def test_a_reading_repeats_another_of_its_channel_alone() -> None:
    assert repeated_readings(rows()) == 1
    assert repeated_readings(rows([0, 1, 2, 4])) == 0


def test_rows_know_the_channel_that_they_are_of() -> None:
    both = np.array([[1, NAN], [NAN, 2], [NAN, NAN], [1, 2]], dtype=np.float32)
    assert reading_channels(both).tolist() == [0, 1, NO_CHANNEL, NO_CHANNEL]


def test_a_channel_is_blamed_for_most_of_the_error_or_as_much_as_another() -> None:
    shares = np.array([[0.9, 0.1, 0], [0.9, 0.1, 0], [0.45, 0.4, 0.15], [0.45, 0.4, 0.15], [0.9, 0.1, 0]])
    channels = np.array([0, 1, 1, 2, NO_CHANNEL])
    found = of_blamed_channels(channels, shares.astype(np.float32), 0.05)
    assert found.tolist() == [True, False, True, False, True]
