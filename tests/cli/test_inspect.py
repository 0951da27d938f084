"""`aedetect inspect`: what is in a model file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from support.prompt import Prompt

import aedetect
from aedetect.scoring.model_header import FORMAT_VERSION


@pytest.fixture
def inspect(prompt: Prompt) -> Prompt:
    return prompt.command("inspect")


def test_json_says_what_the_model_says(inspect: Prompt, tiny_model: Path) -> None:
    result = inspect(tiny_model, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found["threshold"] == aedetect.load(tiny_model).threshold
    assert found["sha256"] == hashlib.sha256(tiny_model.read_bytes()).hexdigest()
    assert [column["name"] for column in found["columns"]] == ["temp", "load", "site", "open"]
    assert (found["command"], found["format_version"], found["exit_code"]) == ("inspect", FORMAT_VERSION, 0)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([], ["categorical", "3 distinct values", "threshold"]),
        (["-v"], ["training.epochs", "calibration.scores"]),
    ],
)
def test_people_see_columns_settings_and_tensors(
    inspect: Prompt, tiny_model: Path, words: list[str], shown: list[str]
) -> None:
    text = inspect(tiny_model, *words).stdout
    assert all(word in text for word in shown)


def test_quiet_says_nothing(inspect: Prompt, tiny_model: Path) -> None:
    result = inspect(tiny_model, "-q")
    assert (result.exit_code, result.output) == (0, "")


def test_a_missing_model_is_4(inspect: Prompt, tmp_path: Path) -> None:
    path = tmp_path / "none.aed"
    result = inspect(path)
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == f"error: {path}: cannot read the model file: No such file or directory\n"


def test_a_missing_model_is_4_in_json_too(inspect: Prompt, tmp_path: Path) -> None:
    result = inspect(tmp_path / "none.aed", "--json")
    assert (result.exit_code, result.stdout) == (4, "")
    assert list(json.loads(result.stderr)) == ["command", "error", "exit_code"]


def test_a_model_card_in_markdown(inspect: Prompt, tiny_model: Path) -> None:
    result = inspect(tiny_model, "--format", "md")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("# Model card: tiny.aed\n")
    for shown in (
        "| rows learned | 200 |",
        "| site | categorical |",
        "- `training.epochs` = 2",
        "## Training",
    ):
        assert shown in result.stdout


def test_formats_are_the_same_as_their_flags(inspect: Prompt, tiny_model: Path) -> None:
    assert inspect(tiny_model, "--format", "json").stdout == inspect(tiny_model, "--json").stdout
