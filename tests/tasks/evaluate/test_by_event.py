"""Verdicts on series held against labelled events."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from support.sensors import DAY, broken, readings

from aedetect import Detector
from aedetect.tasks.evaluate import evaluate, evaluation_summary
from aedetect.tasks.evaluate.by_event import SeriesFigures
from aedetect.tasks.evaluate.words import promise_of, series_figures

WINDOW = 24


@cache
def detector(causal: bool = False) -> Detector:
    settings = {"series.time": "time", "series.entity": ["machine"], "series.window": WINDOW}
    return Detector({**settings, "series.causal": causal, "threshold.alert_rate": 0.001}).fit(readings(8, 2))


def labelled() -> pd.DataFrame:
    """Two machines: a fault to see on the first; on the second one not to see, and what is none."""
    frame = readings(3, 2, seed=5, start="2026-02-01").assign(fault=0)
    frame = broken(broken(frame, 200, 260), 3 * DAY + 350, 3 * DAY + 360)
    frame.loc[200:259, "fault"] = 1
    frame.loc[3 * DAY + 200 : 3 * DAY + 209, "fault"] = 1
    return frame


def figures(causal: bool = False) -> SeriesFigures:
    found = evaluate(detector(causal), labelled(), label="fault")
    assert found.series is not None
    return found.series


def test_events_are_counted_caught_missed_and_false() -> None:
    found = figures()
    assert (found.series, found.events, found.caught) == (2, 2, 1)
    assert (found.alarms, found.false) == (2, 1)
    assert found.recall.value == 0.5
    assert found.days == pytest.approx((6 * DAY - 70) / DAY, abs=0.05)


def test_rows_far_from_labels_are_what_the_rate_is_about() -> None:
    found = figures()
    scored = 2 * (3 * DAY - WINDOW + 1)
    near = (60 + 2 * WINDOW) + (10 + 2 * WINDOW)
    assert found.away == scored - near
    assert 10 <= found.away_flagged <= 10 + 2 * WINDOW


def test_delays_are_from_the_start_of_an_event_to_its_first_flagged_row() -> None:
    late = figures(causal=True)
    assert late.causal
    assert late.median_delay is not None
    assert late.median_delay % 600 == 0
    assert 0 <= late.median_delay < WINDOW * 600
    assert figures().median_delay == 0


def test_figures_that_have_nothing_to_measure_are_none() -> None:
    quiet = readings(2, 1, seed=3, start="2026-02-01").assign(fault=0)
    found = evaluate(detector(), quiet, label="fault").series
    assert found is not None
    assert (found.events, found.vus_pr, found.range_recall, found.median_delay) == (0, None, None, None)
    assert np.isnan(found.recall.value)


def test_surfaces_are_those_of_the_metric() -> None:
    from aedetect.tasks.evaluate.metrics.vus import period, vus_pr

    frame, found = labelled(), figures()
    scores = detector().score(frame.drop(columns="fault"))["anomaly_score"].to_numpy()
    each = []
    for part in (slice(0, 3 * DAY), slice(3 * DAY, 6 * DAY)):
        own = np.nan_to_num(scores[part], nan=np.nanmin(scores[part]))
        each.append(vus_pr(own, frame["fault"].to_numpy()[part] == 1, found.tolerance))
    assert found.vus_pr == pytest.approx(np.mean(each))
    assert found.tolerance == period(frame["temp"].to_numpy()[: 3 * DAY])


def test_the_order_of_the_rows_does_not_matter() -> None:
    mixed = labelled().sample(frac=1, random_state=0)
    found = evaluate(detector(), mixed, label="fault").series
    assert found is not None
    ours, theirs = found.as_dict(), figures().as_dict()
    assert ours.pop("event_recall") == theirs.pop("event_recall")
    assert ours == pytest.approx(theirs)


def test_words_and_the_summary_tell_them() -> None:
    found = evaluate(detector(), labelled(), label="fault", compare=detector(causal=True))
    told = {name: value for name, value, _ in series_figures(found.series)}
    assert told["events caught, of 2"] == "1"
    assert told["false events, of 2 found"] == "1"
    assert promise_of(found).startswith("false alarms: ")
    assert " rows that are more than a window from a label, " in promise_of(found)
    summary = evaluation_summary(found)
    assert summary["series"]["event_recall"]["value"] == 0.5
    assert summary["series"]["false_events_a_day"] == pytest.approx(1 / summary["series"]["days"])
    assert found.comparison is not None
    assert found.comparison.series is not None
    assert found.comparison.series.causal
