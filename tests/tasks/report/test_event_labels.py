"""Events held against labels: hits, false alarms, what lies near, and labelled stretches that were missed."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pandas as pd
from support.sensors import broken, readings

from aedetect import Detector
from aedetect.io.inputs import as_inputs
from aedetect.tasks.report import Report, ReportRequest, report
from aedetect.tasks.report.series import LabelledEvents


@cache
def detector() -> Detector:
    settings = {"series.time": "time", "series.entity": ["machine"], "series.window": 24}
    return Detector({**settings, "threshold.alert_rate": 0.001}).fit(readings(8, 2))


@cache
def new() -> pd.DataFrame:
    """Rows 200 to 259 of machine m0 are odd."""
    return broken(readings(3, 2, seed=5, start="2026-02-01"), 200, 260)


def held(labels: np.ndarray) -> Report:
    model = detector()
    inputs = as_inputs(new().assign(fault=labels), model.config.data)
    return report(model.fitted, inputs, ReportRequest("fault"), "plant")


def events(made: Report) -> LabelledEvents:
    assert made.findings.events is not None
    assert made.findings.events.labelled is not None
    return made.findings.events.labelled


def of(*stretches: tuple[int, int]) -> np.ndarray:
    labels = np.zeros(len(new()), dtype=bool)
    for start, stop in stretches:
        labels[start:stop] = True
    return labels


def test_an_event_with_a_labelled_row_is_a_hit_and_what_has_none_was_missed() -> None:
    made = held(of((200, 260), (20, 30), (350, 353)))
    found = events(made)
    assert found.outcomes == {"hit": 1, "near": 0, "false alarm": 0}
    assert (found.stretches, found.caught, len(found.missed)) == (3, 1, 2)
    assert [one.rows for one in sorted(found.missed, key=lambda one: one.start)] == [10, 3]
    first = min(found.missed, key=lambda one: one.start)
    assert (first.name, first.start, first.end) == ("m0", "2026-02-01 03:20", "2026-02-01 04:50")
    assert [one.highest for one in found.missed] == sorted(one.highest for one in found.missed)
    scored = detector().score(new())
    assert first.highest == scored.anomaly_score[20:30].max()
    assert made.findings.evaluation is not None
    figures = made.findings.evaluation.by_event
    assert figures is not None
    assert (figures.events, figures.caught, figures.false) == (found.stretches, found.caught, 0)


def test_an_event_without_a_label_near_is_a_false_alarm() -> None:
    made = held(of((20, 30)))
    assert events(made).outcomes == {"hit": 0, "near": 0, "false alarm": 1}
    assert made.findings.evaluation.by_event.false == 1  # type: ignore[union-attr]
    page = made.html()
    assert '<span class="badge false-alarm">false alarm</span>' in page
    sentence = (
        "By the labels: events with a labelled row (hits) 0 of 1, within a window of one 0, false alarms 1; "
        "labelled stretches caught 0 of 1."
    )
    assert sentence in page
    assert sentence in made.verdict
    assert re.findall(r'<li class="outcome"><b>(\d+)</b>.*?</span>([a-z ]+)</span>', page) == [
        ("0", "events hit"),
        ("1", "false events"),
        ("1", "labelled stretches missed"),
    ]
    flagged = int(detector().score(new()).is_anomaly.sum())
    assert f"{flagged} other rows flagged" in page
    assert "10 labelled rows not flagged" in page


def test_an_event_within_a_window_of_a_label_is_neither() -> None:
    flagged = np.flatnonzero(detector().score(new()).is_anomaly.to_numpy(bool))
    made = held(of((flagged[-1] + 3, flagged[-1] + 6)))
    assert events(made).outcomes == {"hit": 0, "near": 1, "false alarm": 0}
    assert made.findings.evaluation.by_event.false == 0  # type: ignore[union-attr]
    assert '<span class="badge near">near a label</span>' in made.html()


def test_labelled_stretches_are_drawn_and_the_worst_misses_listed() -> None:
    page = held(of((200, 260), (20, 30))).html()
    lines = page.split('class="panel"')[1].count('<figure class="track"')
    assert page.split('class="panel"')[1].count('<rect class="labelled"') == 2 * lines
    assert "<h2>The worst misses</h2>" in page
    assert "<td>2026-02-01 03:20</td><td>2026-02-01 04:50</td>" in page
    assert "bar along the foot: labelled as anomalies" in page


def test_without_labels_nothing_is_said_of_them() -> None:
    model = detector()
    page = report(model.fitted, as_inputs(new(), model.config.data), ReportRequest(), "plant").html()
    for words in ("labelled", "The worst misses", 'class="badge'):
        assert words not in page.split("<style>")[0] + page.split("</style>")[1].split("<script>")[0]
