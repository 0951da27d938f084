"""Files of settings that are read back as they were."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aedetect.config import Config
from aedetect.tasks.tune.settings_file import settings_text

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def read_back(config: Config, comments: list[str]) -> Config:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "best.toml")
        path.write_text(settings_text(config, comments), encoding="utf-8", newline="")
        return Config.build(path)


@settings(max_examples=40)
@given(label=NAMES, role=NAMES, comment=st.text(max_size=30))
def test_any_name_of_a_column_comes_back(label: str, role: str, comment: str) -> None:
    config = Config.build(
        overrides={"data.label": label, "data.roles": {role: "numeric"}, "training.learning_rate": 3e-5}
    )
    assert read_back(config, [comment]) == config


@pytest.mark.parametrize(
    "given_settings",
    [
        {},
        {"data.id": ["a b", 'c"d'], "data.header": False, "data.skip_rows": 2},
        {"series.time": ["day", "hour"], "series.window": "6h", "training.contamination": "auto"},
        {"training.max_time": "10m", "series.every": "5min", "series.adapt": "off", "data.delimiter": "\t"},
        {"training.learning_rate": 1e-7, "threshold.alert_rate": 0.001, "model.latent_dim": 3},
    ],
)
def test_settings_come_back(given_settings: dict[str, Any]) -> None:
    config = Config.build(overrides=given_settings)
    assert read_back(config, ["one", "two"]) == config


def test_only_what_is_set_is_written() -> None:
    config = Config.build(overrides={"model.width": 64, "data.id": ["no"]})
    assert settings_text(config, ["why"]) == '# why\n\n[data]\nid = ["no"]\n\n[model]\nwidth = 64\n'
