"""The README says what the program does."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import typer

from aedetect._version import __version__
from aedetect.errors import ExitCode

ROOT = Path(__file__).parent.parent
spec = spec_from_file_location("docs", Path(__file__).parent / "docs.py")
docs = module_from_spec(spec)
spec.loader.exec_module(docs)
README = docs.README.read_text(encoding="utf-8")


@pytest.mark.skipif(
    tuple(map(int, typer.__version__.split(".")[:2])) < (0, 29),
    reason="Typer words the usage lines of help, and those in the README are a newer one's",
)
def test_generated_sections_are_up_to_date():
    assert docs.updated(README) == README, "run `make docs`"


@pytest.mark.parametrize("command", docs.command_names())
def test_every_command_has_help_with_an_example(command):
    text = docs.help_text(command)
    assert f"Example: aedetect {command} " in text
    undocumented = [line for line in text.splitlines() if re.fullmatch(r"\s+(-\S+,? ?)+[A-Z,.=]*", line)]
    assert undocumented == []


@pytest.mark.parametrize("code", list(ExitCode))
def test_every_exit_code_is_explained(code):
    assert re.search(rf"^\| {int(code)} \|", README, re.MULTILINE)


def test_the_changelog_speaks_of_this_version():
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_links_to_files_lead_somewhere():
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", README)
    assert [target for target in targets if not (ROOT / target).exists()] == []
