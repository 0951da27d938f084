"""How the rows that were scored are counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields

from aedetect.engine.task import CountNames

# `warmup` is part of the unscorable; it is in the contract of a run, not of an entry.
SCORE_COUNTS = CountNames(
    run={name: name for name in ("rows", "normal", "anomalies", "unscorable", "warmup")},
    file=("rows", "normal", "anomalies", "unscorable"),
    done="scored",
)


@dataclass(frozen=True)
class RowCounts:
    """Rows by outcome; normal, anomalies and unscorable add up to `rows`, `warmup` is part of the last."""

    rows: int = 0
    normal: int = 0
    anomalies: int = 0
    unscorable: int = 0
    warmup: int = 0

    @classmethod
    def of(cls, counts: Counter[str]) -> RowCounts:
        """The counts of a scoring task."""
        return cls(**{field.name: counts[field.name] for field in fields(cls)})
