"""What a training of tables and one of time series have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.sensors import readings
from support.tables import tiny_frame

from aedetect.config import Config
from aedetect.data.schema import Schema
from aedetect.engine.callbacks import Callback
from aedetect.io.inputs import as_inputs
from aedetect.scoring.fitted import FittedModel
from aedetect.training.fit import fit
from aedetect.training.request import FitRequest

TABLE = {"training.device": "cpu", "training.epochs": 1, "training.folds": 2, "model.width": 8}
SERIES = TABLE | {"series.time": "time", "series.entity": ["machine"], "series.window": 12}


class Heard(Callback):
    def __init__(self) -> None:
        self.stages: list[str] = []
        self.roles: list[str] = []

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def columns(self, schema: Schema) -> None:
        self.roles += [column.role for column in schema.columns]


def fitted(frame: pd.DataFrame, settings: dict[str, Any], callback: Callback | None = None) -> FittedModel:
    config = Config.build(overrides=settings)
    return fit(FitRequest(as_inputs(frame, config.data), config, callback or Callback()))


@pytest.mark.parametrize(
    ("frame", "settings", "stages", "roles"),
    [
        (
            tiny_frame(100),
            TABLE,
            ["reading", "encoding", "training", "calibrating", "learning codes and repairs"],
            ["numeric", "numeric", "categorical", "boolean"],
        ),
        (
            readings(1, 2),
            SERIES,
            ["reading", "training"],
            ["time", "entity", "numeric", "numeric", "boolean"],
        ),
    ],
    ids=["table", "series"],
)
def test_stages_columns_and_what_is_noted_of_the_training(
    frame: pd.DataFrame, settings: dict[str, Any], stages: list[str], roles: list[str]
) -> None:
    callback = Heard()
    model = fitted(frame, settings, callback)
    assert callback.stages == stages
    assert callback.roles == roles
    training = model.training
    assert (training.rows, training.device, training.lineage) == (len(frame), "cpu", ())
    assert set(training.versions) == {"aedetect", "torch", "numpy"}
    assert training.calibration == "cross-conformal"
    assert len(training.members) == len(model.members)
    assert training.seconds > 0


@pytest.mark.parametrize(("frame", "settings"), [(tiny_frame(100), TABLE), (readings(1, 2), SERIES)])
def test_scores_are_in_units_of_the_median_of_the_calibration_set(
    frame: pd.DataFrame, settings: dict[str, Any]
) -> None:
    scores = fitted(frame, settings).calibration.scores
    assert np.median(scores) == pytest.approx(1.0, rel=1e-4)
    assert len(scores) == len(frame)


@pytest.mark.parametrize(("frame", "settings"), [(tiny_frame(100), TABLE), (readings(1, 2), SERIES)])
def test_the_share_said_to_be_anomalous_calibrates_nothing(
    frame: pd.DataFrame, settings: dict[str, Any]
) -> None:
    scores = fitted(frame, settings | {"training.contamination": 0.1}).calibration.scores
    assert len(scores) == len(frame) - round(0.1 * len(frame))
