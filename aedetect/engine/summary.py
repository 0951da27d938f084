"""What a run came to, as data: the one envelope of `--json` and `--summary`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aedetect._version import __version__
from aedetect.engine.task import CountNames, FileSummary

SUMMARY_VERSION = 1


def storable(value: Any) -> Any:
    """`value` with texts that can be written as UTF-8, whatever they came from."""
    if isinstance(value, str):
        return _bytes_of(value).decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {key: storable(item) for key, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list) else value


def _bytes_of(text: str) -> bytes:
    """A name of a file as its bytes, whatever the encoding that names are taken to have here."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Clock:
    """When a command began."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _ticks: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long ago that was."""
        return time.monotonic() - self._ticks

    def as_dict(self, finished: datetime | None = None, seconds: float | None = None) -> dict[str, Any]:
        """Its entries in an envelope: when it began and ended (UTC, ISO 8601), and how long it took."""
        return {
            "started": self.started.isoformat(timespec="seconds"),
            "finished": (finished or datetime.now(UTC)).isoformat(timespec="seconds"),
            "seconds": round(self.seconds if seconds is None else seconds, 3),
        }


def envelope(
    command: str,
    model: Mapping[str, Any],
    body: Mapping[str, Any],
    times: Mapping[str, Any] | None = None,
    exit_code: int = 0,
) -> dict[str, Any]:
    """What every command prints with --json: `body` between what all have in common."""
    return {
        "schema_version": SUMMARY_VERSION,
        "aedetect_version": __version__,
        "command": command,
        "model": dict(model),
        **body,
        **(times or {}),
        "exit_code": int(exit_code),
    }


@dataclass
class RunSummary:
    """What a run came to. It is true at any time: entries are made as things happen.

    `model`: path, digest and date of the model. `extra`: further entries that the task has; `findings`:
    those that stand last, what was found and why it failed as a whole. `workers`: how many of a cluster took
    part; None where all was done on this machine.
    """

    command: str
    names: CountNames
    model: dict[str, str | None]
    clock: Clock = field(default_factory=Clock)
    counts: Counter[str] = field(default_factory=Counter)
    files: list[FileSummary] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    findings: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    exit_code: int = 0
    workers: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The envelope. Paths whose bytes are not UTF-8, which JSON cannot hold, have these spelled out."""
        finished = datetime.now(UTC)
        body = {
            **{key: self.counts[name] for key, name in self.names.run.items()},
            **self.extra,
            "workers": self.workers,
            "files": [entry.as_dict(self.names) for entry in self.files],
            "warnings": self.warnings,
            **self.findings,
        }
        times = self.clock.as_dict(finished, self.seconds)
        entries: dict[str, Any] = storable(envelope(self.command, self.model, body, times, self.exit_code))
        return entries
