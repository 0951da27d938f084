"""Rows that are not learned from are counted, and the first is named."""

from __future__ import annotations

import numpy as np
import pytest
from support.prompt import Prompt
from support.sensors import readings
from support.tables import tiny_frame


@pytest.fixture
def train(prompt: Prompt) -> Prompt:
    return prompt.command("train", after=("-o", "m.aed", "--epochs", "1", "--json"))


def left_out(prompt: Prompt, *words: object) -> list[str]:
    warnings = prompt(*words).json()["warnings"]
    return [text for text in warnings if text.startswith("left out of training")]


def test_rows_without_use_are_named_by_their_first(train: Prompt) -> None:
    frame = tiny_frame(100).astype({"load": float, "open": object})
    frame.loc[[6, 30], "load"] = np.inf
    frame.loc[[11]] = None
    frame.to_csv(train.folder / "a.csv", index=False)
    assert left_out(train, "a.csv") == [
        "left out of training: 2 rows with a number that is infinite or beyond 3.4e38; "
        "the first is row 7 (line 8) of a.csv",
        "left out of training: 1 row without any value; it is row 12 (line 13) of a.csv",
    ]


def test_the_first_may_stand_in_a_later_input(train: Prompt) -> None:
    tiny_frame(50).assign(bad=0).to_csv(train.folder / "a.csv", index=False)
    tiny_frame(50).assign(bad=[int(row in (4, 7)) for row in range(50)]).to_csv(
        train.folder / "b.csv", index=False
    )
    assert left_out(train, "a.csv", "b.csv", "--label", "bad") == [
        "left out of training: 2 rows labelled as anomalies; the first is row 5 (line 6) of b.csv"
    ]


def test_labelled_rows_of_series_too(train: Prompt) -> None:
    frame = readings(3).assign(bad=False)
    frame.loc[40, "bad"] = True
    frame.to_parquet(train.folder / "s.parquet", index=False)
    assert left_out(train, "s.parquet", "--time", "time", "--label", "bad", "--window", "12") == [
        "left out of training: 1 row labelled as an anomaly; it is row 41 of s.parquet"
    ]
