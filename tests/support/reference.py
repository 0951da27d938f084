"""The generated page of the documentation: the help of every command, settings, exit codes."""

from __future__ import annotations

import functools
import re

import typer
from typer.testing import CliRunner

from aedetect.cli.main import app
from aedetect.config import Config, setting_names

WIDTH = "88"


@functools.cache
def command_names() -> tuple[str, ...]:
    """Every command, those of a group by both words: 'score', 'state show'."""
    names: list[str] = []
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        names += [f"{name} {below}" for below in getattr(command, "commands", {})] or [name]
    return tuple(names)


@functools.cache
def help_text(*words: str) -> str:
    """What `aedetect WORDS --help` prints, at a fixed width."""
    environment = {"COLUMNS": WIDTH, "TERMINAL_WIDTH": WIDTH, "NO_COLOR": "1"}
    result = CliRunner().invoke(
        app, [*" ".join(words).split(), "--help"], prog_name="aedetect", env=environment
    )
    assert result.exit_code == 0, result.output
    return "\n".join(line.rstrip() for line in result.stdout.strip().splitlines())


def commands_section() -> str:
    parts = [f"### aedetect {name}\n\n```text\n{help_text(name)}\n```" for name in command_names()]
    return "\n\n".join(parts)


def settings_section() -> str:
    defaults = Config()
    rows = []
    for name in setting_names():
        section, _, key = name.partition(".")
        part = getattr(defaults, section)
        value = getattr(part, key)
        shown = "unset" if value is None else value
        rows.append(f"| `{name}` | `{shown}` | {type(part).model_fields[key].description} |")
    return "| setting | default | meaning |\n|---|---|---|\n" + "\n".join(rows)


SECTIONS = {"commands": commands_section, "settings": settings_section}


def updated(text: str) -> str:
    """`text` with every generated section brought up to date."""
    for name, make in SECTIONS.items():
        pattern = re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        assert pattern.search(text), f"the reference has no section {name!r}"
        text = pattern.sub(lambda match, make=make: f"{match[1]}\n{make()}\n\n{match[2]}", text)
    return text
