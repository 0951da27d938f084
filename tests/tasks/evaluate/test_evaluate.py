"""Scores held against labels: which labels will do, and what the threshold promises."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.tables import tiny_frame

from aedetect import Config, Detector
from aedetect.errors import UsageError
from aedetect.io.inputs import as_inputs
from aedetect.tasks.evaluate import EvaluateRequest, Evaluation, evaluate
from aedetect.tasks.evaluate.sentences import promise
from aedetect.tasks.report import ReportRequest, report

QUICK = {"training.epochs": 2, "training.folds": 2, "training.device": "cpu", "model.width": 16}


LEARNED = {"data.roles": {"fraud": "boolean"}}


def fit(frame: pd.DataFrame, **settings: object) -> Detector:
    return Detector({**QUICK, **settings}).fit(frame)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return fit(tiny_frame(400))


def new_rows() -> pd.DataFrame:
    frame = tiny_frame(200, seed=5)
    odd = np.arange(200) % 10 == 3
    frame.loc[odd, "load"] = np.linspace(-100, 200, odd.sum()).round(2)
    return frame.assign(fraud=odd.astype(int))


def evaluated(model: Detector, frame: pd.DataFrame, **request: object) -> Evaluation:
    return evaluate(model.fitted, as_inputs(frame, model.config.data), EvaluateRequest(**request))  # type: ignore[arg-type]


def refused(name: str) -> str:
    return (
        f"--label: the model learned column {name!r}, so its scores already tell the labels; retrain with "
        f"--label {name} or --exclude {name}, or name another column"
    )


def test_labels_that_the_model_learned_are_refused(detector: Detector) -> None:
    learned = fit(new_rows(), **LEARNED)
    for model, name in ((learned, "fraud"), (detector, "site"), (detector, "open")):
        inputs = as_inputs(new_rows(), model.config.data)
        with pytest.raises(UsageError) as raised:
            evaluate(model.fitted, inputs, EvaluateRequest(label=name))
        assert str(raised.value) == refused(name)
        with pytest.raises(UsageError) as raised:
            report(model.fitted, inputs, ReportRequest(label=name))
        assert str(raised.value) == refused(name)


def test_a_column_that_was_always_the_same_tells_the_labels_too() -> None:
    model = fit(tiny_frame(400).assign(fraud=0), **{"data.columns": ["temp", "load", "fraud"]})
    assert "fraud" in model.fitted.encoder.state.constant
    with pytest.raises(UsageError) as raised:
        evaluated(model, new_rows(), label="fraud")
    assert str(raised.value) == refused("fraud")


def test_labels_of_training_are_not_learned() -> None:
    model = Detector({**QUICK, "data.label": "fraud"}).fit(new_rows())
    assert evaluated(model, new_rows()).label == "fraud"


def test_a_second_model_is_named(detector: Detector) -> None:
    learned = fit(new_rows().rename(columns={"fraud": "is fraud"}), **{"data.roles": {"is fraud": "boolean"}})
    with pytest.raises(UsageError) as raised:
        evaluated(
            detector,
            new_rows().rename(columns={"fraud": "is fraud"}),
            label="is fraud",
            compare=learned.fitted,
        )
    assert str(raised.value) == (
        "--label: the second model learned column 'is fraud', so its scores already tell the labels; retrain "
        "with --label 'is fraud' or --exclude 'is fraud', or name another column"
    )


@pytest.mark.parametrize(
    ("settings", "rate", "ending"),
    [
        ({"threshold.alert_rate": 0.05}, 0.05, "; promised at most 5.00%: "),
        ({"threshold.value": 3.0}, None, "; nothing was promised, as the threshold was set by hand"),
    ],
)
def test_the_threshold_and_its_promise_are_those_of_the_policy(
    detector: Detector, settings: dict[str, float], rate: float | None, ending: str
) -> None:
    model = detector.adjusted(Config.build(overrides=settings))
    found = evaluated(model, new_rows(), label="fraud")
    told = found.as_dict()
    assert (told["threshold"], told["alert_rate"]) == (model.threshold, rate)
    assert told["false_alarms"]["promised"] == rate
    assert ending in promise(found.judged)
    made = report(model.fitted, as_inputs(new_rows(), model.config.data), ReportRequest(label="fraud"))
    assert made.as_dict()["threshold"] == model.threshold
    assert ("Nothing was promised, as the threshold was set by hand." in made.verdict) == (rate is None)
    assert ("false alarms accepted" in made.html()) == (rate is not None)


def test_other_alert_rates_follow_the_same_rule(detector: Detector) -> None:
    found = evaluated(detector, new_rows(), label="fraud", alert_rates=[0.2, 0.01])
    for rate in (0.2, 0.01):
        fitted = detector.fitted.with_threshold(alert_rate=rate)
        assert found.at_rates[rate].threshold == fitted.threshold
    assert [entry["alert_rate"] for entry in found.as_dict()["at_alert_rates"]] == [0.2, 0.01]


def test_an_evaluation_is_told_in_a_line(detector: Detector) -> None:
    found = evaluated(detector, new_rows(), label="fraud")
    at = found.judged.confusion
    assert found.judged.auroc is not None
    assert repr(found) == (
        f"<Evaluation by 'fraud': 200 rows, 20 anomalies, AUROC {found.judged.auroc.value:.3f}; at threshold "
        f"{at.threshold:.4g}: {at.caught} caught, {at.false_alarms} false alarms>"
    )
