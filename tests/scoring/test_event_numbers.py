"""Events are numbered on from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from aedetect.data.series.context import AlarmState
from aedetect.scoring.event_numbers import EventNumbers
from aedetect.scoring.events import Event

SECONDS = np.arange(20) * 60.0


def events(*rows: list[int], series: int = 0) -> list[Event]:
    return [Event(series, place, np.array(part), part[0]) for place, part in enumerate(rows, 1)]


def numbers(some: list[Event], begin: Mapping[int, AlarmState] | None = None, known: int = 0) -> list[int]:
    numbered = EventNumbers(begin or {}, 4, 60.0).number(some, known, SECONDS)
    return [event.number for event in numbered]


def test_each_series_counts_from_one() -> None:
    assert numbers([*events([1, 2], [9]), *events([4], series=1)]) == [1, 2, 1]


def test_where_nothing_was_kept_events_among_earlier_rows_do_not_count() -> None:
    assert numbers(events([1, 2], [9], [12, 15]), known=13) == [1]


@pytest.mark.parametrize(
    ("until", "numbered"),
    # Up to four steps may lie between the flagged rows of one event.
    [(-60.0 * 4, [3, 4]), (-60.0 * 5, [4, 5])],
)
def test_numbers_go_on_and_so_does_an_event_that_had_not_ended(until: float, numbered: list[int]) -> None:
    begin = {0: AlarmState(event=3, event_until=until)}
    assert numbers(events([1], [9]), begin) == numbered


def test_an_alarm_that_went_on_is_the_same_event_however_long_ago_it_was_flagged() -> None:
    (event,) = events([3])
    begin = {0: AlarmState(event=3, event_until=-60.0 * 60)}
    assert numbers([event], begin) == [4]
    assert numbers([replace(event, continued=True)], begin) == [3]
    assert numbers([replace(event, continued=True)]) == [1]


def test_where_numbers_stood_at_a_time() -> None:
    one = EventNumbers({}, 4, 60.0)
    one.number(events([1, 2, 3], [9]), 0, SECONDS)

    def stood(until: float) -> tuple[int, float]:
        state = one.state_at(0, until, AlarmState())
        return state.event, state.event_until

    calm = AlarmState()
    assert stood(0.0) == (calm.event, calm.event_until)
    assert stood(150.0) == (1, 120.0)
    assert stood(600.0) == (2, 540.0)
