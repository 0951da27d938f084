"""Help of every command: in panels, at the width of the terminal, with every option."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from typing import Any

import pytest
import typer
import typer.main
from typer.testing import CliRunner

from aedetect.cli.main import app

ROOT: Any = typer.main.get_command(app)
WIDTHS = [60, 80, 120, 200]


def commands(command: Any = ROOT, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it, the program itself first."""
    yield words, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*words, name))


EVERY = [pytest.param(words, command, id=" ".join(words) or "program") for words, command in commands()]


def help_of(words: tuple[str, ...], width: int = 88) -> str:
    environment = {"COLUMNS": str(width), "NO_COLOR": "1"}
    result = CliRunner().invoke(app, [*words, "--help"], prog_name="aedetect", env=environment)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def parameters(command: Any) -> list[Any]:
    found: list[Any] = command.get_params(typer.Context(command))
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("words", "command"), EVERY)
def test_help_fits_and_says_all(words: tuple[str, ...], command: Any, width: int) -> None:
    text = help_of(words, width)
    assert max(map(len, text.splitlines())) <= width
    flat = " ".join(text.split())
    for parameter in parameters(command):
        assert " ".join((parameter.help or "").split()) in flat
    for name, below in getattr(command, "commands", {}).items():
        assert f"{name} {' '.join(below.help.split(chr(10) * 2)[0].split())}" in flat


@pytest.mark.parametrize(("words", "command"), EVERY)
def test_metavars_are_plain(words: tuple[str, ...], command: Any) -> None:
    text = help_of(words)
    assert re.search(r"<|>|\[\[|\{|\]\.\.\.", text) is None
    assert text.startswith(" ".join(("Usage: aedetect", *words)))
    taking = [each for each in parameters(command) if each.param_type_name == "argument" or not each.is_flag]
    assert [each.name for each in taking if not each.metavar] == []


@pytest.mark.parametrize(("words", "command"), EVERY)
def test_defaults_are_told(words: tuple[str, ...], command: Any) -> None:
    for parameter in parameters(command):
        if parameter.default not in (None, False, "", ...) and not parameter.required:
            assert f"default: {parameter.default}." in parameter.help, parameter.name


def test_panels_of_score() -> None:
    text = help_of(("score",))
    headings = re.findall(r"^(\S.*):$", text, re.MULTILINE)
    assert headings == [
        "Required", "Output", "Threshold", "Muting", "Time series", "Reading", "Unattended runs",
        "Model and settings", "Messages",
    ]  # fmt: skip
    assert text.startswith("Usage: aedetect score INPUT... -m MODEL.aed [OPTIONS]\n\n  Score rows")
    assert "\n  -m, --model MODEL.aed   The model file.\n" in text


def test_panels_of_the_program() -> None:
    text = help_of(())
    assert re.findall(r"^(\S.*):$", text, re.MULTILINE) == [
        "Learn, score, understand", "Look after a model", "Other uses of a model", "Options",
    ]  # fmt: skip
    assert text.startswith("Usage: aedetect COMMAND [OPTIONS]\n")


@pytest.mark.parametrize("width", [80, 120])
def test_on_a_terminal_panels_are_boxes_as_wide_as_it_is(width: int) -> None:
    text = re.sub(r"\x1b\[[\d;]*m", "", on_a_terminal(["score", "--help"], width))
    framed = [line for line in text.splitlines() if line.startswith(("╭", "│", "╰"))]
    assert len(framed) > 40
    assert {len(line) for line in framed} == {width}
    assert sum(line.startswith("╭─ ") for line in framed) == 9


def test_a_dumb_terminal_gets_no_boxes() -> None:
    text = on_a_terminal(["score", "--help"], 80, TERM="dumb")
    assert "Required:\n" in text
    assert re.search("[╭│╰\x1b]", text) is None


def test_colours_only_where_they_are_wanted() -> None:
    assert "\x1b[1;36m-m, --model MODEL.aed" in on_a_terminal(["drift", "-h"], 80)
    assert "\x1b" not in on_a_terminal(["drift", "-h"], 80, NO_COLOR="1")


def on_a_terminal(words: list[str], width: int, **environment: str) -> str:
    """What a command prints on a terminal of this width, colours and all."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    plain = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")}
    settings = plain | {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"} | environment
    command = [sys.executable, "-m", "aedetect", *words]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=settings) as process:
        os.close(terminal)
        text = b"".join(everything_from(main)).decode()
    os.close(main)
    assert process.returncode == 0
    return text.replace("\r\n", "\n")


def everything_from(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:
            # So ends a terminal whose last writer has gone.
            return
        if not part:
            return
        yield part
