"""What is decided of a column."""

from __future__ import annotations

from dataclasses import dataclass

from aedetect.config import Role


@dataclass(frozen=True)
class Decision:
    """A column's role and the reason for it in one plain phrase; of constants what they hold."""

    role: Role
    reason: str
    constant: str | None = None
