"""Verdicts on series held against labelled events."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from support.sensors import DAY, broken, readings

from aedetect import Config, Detector
from aedetect.io.inputs import as_inputs
from aedetect.tasks.evaluate import EvaluateRequest, Evaluation, evaluate
from aedetect.tasks.evaluate.by_event import EventFigures
from aedetect.tasks.evaluate.sentences import describe_events, promise_of

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


def evaluated(model: Detector, frame: pd.DataFrame, compare: Detector | None = None) -> Evaluation:
    other = compare.fitted if compare else None
    request = EvaluateRequest(label="fault", compare=other)
    return evaluate(model.fitted, as_inputs(frame, model.config.data), request)


def figures(causal: bool = False) -> EventFigures:
    found = evaluated(detector(causal), labelled()).by_event
    assert found is not None
    return found


def test_events_are_counted_caught_missed_and_false() -> None:
    found = figures()
    assert (found.series, found.events, found.caught) == (2, 2, 1)
    assert (found.alarms, found.false) == (2, 1)
    assert found.recall.value == 0.5
    assert found.days == pytest.approx((6 * DAY - 70) / DAY, abs=0.05)


def test_rows_far_from_labels_are_what_the_rate_is_about() -> None:
    found = figures()
    scored = 2 * 3 * DAY
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
    found = evaluated(detector(), quiet).by_event
    assert found is not None
    assert (found.events, found.vus_pr, found.range_recall, found.median_delay) == (0, None, None, None)
    assert np.isnan(found.recall.value)


def test_surfaces_are_those_of_the_metric() -> None:
    from aedetect.tasks.evaluate.metrics.vus import benchmark_tolerance, vus_pr

    frame, found = labelled(), figures()
    scores = detector().score(frame.drop(columns="fault"))["anomaly_score"].to_numpy()
    each = []
    for part in (slice(0, 3 * DAY), slice(3 * DAY, 6 * DAY)):
        own = np.nan_to_num(scores[part], nan=np.nanmin(scores[part]))
        each.append(vus_pr(own, frame["fault"].to_numpy()[part] == 1, found.tolerance))
    assert found.vus_pr == pytest.approx(np.mean(each))
    assert found.tolerance == benchmark_tolerance(frame["temp"].to_numpy()[: 3 * DAY])


def test_the_order_of_the_rows_does_not_matter() -> None:
    mixed = labelled().sample(frac=1, random_state=0)
    found = evaluated(detector(), mixed).by_event
    assert found is not None
    ours, theirs = found.as_dict(), figures().as_dict()
    assert ours.pop("event_recall") == theirs.pop("event_recall")
    assert ours == pytest.approx(theirs)


def test_words_and_the_summary_tell_them() -> None:
    found = evaluated(detector(), labelled(), detector(causal=True))
    told = {name: value for name, value, _ in describe_events(found.by_event)}
    assert told["events caught, of 2"] == "1"
    assert told["false events, of 2 found"] == "1"
    assert promise_of(found).startswith("false alarms: ")
    assert " rows that are more than a window from a label, " in promise_of(found)
    summary = found.as_dict()
    assert summary["series"]["event_recall"]["value"] == 0.5
    assert summary["series"]["false_events_a_day"] == pytest.approx(1 / summary["series"]["days"])
    assert found.comparison is not None
    assert found.comparison.by_event is not None
    assert found.comparison.by_event.causal


def test_without_an_alert_rate_none_is_promised_and_what_was_accepted_is_said() -> None:
    model = detector().adjusted(Config.build(overrides={"threshold.alarms_per_day": 0.01}))
    found = evaluated(model, labelled())
    summary, policy = found.as_dict(), model.fitted.threshold_policy
    assert (summary["alert_rate"], summary["false_alarms"]["promised"]) == (None, None)
    assert summary["false_alarms"]["promise"] is None
    assert (summary["threshold"], summary["at_threshold"]["threshold"]) == (policy.value, None)
    assert policy.value > model.fitted.with_threshold(alert_rate=0.001).threshold
    assert promise_of(found).endswith(
        "; accepted: at most 0.01 false events a day on each series, and at most 0.1% of normal rows"
    )


def test_a_threshold_set_by_hand_promises_nothing() -> None:
    model = detector().adjusted(Config.build(overrides={"threshold.value": 3.0}))
    found = evaluated(model, labelled())
    assert (found.as_dict()["threshold"], found.as_dict()["alert_rate"]) == (3.0, None)
    assert promise_of(found).endswith("; nothing was promised, as the threshold was set by hand")
