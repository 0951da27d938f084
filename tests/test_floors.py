"""What `make test-floors` installs is the lowest that pyproject.toml allows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# What typer and matplotlib need and this package does not name.
INDIRECT = {"click", "pyparsing"}


def releases(lines: list[str], relation: str) -> dict[str, tuple[int, ...]]:
    """The release of each package in `lines` like 'numpy>=1.24'; '2' and '2.0.0' are one."""
    found = {}
    for line in lines:
        name, release = line.split(relation)
        numbers = tuple(int(part) for part in release.split("."))
        found[name] = numbers + (0,) * (3 - len(numbers))
    return found


def pins() -> dict[str, tuple[int, ...]]:
    lines = (ROOT / "tests/floors.txt").read_text(encoding="utf-8").splitlines()
    return releases([line for line in lines if not line.startswith("#")], "==")


def test_the_lowest_releases_named_are_those_tried() -> None:
    floors = releases(PROJECT["dependencies"] + EXTRAS["test"], ">=")
    del floors["torch"]
    assert {name: release for name, release in pins().items() if name not in INDIRECT} == floors


def test_the_makefile_names_the_lowest_torch() -> None:
    (torch,) = (line for line in PROJECT["dependencies"] if line.startswith("torch"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"make test-floors TORCH=torch(==[0-9.]+)", makefile)
    assert [releases([f"torch{one}"], "==") for one in named] == [releases([torch], ">=")]


@pytest.mark.parametrize("extra", ["map", "plots", "tune"])
def test_what_users_may_add_is_tried_at_its_lowest_too(extra: str) -> None:
    lowest = pins()
    assert {name: lowest[name] for name in releases(EXTRAS[extra], ">=")} == releases(EXTRAS[extra], ">=")
