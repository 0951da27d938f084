"""A model of several machines, beside the one of a small table that all tests have."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sensors import readings

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
