"""What is decided of a column."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from aedetect.config import Role


@dataclass(frozen=True)
class Decision:
    """A column's role and the reason for it in one plain phrase; of constants what they hold."""

    role: Role
    reason: str
    constant: str | None = None


def role_flag(column: str, role: Role) -> str:
    """The option that gives a column a role, to be pasted into a shell: "--role 'unit price=numeric'"."""
    return f"--role {shlex.quote(f'{column}={role}')}"
