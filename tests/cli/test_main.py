"""The program as a whole: help, version, and what a blink may load."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer.main
from support.networks import failing_networks
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect import __version__
from aedetect.cli.main import app

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
HEAVY = ("torch", "pandas", "pyarrow", "sklearn", "numpy", "pydantic")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_with_an_example(prompt: Prompt, command: str) -> None:
    result = prompt(command, "--help", width=300)
    assert result.exit_code == 0
    assert f"Example: aedetect {command} " in result.stdout
    assert all(option in result.stdout for option in ("--json", "--quiet", "--verbose"))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_first_help_names_every_command(prompt: Prompt, command: str) -> None:
    assert f"  {command} " in prompt("--help").stdout


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["score", "--help"], ["train", "-h"]])
def test_help_loads_nothing_heavy(prompt: Prompt, words: Sequence[str]) -> None:
    # Typer itself loads pydantic to read the options of a command.
    heavy = HEAVY[:-1] if len(words) > 1 else HEAVY
    result = prompt.process(*words, environment={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert result.exit_code == 0
    assert "aedetect.cli.main" in loaded
    assert loaded & set(heavy) == set()


def test_version(prompt: Prompt) -> None:
    result = prompt("--version")
    assert (result.exit_code, result.stdout) == (0, f"aedetect {__version__}\n")


@pytest.mark.parametrize("words", [["sore"], ["score", "--nope"], ["score", "x.csv"], ["inspect"], []])
def test_wrong_use_is_2_without_a_traceback(prompt: Prompt, words: list[str]) -> None:
    result = prompt(*words)
    assert result.exit_code == 2
    assert "Usage: " in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["score", "--help"]])
def test_a_closed_pipe_is_quiet(prompt: Prompt, words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = prompt.process(*words, stdout=writing)
    os.close(writing)
    assert (result.exit_code, result.stderr) == (141, "")


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_a_full_device_is_5(prompt: Prompt, words: list[str]) -> None:
    result = prompt.process(*words, shell='exec "$@" > /dev/full')
    assert result.exit_code == 5
    assert result.stderr == "error: standard output: cannot be written: No space left on device\n"


def test_a_bug_shows_its_traceback_and_where_to_go(prompt: Prompt, tiny_model: Path) -> None:
    def fail() -> None:
        raise ZeroDivisionError("ours")

    tiny_frame(20).to_csv("in.csv", index=False)
    with failing_networks(fail):
        result = prompt("score", "in.csv", "-m", tiny_model)
    assert result.exit_code == 1
    assert "ZeroDivisionError: ours\n" in result.stderr
    assert result.stderr.endswith(
        "This is a bug in aedetect. Please report it, with the lines above, in the project's issue tracker.\n"
    )
