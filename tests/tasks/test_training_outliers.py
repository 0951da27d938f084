"""Training rows that look anomalous themselves."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from support.sensors import readings
from support.tables import tiny_frame

from aedetect import Detector
from aedetect.io.inputs import as_inputs
from aedetect.tasks.training_outliers import TrainingOutliers, outlier_candidates

QUICK = {"training.epochs": 20, "training.folds": 2, "training.device": "cpu", "model.width": 16}


def candidates(frame: pd.DataFrame, **settings: object) -> TrainingOutliers | None:
    model = Detector({**QUICK, **{name.replace("__", "."): value for name, value in settings.items()}})
    return outlier_candidates(model.fit(frame).fitted, as_inputs(frame, model.config.data))


@pytest.fixture
def spoiled() -> pd.DataFrame:
    frame = tiny_frame(1000)
    frame.loc[[17, 400], "load"] = [900.0, -700.0]
    return frame


def test_rows_that_look_anomalous_are_counted_and_explained(spoiled: pd.DataFrame) -> None:
    found = candidates(spoiled)
    assert found is not None
    assert 2 <= found.count <= 4
    assert {18, 401} <= {one.row for one in found.shown}
    assert found.shown[0].columns[0].column == "load"


def test_rows_that_are_labelled_are_known_already(spoiled: pd.DataFrame) -> None:
    labelled = spoiled.assign(fault=spoiled.index.isin([17, 400]).astype(int))
    found = candidates(labelled, data__label="fault")
    assert found is not None
    assert not {18, 401} & {one.row for one in found.shown}


def test_normal_rows_are_none() -> None:
    found = candidates(tiny_frame(1000))
    assert found is not None
    assert found.count <= 1


def test_nobody_looks_through_series_and_long_tables() -> None:
    frame = readings(4)
    assert candidates(frame, series__time="time", series__window=24) is None
    table = tiny_frame(200)
    fitted = Detector(QUICK).fit(table).fitted
    long = replace(fitted, training=fitted.training.model_copy(update={"rows": 200_001}))
    assert outlier_candidates(long, as_inputs(table, fitted.config.data)) is None
