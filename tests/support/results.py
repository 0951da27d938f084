"""Figures that tests come to, written where a benchmark collects them."""

from __future__ import annotations

from pathlib import Path

FOLDER = "RELIABILITY_RESULTS"
NAME = "survived.txt"


def note(folder: Path, line: str) -> None:
    """Add a line; several processes may do so at once."""
    with open(folder / NAME, "a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")


def noted(folder: Path) -> list[str]:
    path = folder / NAME
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
