"""The program as a whole: help, version, and what a blink may load."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from aedetect import __version__
from aedetect.cli.main import app

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
HEAVY = ("torch", "pandas", "pyarrow", "sklearn", "numpy", "pydantic")


def program(*words: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "aedetect", *words], stdout=stdout, stderr=subprocess.PIPE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"], terminal_width=300)
    assert result.exit_code == 0
    assert f"Example: aedetect {command} " in result.stdout
    assert all(option in result.stdout for option in ("--json", "--quiet", "--verbose"))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_first_help_names_every_command(command: str) -> None:
    assert f"  {command} " in CliRunner().invoke(app, ["--help"]).stdout


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["score", "--help"], ["train", "-h"]])
def test_help_loads_nothing_heavy(words: Sequence[str]) -> None:
    # Typer itself loads pydantic to read the options of a command.
    heavy = HEAVY[:-1] if len(words) > 1 else HEAVY
    code = (
        "import sys, atexit\n"
        f"sys.argv = ['aedetect', *{list(words)!r}]\n"
        f"atexit.register(lambda: print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr))\n"
        "from aedetect.cli.main import run\n"
        "run()\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "[]\n")


def test_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"aedetect {__version__}\n")


@pytest.mark.parametrize("words", [["sore"], ["score", "--nope"], ["score", "x.csv"], ["inspect"], []])
def test_wrong_use_is_2_without_a_traceback(words: list[str]) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "Usage: " in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["score", "--help"]])
def test_a_closed_pipe_is_quiet(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = program(*words, stdout=writing)
    os.close(writing)
    assert (result.returncode, result.stderr) == (141, b"")


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_a_full_device_is_5(words: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        result = program(*words, stdout=full.fileno())
    assert result.returncode == 5
    assert result.stderr == b"error: standard output: cannot be written: No space left on device\n"


def test_a_bug_shows_its_traceback_and_where_to_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("aedetect.scoring.model_file.read_model_file", fail)
    result = CliRunner().invoke(app, ["inspect", "x.aed"])
    assert result.exit_code == 1
    assert "ZeroDivisionError: ours\n" in result.stderr
    assert result.stderr.endswith(
        "This is a bug in aedetect. Please report it, with the lines above, in the project's issue tracker.\n"
    )
