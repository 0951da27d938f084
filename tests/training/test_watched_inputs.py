"""Who watches a training hears how far its inputs are read, and how far each stage is."""

from __future__ import annotations

from typing import Any

import pytest
from support.sensors import readings
from support.tables import tiny_frame

from aedetect.config import Config
from aedetect.engine.callbacks import Callback
from aedetect.io.inputs import as_inputs
from aedetect.training.fit import fit
from aedetect.training.request import FitRequest

QUICK: dict[str, Any] = {
    "training.device": "cpu",
    "training.epochs": 2,
    "training.folds": 2,
    "model.width": 8,
}


class Heard(Callback):
    def __init__(self) -> None:
        self.text: list[tuple[object, ...]] = []

    def stage(self, text: str) -> None:
        self.text.append((text,))

    def expected(self, rows: int | None) -> None:
        self.text.append(("expected", rows))

    def rows(self, done: int) -> None:
        self.text.append(("rows", done))

    def steps(self, done: int, total: int) -> None:
        self.text.append(("steps", done, total))


def heard(frames: list[Any], **settings: Any) -> list[tuple[object, ...]]:
    config = Config.build(overrides=QUICK | settings)
    callback = Heard()
    fit(FitRequest(as_inputs(frames, config.data), config, callback))
    return callback.text


def test_reading_is_told_over_all_inputs() -> None:
    text = heard([tiny_frame(100), tiny_frame(50)])
    assert text[:4] == [("reading",), ("expected", 150), ("rows", 100), ("rows", 150)]


def test_series_too() -> None:
    text = heard([readings(1)], **{"series.time": "time", "series.window": 12})
    assert text[:3] == [("reading",), ("expected", 144), ("rows", 144)]


@pytest.mark.parametrize("stage", ["calibrating", "learning codes and repairs"])
def test_stages_that_train_tell_their_steps(stage: str) -> None:
    text = heard([tiny_frame(200)])
    after = text[text.index((stage,)) :]
    steps = [entry for entry in after[1:] if entry[0] == "steps"]
    assert steps
    assert all(0 < done <= total for _, done, total in steps)  # type: ignore[operator]
    last = [entry for entry in text if entry[0] == "steps"][-1]
    assert last[1] == last[2]
