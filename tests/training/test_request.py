"""What is asked of a training, and how long it may take."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aedetect.config import Config
from aedetect.errors import UsageError
from aedetect.io.source import TableInput
from aedetect.scoring.fitted import FittedModel
from aedetect.training.request import FitRequest, TrainingRun

INPUTS = (TableInput(pa.table({"a": [1.0]}), "in.csv"),)


def config(**settings: Any) -> Config:
    return Config.build(overrides={name.replace("__", "."): value for name, value in settings.items()})


def refusal(request: FitRequest) -> str:
    with pytest.raises(UsageError) as caught:
        TrainingRun.begin(request)
    return str(caught.value)


@pytest.fixture(scope="module")
def older(tiny_model: Path) -> FittedModel:
    return FittedModel.load(tiny_model, device="cpu")


def test_an_older_model_says_how_the_network_is_built(older: FittedModel) -> None:
    run = TrainingRun.begin(FitRequest(INPUTS, config(model__width=99), older=older))
    assert run.config.model == older.config.model
    assert run.start is not None
    assert [ancestor.then for ancestor in run.start.lineage] == ["trained on"]
    assert TrainingRun.begin(FitRequest(INPUTS, config(model__width=99))).config.model.width == 99


def test_series_do_not_go_on_from_an_older_model(older: FittedModel) -> None:
    assert refusal(FitRequest(INPUTS, config(series__time="t"), older=older)) == (
        "--from goes with tables; a model of time series is retrained"
    )


def test_resuming_needs_a_checkpoint() -> None:
    assert refusal(FitRequest(INPUTS, Config(), resume=True)) == (
        "resuming needs the checkpoint that an interrupted training left; name its file"
    )


def test_the_time_that_is_left_is_shared_among_those_waiting() -> None:
    run = TrainingRun.begin(FitRequest(INPUTS, config(training__max_time="1h")))
    now = time.monotonic()
    shares = [run.deadline_of_next(waiting) for waiting in (1, 2, 4)]
    assert [share - now for share in shares if share] == pytest.approx([3600, 1800, 900], abs=10)


def test_without_a_limit_there_is_no_deadline() -> None:
    run = TrainingRun.begin(FitRequest(INPUTS, Config()))
    assert run.deadline_of_next(3) is None


def test_what_is_learned_from_is_read_for_checkpoints_alone(tmp_path: Path) -> None:
    def refuse() -> str:
        raise AssertionError("asked without need")

    assert not TrainingRun.begin(FitRequest(INPUTS, Config())).checkpointer(refuse).has_checkpoint
    path = tmp_path / "m.checkpoint"
    asked = TrainingRun.begin(FitRequest(INPUTS, Config(), checkpoint=path)).checkpointer(lambda: "this")
    assert asked.path == path
