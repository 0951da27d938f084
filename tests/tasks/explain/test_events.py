"""Events of series explained: which column, from when to when, what was expected."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from support.sensors import DAY, broken, readings

from aedetect import Detector
from aedetect.data.series.timestamps import instant, span
from aedetect.errors import DataError, UsageError
from aedetect.io.inputs import as_inputs
from aedetect.scoring.series import SeriesScorer, SeriesSession
from aedetect.tasks.explain.choose_events import chosen_events, row_of
from aedetect.tasks.explain.events import SeriesExplainer

WINDOW = 24


@cache
def detector() -> Detector:
    settings = {"series.time": "time", "series.entity": ["machine"], "series.window": WINDOW}
    return Detector({**settings, "threshold.alert_rate": 0.001}).fit(readings(8, 2))


NEW = broken(readings(3, 2, seed=5, start="2026-02-01"), 200, 260)


def opened(frame: pd.DataFrame) -> SeriesSession:
    model = detector()
    return SeriesScorer(model.fitted).open(as_inputs(frame, model.config.data), keep=True)


@cache
def session() -> SeriesSession:
    return opened(NEW)


def test_an_event_names_the_column_what_it_held_and_what_was_expected() -> None:
    (event,), count = chosen_events(session(), 1, ["m0"], 5)
    found = SeriesExplainer(detector().fitted, session()).event(event)
    assert count == 1
    assert (found.number, found.entity) == (1, {"machine": "m0"})
    assert found.columns[0].column == "temp"
    assert found.columns[0].share > 0.5
    stuck = NEW["temp"].max()
    assert float(found.columns[0].seen) == pytest.approx(stuck, abs=0.01)
    center, spread = map(float, found.columns[0].expected.split(" ± "))
    assert 15 < center < 25
    assert 0 < spread < 1
    assert found.sentence.startswith(f"temp is {found.columns[0].seen} at 2026-02-0")
    assert sum(reason.share for reason in found.columns) == pytest.approx(1)


def test_what_is_clearly_off_lies_within_the_event_and_is_as_long_as_it_was() -> None:
    (event,), _ = chosen_events(session(), None, (), 1)
    found = SeriesExplainer(detector().fitted, session()).event(event)
    assert found.clearest == (f"{NEW['time'][200]:%Y-%m-%d %H:%M}", f"{NEW['time'][259]:%Y-%m-%d %H:%M}")
    assert found.start <= found.clearest[0] < found.clearest[1] <= found.end
    (sketch, *_) = found.sketches
    first, last = sketch.inside
    assert max(sketch.seen[first:last]) > max(sketch.expected)


def test_rows_are_explained_by_themselves() -> None:
    explainer = SeriesExplainer(detector().fitted, session())
    odd, usual = (explainer.row(row) for row in (230, 100))
    assert odd.flagged
    assert odd.number is None
    assert odd.columns[0].column == "temp"
    assert not usual.flagged
    assert usual.score is not None


def test_a_row_of_which_too_little_is_known_says_so() -> None:
    early = SeriesExplainer(detector().fitted, opened(NEW[: WINDOW - 1])).row(3)
    assert early.score is None
    assert early.as_dict()["is_anomaly"] is None
    assert early.sentence.startswith("too little of the series is known yet: a window is 24 rows")


def test_words_that_differ_are_told() -> None:
    frame = NEW.copy()
    frame["open"] ^= (frame.index >= 3 * DAY + 200) & (frame.index <= 3 * DAY + 280)
    scored = opened(frame)
    chosen, _ = chosen_events(scored, None, ["m1"], 5)
    explained = [SeriesExplainer(detector().fitted, scored).event(event) for event in chosen]
    reasons = [reason for one in explained for reason in one.columns if reason.column == "open"]
    assert any({reason.seen, reason.expected} == {"true", "false"} for reason in reasons)
    assert any(" was expected" in reason.sentence for reason in reasons)


def test_events_that_are_not_there() -> None:
    with pytest.raises(DataError, match="^--event 7: there is no such event; the last is event 1$"):
        chosen_events(session(), 7, (), 5)
    with pytest.raises(DataError, match="^--entity m7: no such series; there are: m0, m1$"):
        chosen_events(session(), 1, ["m7"], 5)
    with pytest.raises(DataError, match="^--event 1: there is no such event; there are none$"):
        chosen_events(session(), 1, ["m1"], 5)


def test_a_number_that_several_series_have_asks_for_one() -> None:
    frame = broken(NEW, 3 * DAY + 200, 3 * DAY + 260)
    scored = opened(frame)
    with pytest.raises(UsageError) as raised:
        chosen_events(scored, 1, (), 5)
    assert str(raised.value) == (
        "--event 1: 2 series have an event of that number; add --entity and one of: m0, m1"
    )
    found, count = chosen_events(scored, None, (), 1)
    assert (len(found), count) == (1, 2)


def test_rows_by_their_number_in_their_file() -> None:
    model = detector()
    early, late = (as_inputs(part, model.config.data)[0] for part in (NEW[:100], NEW[100:]))
    scored = SeriesScorer(model.fitted).open([early, late], keep=True)
    assert [row_of(scored, early, 100), row_of(scored, late, 1)] == [99, 100]
    assert scored.place(100) == (late, 1)
    with pytest.raises(DataError, match="there is no row 101; the last is row 100$"):
        row_of(scored, early, 101)
    with pytest.raises(UsageError, match="^--row 0: rows are counted from 1$"):
        row_of(scored, early, 0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (90, "1 min 30 s"), (3600, "1 h"), (90_061, "1 d 1 h"), (0.25, "0.25 s")],
)
def test_durations_in_two_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_instants_to_the_digit_they_need() -> None:
    moment = pd.Timestamp("2026-02-03 04:05", tz="UTC").timestamp()
    assert [instant(moment + more) for more in (0, 7, 7.25)] == [
        "2026-02-03 04:05", "2026-02-03 04:05:07", "2026-02-03 04:05:07.250"
    ]  # fmt: skip
    assert instant(np.nan) == ""
