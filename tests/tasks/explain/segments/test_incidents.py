"""Events of several series that belong together."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest
from support.sensors import readings

from aedetect import Detector
from aedetect.tasks.explain.segments import GroupExplanations

START = "2026-02-01"


@cache
def of_machines() -> Detector:
    settings = {"series.time": "time", "series.entity": ["machine"], "series.window": 24}
    return Detector({**settings, "threshold.alert_rate": 0.001}).fit(readings(8, 4))


def days() -> pd.DataFrame:
    return readings(4, 4, seed=5, start=START)


def raised(frame: pd.DataFrame, machine: str, first: int, last: int, column: str = "load") -> pd.DataFrame:
    frame = frame.copy()
    frame.loc[frame.index[frame.machine == machine][first:last], column] += 150
    return frame


def groups(frame: pd.DataFrame) -> GroupExplanations:
    return of_machines().explain_groups(frame)


@pytest.fixture(scope="module")
def outage() -> GroupExplanations:
    """Two machines fail together, a third at another time, a fourth in another column."""
    frame = raised(raised(days(), "m0", 200, 230), "m1", 202, 232)
    return groups(raised(raised(frame, "m2", 400, 430), "m3", 200, 230, "temp"))


def test_events_of_one_column_at_one_time_are_one_incident(outage: GroupExplanations) -> None:
    (one,) = outage.incidents
    assert (one.entities, one.columns) == (["m0", "m1"], ["load"])
    assert (one.start[:13], one.rows >= 50) == ("2026-02-02 09", True)
    assert [event.entity for event in one.events] == [{"machine": "m0"}, {"machine": "m1"}]
    assert one.start == one.events[0].start
    assert one.end == one.events[1].end


def test_others_are_alone_and_chance_is_said(outage: GroupExplanations) -> None:
    assert outage.together is not None
    assert outage.events == 2 + outage.together.alone
    assert outage.together.alone >= 2
    assert 0 < outage.together.by_chance < 1
    assert outage.said_of_events.startswith(f"2 of {outage.events} events belong together in 1 incident: ")


def test_a_short_event_within_a_long_one_is_another_matter() -> None:
    found = groups(raised(raised(days(), "m0", 100, 300), "m1", 190, 200))
    assert found.incidents == []
    assert found.said_of_events == f"no two of {found.events} events in 4 series belong together"


def test_a_few_long_events_make_no_segment(outage: GroupExplanations) -> None:
    assert (outage.anomalies > 80, outage.segments) == (True, [])
    assert outage.looked_at.sentence.endswith(", where the rows of an event count as one")


def test_of_one_event_there_is_nothing_to_say() -> None:
    found = groups(days())
    assert (found.events, found.incidents, found.said_of_events) == (1, [], "")
