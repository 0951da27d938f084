"""Anomalies hidden in the training data."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from aedetect import Detector
from aedetect.engine.callbacks import Callback

QUICK = {"training.epochs": 30, "training.folds": 2, "model.width": 32}


def rows(normal: int, anomalies: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Points near a plane, and a tight group of anomalies off it."""
    random = np.random.default_rng(seed)
    plane = random.standard_normal((normal, 2))
    good = np.column_stack([plane, plane.sum(axis=1), plane[:, 0] - plane[:, 1]])
    good += 0.1 * random.standard_normal(good.shape)
    bad = [4.0, 4.0, -6.0, 6.0] + 0.2 * random.standard_normal((anomalies, 4))
    return pd.DataFrame(np.concatenate([good, bad]), columns=list("abcd")), np.repeat(
        [0, 1], [normal, anomalies]
    )


class Notices(Callback):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def notice(self, text: str) -> None:
        self.heard.append(text)


def precision(contamination: object) -> float:
    detector = Detector({**QUICK, "training.contamination": contamination}).fit(rows(570, 30, 0)[0])
    new, labels = rows(300, 30, 1)
    return float(average_precision_score(labels, detector.score(new).anomaly_score))


@pytest.mark.slow
@pytest.mark.parametrize("contamination", ["auto", pytest.param(0.05, marks=pytest.mark.slow)])
def test_a_hidden_group_does_not_vouch_for_its_kind(contamination: object) -> None:
    assert precision(0.0) < 0.6
    assert precision(contamination) > 0.9


@pytest.mark.slow
def test_a_stated_share_of_anomalies_does_not_set_the_threshold() -> None:
    data = rows(570, 30, 0)[0]
    loose = Detector({**QUICK, "training.contamination": "auto"}).fit(data)
    strict = Detector({**QUICK, "training.contamination": 0.05}).fit(data)
    assert len(loose.fitted.calibration.scores) == 600
    assert len(strict.fitted.calibration.scores) == 570


@pytest.mark.slow
def test_rows_apart_from_the_rest_bring_a_warning() -> None:
    callback = Notices()
    Detector(QUICK).fit(rows(570, 30, 0)[0], callback=callback)
    (found,) = callback.heard
    assert found.endswith(
        "% of the training rows lie well apart from the rest; "
        "if anomalies may hide among them, train with --contamination auto"
    )


@pytest.mark.parametrize(("anomalies", "settings"), [(0, {}), (30, {"training.contamination": "auto"})])
def test_no_warning_without_need(anomalies: int, settings: dict[str, object]) -> None:
    callback = Notices()
    Detector({**QUICK, **settings}).fit(rows(570, anomalies, 0)[0], callback=callback)
    assert callback.heard == []
