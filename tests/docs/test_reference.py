"""The reference is what the program says of itself, and leaves nothing out."""

from __future__ import annotations

import re

import pytest
import typer
from support.pages import REFERENCE, ROOT
from support.reference import command_names, help_text, updated

from aedetect._version import __version__
from aedetect.errors import ExitCode

TEXT = REFERENCE.read_text(encoding="utf-8")


@pytest.mark.skipif(
    tuple(map(int, typer.__version__.split(".")[:2])) < (0, 29),
    reason="Typer words the usage lines of help, and those in the reference are a newer one's",
)
def test_generated_sections_are_up_to_date() -> None:
    assert updated(TEXT) == TEXT, "run `make docs`"


@pytest.mark.parametrize("command", command_names())
def test_every_command_has_help_with_an_example(command: str) -> None:
    text = help_text(command)
    assert f"Example: aedetect {command} " in text
    undocumented = [line for line in text.splitlines() if re.fullmatch(r"\s+(-\S+,? ?)+[A-Z,.=]*", line)]
    assert undocumented == []


@pytest.mark.parametrize("code", list(ExitCode))
def test_every_exit_code_is_explained(code: ExitCode) -> None:
    assert re.search(rf"^\| {int(code)} \|", TEXT, re.MULTILINE)


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
