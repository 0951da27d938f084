"""What a column of the training data holds, for a person who wants to recognise it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aedetect.data.profile import ColumnProfile


@dataclass(frozen=True)
class ColumnFacts:
    """`example`: the first filled cell as it stands, '' without one. `missing`: the share of empty cells."""

    example: str
    missing: float


def column_facts(profiles: Mapping[str, ColumnProfile]) -> dict[str, ColumnFacts]:
    """The facts of each column, by name."""
    return {
        name: ColumnFacts(profile.example or "", profile.missing / profile.rows if profile.rows else 0.0)
        for name, profile in profiles.items()
    }
