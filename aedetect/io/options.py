"""How to read a file where its content does not say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReadOptions:
    """Overrides of what is otherwise found from a file's content and name."""

    format: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"
