"""What tests of `encode`, `decode`, `clean`, `impute` and `sample` share."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.converting import ROWS
from support.prompt import Prompt


@pytest.fixture
def convert(prompt: Prompt, tiny_model: Path) -> Prompt:
    """Any command with the tiny model, in a folder with new.csv, which holds an odd row and two gaps."""
    prompt.write("new.csv", ROWS)
    return prompt.command(after=("-m", tiny_model))


@pytest.fixture
def learned(prompt: Prompt) -> Prompt:
    """Any command with the model that the test trains itself."""
    return prompt.command(after=("-m", "m.aed"))
