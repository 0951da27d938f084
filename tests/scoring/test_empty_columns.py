"""A column that holds nothing in an input, though it did in training, decides no verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.tables import tiny_frame

import aedetect
from aedetect.io.inputs import as_inputs
from aedetect.scoring.empty_columns import empty_columns, filled_in

NAMES = ["temp", "load", "open", "site", "plant"]


def seldom(rows: int) -> np.ndarray[Any, Any]:
    return np.where(np.arange(rows) % 10, np.nan, np.arange(rows) // 10 % 7)


@pytest.fixture(scope="module")
def detector() -> aedetect.Detector:
    frame = tiny_frame(1000).assign(plant="A", seldom=seldom(1000))
    settings = {"training.epochs": 2, "training.folds": 2, "training.device": "cpu", "model.width": 16}
    return aedetect.Detector(settings).fit(frame)


def fresh(rows: int = 400, **changes: Any) -> pd.DataFrame:
    frame = tiny_frame(rows, seed=1).assign(plant="A", seldom=seldom(rows))
    return frame.assign(**changes)


def empty(detector: aedetect.Detector, frame: pd.DataFrame) -> list[str]:
    (source,) = as_inputs(frame, detector.config.data)
    return empty_columns(detector.fitted, source)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_column_flags_no_more_rows_than_usual(detector: aedetect.Detector, name: str) -> None:
    frame = fresh(**{name: None})
    assert empty(detector, frame) == [name]
    with pytest.warns(UserWarning, match="is empty in all rows") as warned:
        scored = detector.score(frame)
    assert scored["is_anomaly"].mean() <= 0.04
    assert not scored.loc[scored["is_anomaly"], "anomaly_features"].str.contains(name).any()
    assert [str(one.message) for one in warned] == [
        f"data: column {name!r} is empty in all rows, and was not in training: rows are judged by the "
        "other columns"
    ]


def test_several_are_named_in_one_line_and_are_drift(detector: aedetect.Detector) -> None:
    frame = fresh(site=None, plant=None)
    with pytest.warns(UserWarning, match="columns 'site', 'plant' are empty in all rows, and were not"):
        detector.score(frame)
    assert detector.drift(frame).drifted == ["site", "plant"]


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (fresh(), "none is empty"),
        (fresh(49, temp=None), "few rows tell little"),
        (fresh(60, seldom=np.nan), "it mostly was in training"),
        (fresh(2000, temp=[None] * 1999 + [20.0]), "the last row has a value"),
        (fresh(**dict.fromkeys([*NAMES, "seldom"])), "no other column is left"),
    ],
)
def test_a_column_is_judged_where_it_tells(
    detector: aedetect.Detector, frame: pd.DataFrame, why: str
) -> None:
    assert empty(detector, frame) == [], why


def test_what_stands_in_is_the_nearest_normal_rows(detector: aedetect.Detector) -> None:
    fitted = detector.fitted
    rows = fitted.normal_rows[:5].copy()
    place = fitted.encoder.owners.index("temp")
    rows[:, place] = np.nan
    filled = filled_in(rows, fitted, ["temp"])
    np.testing.assert_array_equal(filled, fitted.normal_rows[:5])
    np.testing.assert_array_equal(filled_in(rows, fitted, ["plant"]), rows)
