"""The recipes in configs/unattended, set to work in a folder of a test."""

from __future__ import annotations

import sys
from pathlib import Path

UNATTENDED = Path(__file__).resolve().parents[2] / "configs" / "unattended"


def recipe(name: str) -> str:
    """The text of one of the files."""
    return (UNATTENDED / name).read_text(encoding="utf-8")


def settled(text: str, folder: Path) -> str:
    """A recipe with its /data in `folder`."""
    return text.replace("/data/", f"{folder}/")


def cron_command() -> str:
    """The command of the crontab's one entry; a % would end it there."""
    (line,) = [line for line in recipe("crontab").splitlines() if not line.startswith("#")]
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
