"""What a scoring run came to, as data: the contract of `--json` and `--summary`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aedetect.scoring.series import Judge

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.detector import Verdicts

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aedetect._version import __version__

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.detector import Verdicts
    from aedetect.io.files import FileInput
    from aedetect.scoring.series import Judge

SUMMARY_VERSION = 1


def storable(value: Any) -> Any:
    """`value` with texts that can be written as UTF-8, whatever they came from."""
    if isinstance(value, str):
        return os.fsencode(value).decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {key: storable(item) for key, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list) else value


@dataclass
class Counts:
    """Rows by outcome; normal, anomalies and unscorable add up to `rows`, `warmup` is part of the last."""

    rows: int = 0
    normal: int = 0
    anomalies: int = 0
    unscorable: int = 0
    warmup: int = 0

    def add(self, other: Counts) -> None:
        self.rows += other.rows
        self.normal += other.normal
        self.anomalies += other.anomalies
        self.unscorable += other.unscorable
        self.warmup += other.warmup


@dataclass
class FileOutcome:
    """One input's entry in the summary."""

    path: str
    output: str | None
    status: str = "scored"
    rows: int = 0
    normal: int = 0
    anomalies: int = 0
    unscorable: int = 0
    warmup: int = 0
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Without `warmup`, which is not in the contract of an entry."""
        return {name: value for name, value in asdict(self).items() if name != "warmup"}


class Follower:
    """Goes along with a scoring run, input by input; every method may be left as it is."""

    def judging(self, judge: Judge) -> None:
        """Before the first input: this is who judges them all."""

    def begin(self, source: FileInput) -> None:
        """An input is about to be scored. May raise DataError: it then counts as failed."""

    def see(self, batch: pa.RecordBatch, verdicts: Verdicts) -> None:
        """A batch of the present input was scored."""

    def check(self, source: FileInput) -> None:
        """The input was read to its end. May raise DataError: its output is then not put in place."""

    def done(self, source: FileInput, entry: FileOutcome) -> None:
        """The input's output is in place."""


@dataclass
class Summary:
    """What a scoring run came to; `as_dict` is the contract of `--json` and `--summary`.

    `drift` is None where it was not looked at. `error` is that of a run which failed as a whole.
    """

    model: dict[str, str | None]
    threshold: float | None
    alert_rate: float | None
    started: datetime
    counts: Counts = field(default_factory=Counts)
    files: list[FileOutcome] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    exit_code: int = 0
    drift: dict[str, Any] | None = None
    events: int | None = None
    error: str | None = None

    @property
    def settled(self) -> float:
        """The threshold, which is known once there is a model."""
        assert self.threshold is not None
        return self.threshold

    @property
    def anomaly_share(self) -> float | None:
        return self.counts.anomalies / self.counts.rows if self.counts.rows else None

    def as_dict(self) -> dict[str, Any]:
        """Paths whose bytes are no UTF-8, which JSON cannot hold, have these spelled out."""
        told: dict[str, Any] = storable(self._as_it_is())
        return told

    def _as_it_is(self) -> dict[str, Any]:
        finished = datetime.now(UTC)
        return {
            "schema_version": SUMMARY_VERSION,
            "aedetect_version": __version__,
            "command": "score",
            "model": self.model | {"age_days": self._model_age(finished)},
            **asdict(self.counts),
            "events": self.events,
            "threshold": self.threshold,
            "alert_rate": self.alert_rate,
            "anomaly_share": self.anomaly_share,
            "files": [entry.as_dict() for entry in self.files],
            "warnings": self.warnings,
            "drift": self.drift,
            "error": self.error,
            "started": self.started.isoformat(timespec="seconds"),
            "finished": finished.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "exit_code": self.exit_code,
        }

    def _model_age(self, now: datetime) -> float | None:
        trained = self.model.get("trained")
        if trained is None:
            return None
        return round((now - datetime.fromisoformat(trained)).total_seconds() / 86400, 3)
