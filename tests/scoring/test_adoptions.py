"""Which events were adapted to, and how that is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aedetect.data.arrays import Mask
from aedetect.data.series.grid import Grid
from aedetect.data.series.segments import Timeline
from aedetect.scoring.adoptions import Adoption, adopted_in_words, find_adoptions
from aedetect.scoring.events import Event

STEPS = 60


def adoptions(rows: list[int], silenced: list[tuple[int, int]], at: int = STEPS) -> list[Adoption]:
    """Those of one event of `rows`, where stretches are `silenced`; the series pauses before step `at`."""
    return adoptions_of([rows], silenced, at)


def adoptions_of(events: list[list[int]], silenced: list[tuple[int, int]], at: int = STEPS) -> list[Adoption]:
    seconds = np.arange(STEPS) * 60.0
    seconds[at:] += 1e6
    marked: Mask = np.zeros(STEPS, dtype=np.bool_)
    for first, end in silenced:
        marked[first:end] = True
    timeline = Timeline.of(seconds, np.zeros(STEPS, dtype=np.int64), Grid(60.0, 600.0))
    some = [Event(0, number, np.array(rows), rows[0]) for number, rows in enumerate(events, 4)]
    return list(find_adoptions(some, marked, timeline).values())


def test_an_event_after_which_the_series_stayed_is_adopted() -> None:
    (one,) = adoptions([10, 11, 15], [(16, 60)])
    assert (one.row, one.seconds, one.goes_on) == (16, 360, False)


@pytest.mark.parametrize(
    ("rows", "silenced", "at"),
    [
        pytest.param([10, 11], [], STEPS, id="back to normal"),
        pytest.param([10, 11], [(12, 14)], STEPS, id="back within a few steps"),
        pytest.param([10, 11], [(13, 60)], STEPS, id="normal in between"),
        pytest.param([58, 59], [], STEPS, id="nothing after it"),
        pytest.param([28, 29], [(30, 60)], 30, id="a pause after it"),
    ],
)
def test_other_events_are_not(rows: list[int], silenced: list[tuple[int, int]], at: int) -> None:
    assert adoptions(rows, silenced, at) == []


def test_an_event_within_what_was_adopted_goes_on() -> None:
    first, second = adoptions_of([[5, 6], [20, 21]], [(7, 20), (22, 60)])
    assert (first.goes_on, second.goes_on) == (False, True)


def test_an_event_long_after_what_was_adopted_does_not() -> None:
    _, second = adoptions_of([[5, 6], [40, 41]], [(7, 18), (39, 40), (42, 60)])
    assert not second.goes_on


def adoption(series: int, number: int, row: int, goes_on: bool = False) -> Adoption:
    return Adoption(Event(series, number, np.array([row, row + 1]), row), row + 2, 120, goes_on)


def test_states_of_several_events_are_said_once() -> None:
    several = [adoption(0, 1, 10), adoption(0, 2, 20, True), adoption(1, 1, 5, True)]
    assert adopted_in_words(several, [("a",), ("b",)], "row {}".format) == [
        "what began at row 10 lasted and counts as normal since row 22 (events 1 to 2 of a); "
        "--adapt off keeps flagging it",
        "what began at row 5 lasted and counts as normal since row 7 (event 1 of b); "
        "--adapt off keeps flagging it",
    ]


def test_what_was_held_for_as_long_as_asked_is_said_so_with_its_beginning() -> None:
    held = replace(adoption(0, 1, 10), began=7.0)
    assert adopted_in_words([held], [()], "row {}".format, "second {:g}".format) == [
        "what began at second 7 lasted and counts as normal since row 12 (event 1), as --adopt-after says"
    ]


def test_of_many_three_are_said() -> None:
    many = [adoption(0, number, 10 * number) for number in range(1, 6)]
    said = adopted_in_words(many, [()], "row {}".format)
    assert (len(said), said[3]) == (4, "and 2 more that lasted and count as normal")
    assert "(event 3);" in said[2]
