"""The recipes of the README, as they stand there, set to work in a folder of a test."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def section(title: str) -> str:
    """The text of the README's section of that title."""
    text = README.read_text(encoding="utf-8")
    found = re.search(rf"^### {re.escape(title)}\n(.*?)^##", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def blocks(title: str, kind: str) -> list[str]:
    """The code blocks of that kind in a section."""
    return re.findall(rf"^```{kind}\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL)


def settled(recipe: str, folder: Path) -> str:
    """The recipe with its /data in `folder`."""
    return recipe.replace("/data/", f"{folder}/")


def cron_command() -> str:
    """The command of the crontab line; a % would end it there."""
    (line,) = blocks("From cron", "crontab")
    minute, hour, *days, command = line.strip().split(maxsplit=5)
    assert (minute.isdigit(), hour.isdigit(), days) == (True, True, ["*"] * 3)
    assert "%" not in command
    return command


def programs(folder: Path, **scripts: str) -> Path:
    """A folder for PATH with `aedetect` in it, and further shell scripts by name."""
    place = folder / "bin"
    place.mkdir()
    for name, body in {"aedetect": f'exec "{sys.executable}" -m aedetect "$@"', **scripts}.items():
        path = place / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    return place
