"""Models on their way to workers: loaded once a process, refused where they will not do."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from support.engine_rows import sent

from aedetect import Detector, load
from aedetect.errors import ModelError, UsageError
from aedetect.integrations import packed_model
from aedetect.integrations.packed_model import PackedModel


def test_a_path_and_the_bytes_behind_it_are_one_model_loaded_once(tiny_model: Path) -> None:
    by_path, by_bytes = PackedModel.of(tiny_model), PackedModel.of(tiny_model.read_bytes())
    assert by_path.fitted() is by_bytes.fitted() is PackedModel.of(str(tiny_model)).fitted()
    assert by_path.fitted().device == "cpu"
    assert by_path.sha256 == hashlib.sha256(tiny_model.read_bytes()).hexdigest() == by_path.fitted().sha256


def test_it_can_be_sent_without_the_file(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.aed"
    path.write_bytes(tiny_model.read_bytes())
    model = sent(PackedModel.of(path))
    path.unlink()
    packed_model._loaded.clear()
    assert model.fitted().threshold == load(tiny_model).threshold


def test_settings_are_those_of_adjusted(tiny_model: Path) -> None:
    strict = {"threshold.alert_rate": 0.001}
    assert (
        PackedModel.of(tiny_model, strict).fitted().threshold == load(tiny_model).adjusted(strict).threshold
    )
    assert PackedModel.of(tiny_model).fitted().threshold == load(tiny_model).threshold


def test_few_models_are_held_at_once(tiny_model: Path) -> None:
    for rate in (0.01, 0.02, 0.03, 0.04, 0.05, 0.06):
        PackedModel.of(tiny_model, {"threshold.alert_rate": rate})
    assert len(packed_model._loaded) == 4
    last = PackedModel.of(tiny_model, {"threshold.alert_rate": 0.06})
    assert last.fitted() is list(packed_model._loaded.values())[-1]


def test_what_is_no_model_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    data = tiny_model.read_bytes()
    damaged = data[:-3] + bytes(3) if data[-3:] != bytes(3) else data[:-3] + b"abc"
    for model, said in (
        (
            tmp_path / "none.aed",
            f"{tmp_path}/none.aed: cannot read the model file: No such file or directory",
        ),
        (b"PAR1", "the model: not an aedetect model file (too short)"),
        (damaged, "the model: the model file is damaged (its digest does not match); restore it or retrain"),
    ):
        with pytest.raises(ModelError, match=f"^{re.escape(said)}$"):
            PackedModel.of(model)


def test_another_digest_is_refused_however_often_the_model_was_loaded(tiny_model: Path) -> None:
    model = PackedModel.of(tiny_model)
    said = f"{tiny_model}: not the model that was asked for: its SHA-256 is {model.sha256}"
    for _ in range(2):
        with pytest.raises(ModelError, match=f"^{re.escape(said)}$"):
            PackedModel.of(tiny_model, sha256="0" * 64)
    assert PackedModel.of(tiny_model, sha256=model.sha256.upper()) == model


def test_a_detector_is_to_be_saved_first(tiny_model: Path) -> None:
    said = "model must be the path of a model file, or its bytes, not Detector; a Detector is saved to a file"
    with pytest.raises(UsageError, match=f"^{re.escape(said)} first "):
        PackedModel.of(Detector())  # type: ignore[arg-type]


def test_unknown_settings_are_refused(tiny_model: Path) -> None:
    with pytest.raises(UsageError, match=r"threshold\.alert_rat.*did you mean"):
        PackedModel.of(tiny_model, {"threshold.alert_rat": 0.1})
