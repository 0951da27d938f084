"""A model of several machines, beside the one of a small table that all tests have."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.sensors import readings
from support.transcripts import Player, Step

from aedetect import Detector


@pytest.fixture(scope="session")
def pumps_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file of time series, trained on three machines."""
    path = tmp_path_factory.mktemp("pumps") / "pumps.aed"
    settings = {
        "series.time": ["time"], "series.entity": ["machine"], "model.width": 16,
        "training.epochs": 2, "training.device": "cpu",
    }  # fmt: skip
    Detector(settings).fit(readings(6, 3)).save(path)
    return path


@pytest.fixture
def page_folder(tmp_path: Path, pumps_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what docs/engines.md speaks of, which becomes the working directory."""
    player = Player(tmp_path)
    training = "aedetect train sample_data/connections_normal.csv -o connections.aed --label label"
    player.play(Step("console", training))
    shutil.copy(pumps_model, tmp_path / "pumps.aed")
    monkeypatch.chdir(tmp_path)
    return tmp_path
