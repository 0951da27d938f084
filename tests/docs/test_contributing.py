"""CONTRIBUTING.md names what is there, and is short."""

from __future__ import annotations

import re

from support.pages import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_names_of_the_makefile_exist() -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"`make ([\w-]+)", TEXT)) <= set(targets)


def test_recipes_are_short() -> None:
    for part in re.findall(r"^## Add .+\n((?:(?!## ).*\n)+)", TEXT, re.MULTILINE):
        assert 3 < len(part.strip().splitlines()) < 10


def test_files_and_folders_that_it_names_exist() -> None:
    named = re.findall(r"`((?:aedetect|tests|docs|configs)/[\w./-]*)`", TEXT)
    assert len(named) > 30
    assert [path for path in named if not (ROOT / path).exists()] == []
