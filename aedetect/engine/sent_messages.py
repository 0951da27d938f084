"""Which messages were sent of which event, and which are still to be sent.

In tables of their own in the file of the ledger: one run at a time uses it. Without a file all is forgotten
when the run ends. Of a target only a digest of its URL is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aedetect.errors import OutputError

NEW, REMINDER, OVER = "new", "reminder", "over"
# Events that are over, and messages that were sent, are forgotten after so many seconds.
_KEPT = 90 * 86_400.0

_TABLES = (
    """
CREATE TABLE IF NOT EXISTS notified_events (
    job TEXT NOT NULL, subject TEXT NOT NULL, series TEXT NOT NULL, begin REAL NOT NULL, until REAL NOT NULL,
    model TEXT NOT NULL, number INTEGER NOT NULL, lasts INTEGER NOT NULL, adopted INTEGER NOT NULL,
    facts TEXT NOT NULL, noted REAL NOT NULL, PRIMARY KEY (job, subject)
)
""",
    """
CREATE TABLE IF NOT EXISTS notified_messages (
    job TEXT NOT NULL, target TEXT NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL, made REAL NOT NULL,
    place INTEGER NOT NULL, delivered REAL, facts TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
    plot BLOB, PRIMARY KEY (job, target, subject, kind)
)
""",
)
_EVENT = "series, begin, until, model, number, lasts, adopted, facts"
_MESSAGE = "target, subject, kind, facts, title, body, plot"


@dataclass(frozen=True)
class KnownEvent:
    """An event of time series. `begin`, `until`: its first and last flagged row, seconds since 1970.

    Or a silence, which has the number 0: from the row before it to the row after it, or, while it lasts, to
    the newest row of other series.

    `model`: the digest of the model that numbered it. `lasts`: whether it had not ended by the last row read.
    `adopted`: whether alarms adapted to it. `facts`: what messages say of it, for JSON.
    `goes_on`: of an event of this run, whether it may be what earlier runs gave its number; not kept.
    """

    series: tuple[str, ...]
    begin: float
    until: float
    model: str
    number: int
    lasts: bool
    adopted: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    goes_on: bool = True

    @property
    def subject(self) -> str:
        """What messages of this event are filed under."""
        what = "silence" if self.is_silence else "event"
        return f"{what} {json.dumps(self.series)} {self.begin!r}"

    @property
    def is_silence(self) -> bool:
        """Whether it is the lack of rows."""
        return self.number == 0


@dataclass(frozen=True)
class Message:
    """A message to one target, by its digest. `kind`: NEW, REMINDER or OVER; `facts`: for the summary.

    `subject`: what it is about, an event or a run. `plot`: a PNG file.
    """

    target: str
    subject: str
    kind: str
    facts: Mapping[str, Any]
    title: str
    body: str
    plot: bytes | None = None


@dataclass(frozen=True)
class Filed:
    """A message of a kind on a subject: when it was made and delivered, None for not yet; in seconds since
    1970."""

    made: float
    delivered: float | None


class SentMessages:
    """What was sent by one job. Raises OutputError where the file cannot be used.

    `path`: of the ledger; None keeps nothing beyond the run. `job`: tells apart what uses one file.
    """

    def __init__(self, path: str | os.PathLike[str] | None, job: str):
        self._path = None if path is None else str(path)
        self._job = job
        self._database: sqlite3.Connection | None = None
        with self._using():
            self._database = sqlite3.connect(self._path or ":memory:", isolation_level=None)
            self._database.execute("PRAGMA synchronous = FULL")
        with self._changing() as database:
            for table in _TABLES:
                database.execute(table)

    def __enter__(self) -> SentMessages:
        return self

    def __exit__(self, *_: object) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    @property
    def remembers(self) -> bool:
        """Whether the next run will know of this one."""
        return self._path is not None

    def events(self) -> list[KnownEvent]:
        """All events that are not forgotten, by series and time."""
        with self._using() as database:
            rows = database.execute(
                f"SELECT {_EVENT} FROM notified_events WHERE job = ? ORDER BY series, begin", (self._job,)
            ).fetchall()
            return [
                KnownEvent(tuple(json.loads(series)), begin, until, model, number, bool(lasts), bool(adopted),
                           json.loads(facts))
                for series, begin, until, model, number, lasts, adopted, facts in rows
            ]  # fmt: skip

    def filed(self, target: str, subject: str) -> dict[str, Filed]:
        """The messages on a subject to a target, by kind."""
        with self._using() as database:
            rows = database.execute(
                "SELECT kind, made, delivered FROM notified_messages "
                "WHERE job = ? AND target = ? AND subject = ?",
                (self._job, target, subject),
            ).fetchall()
        return {kind: Filed(made, delivered) for kind, made, delivered in rows}

    def enter(self, events: Sequence[KnownEvent], messages: Sequence[Message], now: float) -> None:
        """Note what is known of events by now, and messages that are to be sent, in place of earlier ones of
        their kind."""
        with self._changing() as database:
            database.executemany(
                f"INSERT OR REPLACE INTO notified_events (job, noted, subject, {_EVENT}) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (self._job, now, one.subject, json.dumps(one.series), one.begin, one.until, one.model,
                     one.number, one.lasts, one.adopted, json.dumps(one.facts))
                    for one in events
                ],
            )  # fmt: skip
            database.executemany(
                f"INSERT OR REPLACE INTO notified_messages (job, made, place, {_MESSAGE}) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (self._job, now, place, one.target, one.subject, one.kind, json.dumps(one.facts),
                     one.title, one.body, one.plot)
                    for place, one in enumerate(messages)
                ],
            )  # fmt: skip
            database.execute(
                "DELETE FROM notified_events WHERE job = ? AND lasts = 0 AND noted < ?",
                (self._job, now - _KEPT),
            )
            database.execute(
                "DELETE FROM notified_messages WHERE job = ? AND delivered < ? AND subject NOT IN "
                "(SELECT subject FROM notified_events WHERE job = ?)",
                (self._job, now - _KEPT, self._job),
            )

    def pending(self, target: str) -> list[Message]:
        """The messages to a target that are not delivered, in the order they were made."""
        with self._using() as database:
            rows = database.execute(
                f"SELECT {_MESSAGE} FROM notified_messages WHERE job = ? AND target = ? "
                "AND delivered IS NULL ORDER BY made, place",
                (self._job, target),
            ).fetchall()
        return [
            Message(to, subject, kind, json.loads(facts), title, body, plot)
            for to, subject, kind, facts, title, body, plot in rows
        ]

    def deliver(self, messages: Sequence[Message], now: float) -> None:
        """Note that these were delivered; their text is forgotten."""
        with self._changing() as database:
            database.executemany(
                "UPDATE notified_messages SET delivered = ?, title = '', body = '', plot = NULL "
                "WHERE job = ? AND target = ? AND subject = ? AND kind = ?",
                [(now, self._job, one.target, one.subject, one.kind) for one in messages],
            )

    def give_up(self, target: str, before: float) -> int:
        """Forget messages to a target that were made before that time and never delivered; how many."""
        with self._changing() as database:
            done = database.execute(
                "DELETE FROM notified_messages WHERE job = ? AND target = ? AND delivered IS NULL "
                "AND made < ?",
                (self._job, target, before),
            )
            return done.rowcount

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, undone where the block fails."""
        with self._using() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                database.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        try:
            # Only the constructor enters without a database, to open one.
            yield self._database  # type: ignore[misc]
        except (sqlite3.Error, ValueError) as error:
            raise OutputError(
                f"{self._path}: what was sent cannot be noted in the state file: {error}"
            ) from None
