"""A prompt in a folder with normal.csv, a model of it, and quick settings for training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from faults.kit import QUICK
from support.prompt import Prompt


@pytest.fixture
def prompt(prompt: Prompt, tiny_csv: Path, tiny_model: Path) -> Prompt:
    """A prompt in a folder that holds `normal.csv` and the model `tiny.aed` trained on it."""
    prompt.write("normal.csv", tiny_csv.read_bytes())
    prompt.write("tiny.aed", tiny_model.read_bytes())
    return replace(prompt, environment=QUICK)
