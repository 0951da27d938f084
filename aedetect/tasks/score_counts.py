"""How the rows that were scored are counted."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, fields
from typing import Any

from aedetect.engine.task import CountNames

# `warmup` is part of the unscorable; it is in the contract of a run, not of an entry.
SCORE_COUNTS = CountNames(
    run={name: name for name in ("rows", "normal", "anomalies", "unscorable", "muted", "warmup")},
    file=("rows", "normal", "anomalies", "unscorable", "muted"),
    done="scored",
)


# What the names of counts of muted rows begin with, before what muted them.
_MUTED_BY = "muted by "


def muted_count(kind: str, name: str) -> str:
    """The name of the count of rows that one thing muted."""
    return _MUTED_BY + json.dumps([kind, name])


def muted_by(counts: Counter[str]) -> list[dict[str, Any]]:
    """What muted rows, and how many, most first: 'kind', 'name' and 'rows' of each."""
    each = [
        (json.loads(key.removeprefix(_MUTED_BY)), rows)
        for key, rows in counts.items()
        if rows and key.startswith(_MUTED_BY)
    ]
    entries = [{"kind": kind, "name": name, "rows": rows} for (kind, name), rows in each]
    return sorted(entries, key=lambda entry: (-entry["rows"], entry["kind"], entry["name"]))


@dataclass(frozen=True)
class RowCounts:
    """Rows by outcome; normal, anomalies, unscorable and muted add up to `rows`.

    `warmup` is part of the unscorable.
    """

    rows: int = 0
    normal: int = 0
    anomalies: int = 0
    unscorable: int = 0
    warmup: int = 0
    muted: int = 0

    @classmethod
    def of(cls, counts: Counter[str]) -> RowCounts:
        """The counts of a scoring task."""
        return cls(**{field.name: counts[field.name] for field in fields(cls)})
