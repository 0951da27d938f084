"""Training on time series; an interrupted training goes on and ends as an uninterrupted one does."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.processes import PROGRAM
from support.sensors import readings

from aedetect.config import Config
from aedetect.engine.callbacks import Callback, Progress
from aedetect.errors import DataError, ModelError, UsageError
from aedetect.io.inputs import as_inputs
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.model_file import read_model_file
from aedetect.training.fit import fit
from aedetect.training.request import FitRequest

WINDOW = 24
QUICK = {
    "series.time": "time",
    "series.entity": ["machine"],
    "series.window": WINDOW,
    "training.device": "cpu",
    "training.epochs": 4,
    "training.folds": 2,
    "training.patience": 99,
    "training.checkpoint_every": 1e-9,
    "model.width": 8,
    "model.architecture": "convolutional",
}
# Days of two machines: few windows are folded, many are not.
FEW, MANY = 3, 9
NOTHING_TO_RESUME = (
    "there is nothing to resume: this architecture learns in one pass and keeps no checkpoints; "
    "training starts from the beginning"
)


class Killed(BaseException):
    """As a signal would, it passes by everything."""


class Listening(Callback):
    """Keeps notices; stops the training of a network at its evaluation number `at`."""

    def __init__(self, network: int = -1, at: int = 0):
        self.network, self.at = network, at
        self.notices: list[str] = []
        self.evaluated: list[int] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def training(self, member: int, members: int, progress: Progress) -> None:
        self.evaluated.append(member)
        if member == self.network and self.evaluated.count(member) == self.at:
            raise Killed


def fitted(
    days: float = FEW, callback: Callback | None = None, path: Path | None = None, resume: bool = False,
    frame: pd.DataFrame | None = None, **settings: Any,
) -> FittedModel:  # fmt: skip
    changed = {name.replace("__", "."): value for name, value in settings.items()}
    config = Config.build(overrides=QUICK | changed)
    inputs = as_inputs(readings(days, 2) if frame is None else frame, config.data)
    return fit(FitRequest(inputs, config, callback or Callback(), path, resume))


def killed(path: Path, network: int, at: int, **settings: Any) -> None:
    with pytest.raises(Killed):
        fitted(callback=Listening(network, at), path=path, **settings)


def bits(model: FittedModel) -> dict[str, bytes]:
    return {name: np.asarray(tensor).tobytes() for name, tensor in model.tensors().items()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.aed.checkpoint"


@pytest.mark.parametrize(
    ("days", "network", "at"),
    [(FEW, 0, 3), (FEW, 1, 5), (MANY, 0, 6)],
    ids=["first of two", "second of two", "single"],
)
def test_a_killed_training_ends_like_an_uninterrupted_one(
    path: Path, days: float, network: int, at: int
) -> None:
    whole = Listening()
    expected = fitted(days, whole)
    evaluations = {member: whole.evaluated.count(member) for member in set(whole.evaluated)}
    killed(path, network, at, days=days)
    again = Listening()
    resumed = fitted(days, again, path, resume=True)
    assert bits(resumed) == bits(expected)
    assert resumed.training.members == expected.training.members
    # The checkpoint is that of the evaluation before; networks that were done are not trained again.
    assert {member: again.evaluated.count(member) for member in set(again.evaluated)} == {
        member: count - (at - 1 if member == network else 0)
        for member, count in evaluations.items()
        if member >= network
    }
    assert again.notices == whole.notices


def test_a_checkpoint_of_other_readings_is_refused(path: Path) -> None:
    killed(path, 0, 3)
    changed = readings(FEW, 2)
    # Nothing that the first pass counts is changed by it.
    changed.loc[[10, 11], "temp"] = changed.loc[[11, 10], "temp"].to_numpy()
    with pytest.raises(ModelError) as caught:
        fitted(path=path, resume=True, frame=changed)
    assert str(caught.value) == (
        f"{path}: this checkpoint was made with other data or settings; "
        "repeat the same command, or drop --resume to start over"
    )


def test_a_checkpoint_of_other_settings_is_refused(path: Path) -> None:
    killed(path, 0, 3)
    changes: list[dict[str, Any]] = [{"training__seed": 1}, {"series__window": 20}, {"series__causal": True}]
    for settings in changes:
        with pytest.raises(ModelError, match="this checkpoint was made with other data or settings"):
            fitted(path=path, resume=True, **settings)


def test_without_resume_an_old_checkpoint_is_passed_over(path: Path) -> None:
    killed(path, 0, 3)
    assert bits(fitted(path=path)) == bits(fitted())


@pytest.mark.parametrize("days", [FEW, 45], ids=["folds", "single"])
def test_an_architecture_without_weights_has_nothing_to_resume_and_says_so(path: Path, days: float) -> None:
    plain, resuming = Listening(), Listening()
    expected = fitted(days, plain, path, model__architecture="patches")
    assert not path.exists()
    found = fitted(days, resuming, path, resume=True, model__architecture="patches")
    assert bits(found) == bits(expected)
    assert resuming.notices == [*plain.notices, NOTHING_TO_RESUME]


def test_nor_does_it_take_the_checkpoint_of_another(path: Path) -> None:
    killed(path, 0, 3)
    with pytest.raises(ModelError, match="this checkpoint was made with other data or settings"):
        fitted(path=path, resume=True, model__architecture="patches")


def test_resuming_needs_a_checkpoint() -> None:
    with pytest.raises(UsageError) as caught:
        fitted(resume=True)
    assert str(caught.value) == (
        "resuming needs the checkpoint that an interrupted training left; name its file"
    )


def test_members_and_calibration_follow_the_length() -> None:
    folded, single = fitted(FEW), fitted(MANY)
    assert (len(folded.members), folded.training.calibration) == (2, "cross-conformal")
    assert (len(single.members), single.training.calibration) == (1, "split-conformal")
    # Every row of folds calibrates once, of long series a fifth.
    assert len(folded.calibration.scores) == FEW * 2 * 144
    assert len(single.calibration.scores) == pytest.approx(0.2 * MANY * 2 * 144, rel=0.05)


def test_folds_without_weights_make_one_model_of_all_windows() -> None:
    model = fitted(model__architecture="patches")
    assert (len(model.members), model.training.calibration) == (1, "cross-conformal")
    assert model.training.members[0].rows == 2 * (FEW * 144 - WINDOW + 1)


def test_too_few_rows_for_a_window_to_be_judged() -> None:
    frame = readings(1).head(30).drop(columns="machine")
    with pytest.raises(DataError) as caught:
        fitted(frame=frame, series__entity=[])
    assert str(caught.value).endswith(
        "too few rows for a window of 24 and others to judge it by; give more rows or a shorter --window"
    )


@pytest.mark.slow
def test_a_process_killed_in_training_ends_like_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    readings(MANY, 2).to_csv("in.csv", index=False)
    for name, value in QUICK.items():
        if name.startswith(("training.", "model.")) and name != "training.epochs":
            monkeypatch.setenv("AEDETECT_" + name.replace(".", "_").upper(), str(value))
    monkeypatch.setenv("AEDETECT_TRAINING_CHECKPOINT_EVERY", "0.000001")
    words = [*PROGRAM, "train", "in.csv", "--time", "time", "--entity", "machine", "--window", "24",
             "--epochs", "12", "-o"]  # fmt: skip
    with subprocess.Popen([*words, "killed.aed", "-v"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        # The second evaluation is told of once the first one's checkpoint is written.
        told = 0
        while told < 2:
            line = process.stderr.readline()
            assert line, "ended too early"
            told += ", step " in line
        process.kill()
    assert Path("killed.aed.checkpoint").exists()
    assert not Path("killed.aed").exists()
    for name, resume in (("killed.aed", ["--resume"]), ("whole.aed", [])):
        subprocess.run([*words, name, *resume, "-q"], check=True)
    tensors = [read_model_file(name)[1] for name in ("killed.aed", "whole.aed")]
    assert tensors[0].keys() == tensors[1].keys()
    assert all(tensors[0][name].tobytes() == tensors[1][name].tobytes() for name in tensors[0])
    assert sorted(os.listdir()) == ["in.csv", "killed.aed", "whole.aed"]
