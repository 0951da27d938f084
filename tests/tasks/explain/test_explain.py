"""What is explained, of tables and of series, by one call."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pandas as pd
import pytest
from support.sensors import broken, readings
from support.tables import tiny_frame

from aedetect import Detector
from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError, ModelError, UsageError
from aedetect.io.inputs import as_inputs
from aedetect.tasks.explain import ExplainRequest, Explanation, Explanations, explain
from aedetect.tasks.explain.events import SeriesExplanation

QUICK = {"training.epochs": 2, "training.folds": 2, "training.device": "cpu", "model.width": 16}


@cache
def of_rows() -> Detector:
    return Detector({**QUICK, "data.id": "no"}).fit(numbered(tiny_frame(400)))


@cache
def of_series() -> Detector:
    settings = {"series.time": "time", "series.entity": ["machine"], "series.window": 24}
    return Detector({**settings, "threshold.alert_rate": 0.001}).fit(readings(8, 2))


def numbered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(no=[f"n{row}" for row in range(len(frame))])


def odd_rows() -> pd.DataFrame:
    frame = tiny_frame(40, seed=1)
    frame.loc[[3, 9], "load"] = 980.0
    frame.loc[9] = frame.loc[3]
    return numbered(frame)


def odd_series() -> pd.DataFrame:
    return broken(readings(3, 2, seed=5, start="2026-02-01"), 200, 260)


def explained(model: Detector, frame: pd.DataFrame, **request: object) -> Explanations:
    return explain(model.fitted, as_inputs(frame, model.config.data), ExplainRequest(**request))  # type: ignore[arg-type]


def test_the_strangest_rows_of_a_table_are_explained() -> None:
    found = explained(of_rows(), odd_rows(), top=1)
    (one,) = found.explained
    assert isinstance(one, Explanation)
    assert (one.row, one.duplicates, found.strangest) == (4, 2, 4)
    told = found.as_dict()
    assert list(told) == ["rows", "anomalies", "muted", "threshold", "explained"]
    assert (told["rows"], told["threshold"]) == (40, of_rows().threshold)
    assert told["explained"][0]["rows_alike"] == 2


def test_rows_are_named_by_number_and_by_id() -> None:
    found = explained(of_rows(), odd_rows(), rows=[2], ids=["n7"])
    assert [one.as_dict()["row"] for one in found.explained] == [2, 8]


def test_the_strangest_events_of_series_are_explained() -> None:
    found = explained(of_series(), odd_series())
    (one,) = found.explained
    assert isinstance(one, SeriesExplanation)
    told = found.as_dict()
    assert list(told) == [
        *["rows", "anomalies", "muted", "events", "muted_events", "threshold", "p_value_limit", "zone"],
        "explained",
    ]
    assert told["zone"] is None
    assert (told["rows"], told["events"], found.zone) == (864, 1, "")
    assert told["explained"][0]["entity"] == {"machine": "m0"}
    assert found.strangest is None


def test_events_by_number_and_rows_of_series() -> None:
    assert explained(of_series(), odd_series(), event=1, entity=["m0"]).explained[0].flagged
    (row,) = explained(of_series(), odd_series(), rows=[231]).explained
    assert isinstance(row, SeriesExplanation)
    assert (row.number, row.first_row) == (None, 231)


def test_zones_that_are_known_are_told() -> None:
    frame = odd_series()
    model = Detector({"series.time": "time", "series.window": 24, **QUICK}).fit(
        frame[frame["machine"] == "m0"]
        .drop(columns="machine")
        .assign(time=lambda part: part["time"].dt.tz_localize("UTC"))
    )
    later = frame[:100].drop(columns="machine").assign(time=lambda part: part["time"].dt.tz_localize("UTC"))
    assert explained(model, later, rows=[50]).zone == " UTC"


@pytest.mark.parametrize(
    ("model", "request_", "text"),
    [
        (of_rows, {"event": 1}, "no model of time series, which --event and --entity are for"),
        (of_rows, {"entity": ["m0"]}, "no model of time series, which --event and --entity are for"),
        (of_rows, {"rows": [0]}, "--row 0: rows are counted from 1"),
        (
            of_series,
            {"ids": ["m0"]},
            "--id is for models of tables; of time series give --event, --row or --entity",
        ),
    ],
)
def test_what_the_model_does_not_know_is_said(model: object, request_: dict[str, object], text: str) -> None:
    detector = model()  # type: ignore[operator]
    frame = odd_series() if model is of_series else odd_rows()
    with pytest.raises(UsageError) as raised:
        explained(detector, frame, **request_)
    assert str(raised.value) == text


def test_rows_are_of_one_input() -> None:
    for model, frame, text in (
        (of_rows(), odd_rows(), "data and 1 more: explain one input at a time"),
        (of_series(), odd_series(), "--row: 2 files; name the one that the row is in"),
    ):
        inputs = [source for _ in range(2) for source in as_inputs(frame, model.config.data)]
        with pytest.raises(UsageError) as raised:
            explain(model.fitted, inputs, ExplainRequest(rows=[1]))
        assert str(raised.value) == text


def test_rows_and_columns_that_are_not_there() -> None:
    with pytest.raises(DataError) as raised:
        explained(of_rows(), odd_rows(), rows=[41])
    assert str(raised.value) == "data: there is no row 41; the last is row 40"
    with pytest.raises(ModelError, match="'load'"):
        explained(of_series(), odd_series().drop(columns="load"))


def test_a_model_without_normal_rows_says_that_it_is_old() -> None:
    class Notices(Callback):
        def __init__(self) -> None:
            self.texts: list[str] = []

        def notice(self, text: str) -> None:
            self.texts.append(text)

    fitted, notices = of_rows().fitted, Notices()
    old = replace(fitted, normal_rows=fitted.normal_rows[:0])
    found = explain(old, as_inputs(odd_rows(), fitted.config.data), ExplainRequest(), notices)
    text = (
        "the model file holds no normal rows to compare with, as it was made by an older version, so what "
        "was expected is not known; retrain"
    )
    assert (found.warnings, notices.texts) == ([text], [text])
    assert found.explained[0].columns[0].expected is None
