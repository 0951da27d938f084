"""Rows of a long table in time: one of each instant stands for all, whatever their order."""

from __future__ import annotations

import numpy as np

from aedetect.data.series.buffer import Rows
from aedetect.data.series.readings import (
    NO_CHANNEL,
    Instants,
    compacted,
    of_blamed_channels,
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


def test_one_row_stands_for_its_instant_with_all_readings() -> None:
    instants = Instants.of(rows())
    assert instants.standing.tolist() == [0, 1, 1, 1, 4, 5, 6]
    np.testing.assert_array_equal(instants.rows.values[1:4], [[1.5, 5]] * 3)
    np.testing.assert_array_equal(instants.rows.seconds, [60, 0, NAN, NAN, 0, NAN, NAN])
    marked = np.array([False, False, True, False, False, False, False])
    assert np.flatnonzero(instants.any_of(marked)).tolist() == [1]


def test_every_row_of_a_wide_table_stands_for_itself() -> None:
    instants = Instants.each(rows())
    assert instants.rows.seconds.tolist()[:5] == SECONDS[:5]
    assert instants.standing.tolist() == list(range(7))


def test_the_order_of_rows_does_not_count() -> None:
    expected, mixed = compacted(rows()), compacted(rows([6, 3, 5, 4, 2, 1, 0]))
    np.testing.assert_array_equal(expected.values, [[1.5, 5], [3, NAN], [9, NAN]])
    np.testing.assert_array_equal(mixed.values, expected.values)
    np.testing.assert_array_equal(mixed.seconds, expected.seconds)


def test_a_reading_repeats_another_of_its_channel_alone() -> None:
    assert repeated_readings(rows()) == 1
    assert repeated_readings(rows([0, 1, 2, 4])) == 0


def test_rows_know_the_channel_that_they_are_of() -> None:
    both = np.array([[1, NAN], [NAN, 2], [NAN, NAN], [1, 2]], dtype=np.float32)
    assert reading_channels(both).tolist() == [0, 1, NO_CHANNEL, NO_CHANNEL]


def test_nothing_is_taken() -> None:
    nothing = rows().part(slice(0))
    assert len(compacted(nothing)) == repeated_readings(nothing) == 0


def test_a_channel_is_blamed_for_most_of_the_error_or_as_much_as_another() -> None:
    shares = np.array([[0.9, 0.1, 0], [0.9, 0.1, 0], [0.45, 0.4, 0.15], [0.45, 0.4, 0.15], [0.9, 0.1, 0]])
    channels = np.array([0, 1, 1, 2, NO_CHANNEL])
    found = of_blamed_channels(channels, shares.astype(np.float32), 0.05)
    assert found.tolist() == [True, False, True, False, True]
