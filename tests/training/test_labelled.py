"""Rows labelled as anomalies, as they are handed to what weighs evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from aedetect import Detector
from aedetect.config import Config
from aedetect.io.source import TableInput
from aedetect.training.labelled import MOST_LABELLED, labelled_anomalies
from aedetect.training.profiling import profile_inputs

LABELLED = {"data.label": "bad"}
QUICK = {
    "model.architecture": "evidence",
    "model.width": 16,
    "training.epochs": 20,
    "training.device": "cpu",
}


def numbers(values: list[float], label: int, kind: str = "x") -> pa.Table:
    count = len(values)
    return pa.table({"a": values, "kind": [kind] * count, "bad": [label] * count})


SHUFFLED = np.random.default_rng(0).permutation(40).tolist()
NORMAL = pa.concat_tables([numbers([0.1 * n for n in SHUFFLED], 0, kind) for kind in "xy"])


def labelled(*tables: pa.Table, **settings: Any) -> np.ndarray:
    """Anomalies of several inputs, in values of column a."""
    config = Config.build(overrides={"scoring.batch_rows": 512, **LABELLED, **settings})
    inputs = [TableInput(table, f"t{place}") for place, table in enumerate(tables)]
    encoder = profile_inputs([TableInput(NORMAL)], Config.build(overrides={"data.exclude": ["bad"]})).encoder
    return labelled_anomalies(inputs, encoder, config)


def test_only_labelled_anomalies_are_returned_as_encoded_rows() -> None:
    anomalies = numbers([5.0, 6.0, 7.0], 1)
    matrix = labelled(pa.concat_tables([NORMAL, anomalies]), NORMAL, anomalies)
    assert matrix.shape == (6, 2)
    assert matrix.dtype == np.float32
    assert (np.diff(matrix[:3, 0]) > 0).all()
    np.testing.assert_array_equal(matrix[:3], matrix[3:])


def test_there_are_none_without_a_label_or_without_anomalies() -> None:
    anomalies = numbers([5.0], 1)
    assert labelled(anomalies, **{"data.label": None}).shape == (0, 2)
    assert labelled(NORMAL).shape == (0, 2)


def test_of_very_many_a_sample_is_enough_however_they_are_read() -> None:
    many = numbers(np.linspace(0, 3, 2 * MOST_LABELLED).tolist(), 1)
    matrix = labelled(many, **{"scoring.batch_rows": 600})
    assert len(matrix) == MOST_LABELLED
    assert (np.diff(matrix[:, 0]) > 0).all()
    assert float((matrix[:, 0] > labelled(many.slice(MOST_LABELLED, 1))[0, 0]).mean()) == pytest.approx(
        0.5, abs=0.05
    )
    np.testing.assert_array_equal(matrix, labelled(many, **{"scoring.batch_rows": 1000}))


def test_cells_that_cannot_be_read_are_missing() -> None:
    odd = pa.table({"a": ["0.5", "oops"], "kind": ["x", "never seen"], "bad": [1, 1]})
    matrix = labelled(odd)
    assert np.isfinite(matrix[0]).all()
    assert np.isnan(matrix[1, 0])
    assert np.isfinite(matrix[1, 1])


def rows(normal: int, anomalies: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Noise, and anomalies of one kind, which hardly differ from it."""
    random = np.random.default_rng(seed)
    values = random.standard_normal((normal + anomalies, 5))
    values[normal:, :2] = [1.6, -1.6] + 0.4 * random.standard_normal((anomalies, 2))
    return pd.DataFrame(values, columns=list("abcde")), np.repeat([0, 1], [normal, anomalies])


@pytest.fixture(scope="module")
def aware() -> Detector:
    frame, labels = rows(400, 30, 0)
    return Detector({**QUICK, **LABELLED, "threshold.alert_rate": 0.05}).fit(frame.assign(bad=labels))


def test_known_anomalies_make_others_of_their_kind_stranger(aware: Detector) -> None:
    frame, labels = rows(400, 30, 0)
    unaware = Detector(QUICK).fit(frame[labels == 0])
    new, truth = rows(500, 100, 1)
    before, after = (roc_auc_score(truth, one.score(new).anomaly_score) for one in (unaware, aware))
    assert after > max(before + 0.07, 0.88)
    assert len(aware.fitted.calibration.scores) == len(unaware.fitted.calibration.scores) == 400
    assert len(aware.fitted.members[0].known.points) == 30
    assert len(unaware.fitted.members[0].known.points) == 0


def test_with_rows_set_aside_to_calibrate_they_do_so_too() -> None:
    frame, labels = rows(400, 30, 0)
    split = Detector({**QUICK, **LABELLED, "training.fold_below": 0}).fit(frame.assign(bad=labels))
    new, truth = rows(500, 100, 1)
    assert len(split.fitted.calibration.scores) == 80
    assert roc_auc_score(truth, split.score(new).anomaly_score) > 0.85


def test_known_anomalies_leave_the_rate_of_false_alarms_as_it_is(aware: Detector) -> None:
    new, _ = rows(2000, 0, 1)
    flagged = (aware.score(new).anomaly_score > aware.threshold).mean()
    assert 0.02 < flagged < 0.1
