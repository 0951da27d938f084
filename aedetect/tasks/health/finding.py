"""What is found of the health of dumps, in figures and in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

# 'rows': a file is much smaller or larger; 'missing': expected ones did not come before it; 'late': none has
# come yet; 'entity': rows of what was always there are lacking; 'empty': a column lacks far more values;
# 'flagged': the share of flagged rows; 'silence': a series without rows.
Kind = Literal["rows", "missing", "late", "entity", "empty", "flagged", "silence"]


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was before.

    `input`: the file as it was named, or the stream that lacks one; None for series. `value` lies outside
    `low` and `high`, of which either may be None: rows; shares of rows ('empty', 'flagged'); files
    ('missing'); seconds since the last one ('late') or without a row ('silence'). `text` states them.
    """

    kind: Kind
    text: str
    value: float
    low: float | None
    high: float | None
    input: str | None = None
    column: str | None = None
    entity: tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The entry of a summary."""
        entries = asdict(self)
        order = ("kind", "input", "column", "entity", "value", "low", "high", "text")
        return {name: list(value) if isinstance(value := entries[name], tuple) else value for name in order}


@dataclass
class Health:
    """All that was found, and sentences on what nothing can be said of, and why."""

    findings: list[Finding] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)

    def add(self, other: Health) -> None:
        """Take in what was found of other things."""
        self.findings += other.findings
        self.unjudged += other.unjudged
