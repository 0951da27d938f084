"""Who watches a training hears how far each stage is."""

from __future__ import annotations

from typing import Any

import pytest
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

    def steps(self, done: int, total: int) -> None:
        self.text.append(("steps", done, total))


def heard(frames: list[Any], **settings: Any) -> list[tuple[object, ...]]:
    config = Config.build(overrides=QUICK | settings)
    callback = Heard()
    fit(FitRequest(as_inputs(frames, config.data), config, callback))
    return callback.text


@pytest.mark.parametrize("stage", ["calibrating", "learning codes and repairs"])
def test_stages_that_train_tell_their_steps(stage: str) -> None:
    text = heard([tiny_frame(200)])
    after = text[text.index((stage,)) :]
    steps = [entry for entry in after[1:] if entry[0] == "steps"]
    assert steps
    assert all(0 < done <= total for _, done, total in steps)  # type: ignore[operator]
    last = [entry for entry in text if entry[0] == "steps"][-1]
    assert last[1] == last[2]
