"""Events in short: their course is that of the rows, wherever they were read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.sensors import broken, readings

from aedetect import Detector
from aedetect.io.inputs import as_inputs
from aedetect.scoring.scorers import scorer_of
from aedetect.tasks.event_sketches import EventSketch, EventSketches
from aedetect.tasks.scored_rows import score_inputs

_SETTINGS = {
    "series.time": "time", "series.window": "4h", "threshold.alert_rate": 0.001, "training.epochs": 5
}  # fmt: skip


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector({**_SETTINGS, "series.entity": ["machine"]}).fit(readings(8, 2))


def sketches(detector: Detector, frames: list[pd.DataFrame], most: int = 5) -> list[EventSketch]:
    inputs = as_inputs(frames, detector.fitted.config.data)
    session = scorer_of(detector.fitted).open(inputs)
    drawing = EventSketches(detector.fitted, session, most)
    score_inputs(detector.fitted, inputs, drawing.see, session=session)
    return drawing.sketches()


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Machine m1 hot in rows 632 to 731, m0 in 200 to 259."""
    return broken(broken(readings(3, 2, seed=5, start="2026-02-01"), 200, 260), 632, 732)


def test_the_course_is_that_of_the_leading_channel_of_its_own_series(
    detector: Detector, rows: pd.DataFrame
) -> None:
    for event in sketches(detector, [rows]):
        assert event.drawn == event.channels[0][0] == "temp"
        of_machine = rows[rows["machine"] == event.entity[0]]
        first, last = event.inside
        assert 0 < first < last < len(event.course) - 1
        assert np.nanmin(event.course) >= of_machine["temp"].min()
        assert event.course[first + 1 : last].max() == pytest.approx(of_machine["temp"].max())


def test_the_highest_score_comes_first_and_no_more_than_asked_for(
    detector: Detector, rows: pd.DataFrame
) -> None:
    each = sketches(detector, [rows])
    assert [event.score for event in each] == sorted((event.score for event in each), reverse=True)
    assert len(each) == 2
    (first,) = sketches(detector, [rows], most=1)
    assert (first.entity, first.number, first.score) == (each[0].entity, each[0].number, each[0].score)


def test_rows_of_one_event_may_come_from_several_inputs(detector: Detector, rows: pd.DataFrame) -> None:
    parts = [rows.iloc[:230], rows.iloc[230:680], rows.iloc[680:]]
    for whole, cut in zip(sketches(detector, [rows]), sketches(detector, parts), strict=True):
        np.testing.assert_allclose(cut.course, whole.course)
        assert (cut.start, cut.end, cut.inside) == (whole.start, whole.end, whole.inside)


def test_where_the_leading_channel_holds_no_numbers_the_score_is_drawn() -> None:
    normal = readings(8)[["time", "open"]].assign(mode=["idle", "busy"] * (4 * 144))
    detector = Detector(_SETTINGS).fit(normal)
    odd = readings(3, seed=5, start="2026-02-01")[["time", "open"]].assign(mode=["idle", "busy"] * 216)
    odd.loc[200:260, "mode"] = "idle"
    (event, *_) = sketches(detector, [odd])
    assert event.drawn is None
    assert np.nanmax(event.course) <= event.score
