"""What is said of an input as a whole: of rare categories where there are more than are to be expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import aedetect
from aedetect.io.inputs import as_inputs
from aedetect.tasks.input_warnings import InputWarnings

SETTINGS = {"training.epochs": 1, "training.folds": 2, "training.device": "cpu", "model.width": 16}
START = "data: column 'town': "


def table(seed: int, rows: int = 600) -> pd.DataFrame:
    """Towns of which new ones keep coming, and colours of which none do."""
    random = np.random.default_rng(seed)
    shares = 1 / np.arange(1, 201)
    towns = random.choice(200, rows, p=shares / shares.sum())
    colours = random.choice(["red", "green"], rows)
    return pd.DataFrame(
        {"town": [f"town {one}" for one in towns], "colour": colours, "a": random.normal(size=rows)}
    )


@pytest.fixture(scope="module")
def detector() -> aedetect.Detector:
    return aedetect.Detector(SETTINGS).fit(table(0))


def said(detector: aedetect.Detector, frame: pd.DataFrame) -> list[str]:
    (source,) = as_inputs(frame, detector.config.data)
    warnings = InputWarnings(source, detector.fitted)
    before = 0
    for batch in source.open(100).batches():
        warnings.see(detector.fitted.encoder.transform(batch), before)
        before += len(batch)
    return warnings.conclude(before)


@pytest.mark.parametrize("seed", range(1, 6))
def test_as_many_rare_categories_as_are_to_be_expected_are_no_news(detector: Any, seed: int) -> None:
    assert said(detector, table(seed)) == []


def test_more_than_that_are(detector: aedetect.Detector) -> None:
    frame = table(1)
    frame.loc[:199, "town"] = "Atlantis"
    (text,) = said(detector, frame)
    assert text.startswith(START)
    assert " rows with a rare category or one never seen (" in text
    assert " are to be expected, up to " in text
    assert "by chance): 'Atlantis' in 200 rows, '" in text


def test_a_category_in_another_case_is_always_named(detector: aedetect.Detector) -> None:
    frame = table(1)
    frame.loc[:2, "town"] = "TOWN 1"
    (text,) = said(detector, frame)
    assert text.endswith(": 'TOWN 1' in 3 rows ('town 1' in another case?)")


def test_where_none_was_rare_one_is_news(detector: aedetect.Detector) -> None:
    frame = table(1)
    frame.loc[5, "colour"] = "blue"
    assert said(detector, frame) == [
        "data: column 'colour': 1 row with a rare category or one never seen: 'blue' in 1 row"
    ]
