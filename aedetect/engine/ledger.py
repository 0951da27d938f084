"""The ledger of `score --new-only`: which inputs were scored, with which model.

A SQLite file. An input counts as scored if one of the same path, size, time of change and content
was scored by the same model; inode numbers, which a restored backup changes, play no part. An
entry is committed only once the input's output is in place, so that what a killed or failed run
left undone is done by the next one. Of time series the end of each is kept as well, as bytes that
`aedetect.series.tail` reads, and moves on in the same transaction; so is what was seen of each delivery,
which later ones are held against.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

from aedetect.engine import deliveries
from aedetect.engine.deliveries import Delivery, Facts, StreamCount
from aedetect.errors import DataError, OutputError, UsageError
from aedetect.io.atomic import atomic_output
from aedetect.io.files import FileInput
from aedetect.io.locate import STDIN
from aedetect.io.stores import Facts as StoreFacts
from aedetect.io.stores import naming

APPLICATION_ID = 0x41454C47
# A file changed this shortly before it was looked at may change again without its times showing it.
RACY_SECONDS = 2.0

_TABLE = """
CREATE TABLE scored (
    path TEXT NOT NULL, model TEXT NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL,
    changed INTEGER, sha256 TEXT, output TEXT, rows INTEGER NOT NULL, anomalies INTEGER NOT NULL,
    scored TEXT NOT NULL, PRIMARY KEY (path, model)
) WITHOUT ROWID
"""
_TAILS = """
CREATE TABLE tails (
    model TEXT NOT NULL, series TEXT NOT NULL, rows INTEGER NOT NULL, until TEXT NOT NULL, data BLOB NOT NULL,
    sha256 TEXT NOT NULL, PRIMARY KEY (model, series)
)
"""
# What each version of the file has more than the one before it, from version 2 on: the ends of series; what
# was seen of each delivery.
_MIGRATIONS: tuple[Callable[[sqlite3.Connection], object], ...] = (
    lambda database: database.execute(_TAILS),
    deliveries.migrate,
)
# The tables of each version, from version 1 on.
_TABLES = ("scored", "tails", "deliveries")
VERSION = 1 + len(_MIGRATIONS)


@dataclass(frozen=True)
class StoredTail:
    """The end of a series: its name, how many rows, the time of the last (ISO 8601), and all as bytes."""

    series: tuple[str, ...]
    rows: int
    until: str
    data: bytes


@dataclass(frozen=True)
class TailCount:
    """How much is kept of the series that one model scored, and the time of the last row of all."""

    model: str
    series: int
    rows: int
    until: str


@dataclass(frozen=True)
class Mark:
    """What an input looked like. `modified` and `changed` are its mtime and ctime in nanoseconds.

    The ctime cannot be set by hand: where it is the same too, the content need not be read to know
    it is unchanged. It is None where there is none or it was too recent to be trusted. Of an object in
    a store `sha256` is its ETag, as 'etag:…', or None where it has none.
    """

    size: int
    modified: int
    changed: int | None
    sha256: str | None


@dataclass(frozen=True)
class Entry:
    """One line of the ledger. `model` is the digest of the model file, `scored` the time in UTC."""

    path: str
    model: str
    size: int
    modified: int
    changed: int | None
    sha256: str | None
    output: str | None
    rows: int
    anomalies: int
    scored: str


class Ledger:
    """The open state file. Raises OutputError where it is damaged, no ledger, or cannot be written."""

    def __init__(self, path: str | os.PathLike[str], *, create: bool = True):
        self.path = str(path)
        if not create and not os.path.exists(self.path):
            raise OutputError(f"{self.path}: no such state file")
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            raise OutputError(f"{self.path}: the state file is no regular file; name another")
        if not os.path.exists(self.path):
            self._make()
        elif not os.path.getsize(self.path):
            raise OutputError(f"{self.path}: {_DAMAGED} (it is empty)")
        self._database: sqlite3.Connection | None = None
        with self._using():
            self._database = sqlite3.connect(self.path, isolation_level=None)
            self._check(self._database, create)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def knows(self, source: FileInput, model: str) -> bool:
        """Whether this very input was scored by that model; reads it only if its times leave doubt."""
        entry = self._entry(place_of(source), model)
        if entry is None:
            return False
        if source.location.object is not None:
            return _is_known_object(source, entry)
        mark = look(source)
        if entry.size != mark.size:
            return False
        if entry.changed is not None and (entry.modified, entry.changed) == (mark.modified, mark.changed):
            return True
        if digest_of(source) != entry.sha256:
            return False
        # Delivered again, or restored: remembered as it looks now, it need not be read again.
        self._store(replace(entry, modified=mark.modified, changed=mark.changed))
        return True

    def same_content(self, mark: Mark, path: str, model: str) -> str | None:
        """Another input with the same content that this model scored, if there is one."""
        with self._using() as database:
            row = database.execute(
                "SELECT path FROM scored WHERE model = ? AND sha256 = ? AND path != ? ORDER BY scored",
                (model, mark.sha256, path),
            ).fetchone()
        return None if row is None else str(row[0])

    def add(
        self,
        source: FileInput,
        mark: Mark,
        model: str,
        output: str | None,
        rows: int,
        anomalies: int,
        tails: Sequence[StoredTail] = (),
        facts: Facts | None = None,
    ) -> None:
        """Enter an input whose output is in place, and with it the ends of its series and what was seen."""
        stored_output = None if output is None else _storable(output)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._store(
            Entry(place_of(source), model, mark.size, mark.modified, mark.changed, mark.sha256, stored_output,
                  rows, anomalies, now),
            tails,
            facts or Facts(),
        )  # fmt: skip

    def tails(self, model: str) -> dict[tuple[str, ...], bytes]:
        """The ends of the series that this model scored. Raises OutputError where one is damaged."""
        with self._using() as database:
            rows = database.execute(
                "SELECT series, data, sha256 FROM tails WHERE model = ?", (model,)
            ).fetchall()
        for _, data, digest in rows:
            if hashlib.sha256(data).hexdigest() != digest:
                raise OutputError(f"{self.path}: {_DAMAGED}")
        return {tuple(json.loads(series)): data for series, data, _ in rows}

    def tail_counts(self) -> list[TailCount]:
        """How much is kept of series, by model."""
        with self._using() as database:
            if "tails" not in _tables(database):
                return []
            rows = database.execute(
                "SELECT model, COUNT(*), SUM(rows), MAX(until) FROM tails GROUP BY model ORDER BY model"
            )
            return [TailCount(*row) for row in rows]

    def deliveries(self, streams: Sequence[str]) -> list[Delivery]:
        """What was seen of the newest deliveries of these streams, under whichever model."""
        with self._using() as database:
            try:
                return list(deliveries.read(database, streams))
            except (ValueError, TypeError):
                raise OutputError(f"{self.path}: {_DAMAGED}") from None

    def newest_paths(self) -> dict[str, str]:
        """The path of the last delivery of each stream."""
        with self._using() as database:
            return deliveries.newest_paths(database)

    def stream_counts(self, model: str = "") -> list[StreamCount]:
        """How many deliveries are known of each stream, of models whose digest begins so."""
        with self._using() as database:
            return deliveries.counts(database, model) if "deliveries" in _tables(database) else []

    def entries(self) -> Iterator[Entry]:
        """All entries, by path and then in the order they were made."""
        with self._using() as database:
            for row in database.execute(f"SELECT {_COLUMNS} FROM scored ORDER BY path, scored, model"):
                yield Entry(*row)

    def forget(self, paths: Sequence[str], model: str | None) -> list[Entry]:
        """Take out entries of these paths (all, where none is given) and that model (any, if None)."""
        gone = [
            entry
            for entry in self.entries()
            if (not paths or entry.path in paths) and (model is None or entry.model.startswith(model))
        ]
        with self._using() as database:
            database.execute("BEGIN IMMEDIATE")
            for table in ("scored", "deliveries"):
                if table in _tables(database):
                    database.executemany(
                        f"DELETE FROM {table} WHERE path = ? AND model = ?",
                        [(entry.path, entry.model) for entry in gone],
                    )
            if "tails" in _tables(database):
                database.execute("DELETE FROM tails WHERE model NOT IN (SELECT model FROM scored)")
            database.execute("COMMIT")
        return gone

    def _entry(self, path: str, model: str) -> Entry | None:
        with self._using() as database:
            row = database.execute(
                f"SELECT {_COLUMNS} FROM scored WHERE path = ? AND model = ?", (path, model)
            ).fetchone()
        return None if row is None else Entry(*row)

    def _store(self, entry: Entry, tails: Sequence[StoredTail] = (), facts: Facts | None = None) -> None:
        marks = ", ".join("?" * len(fields(Entry)))
        with self._using() as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute(f"INSERT OR REPLACE INTO scored ({_COLUMNS}) VALUES ({marks})", astuple(entry))
            database.executemany(
                "INSERT OR REPLACE INTO tails VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (entry.model, json.dumps(tail.series), tail.rows, tail.until, tail.data,
                     hashlib.sha256(tail.data).hexdigest())
                    for tail in tails
                ],
            )  # fmt: skip
            if facts is not None:
                deliveries.add(
                    database, entry.path, entry.model, entry.modified, entry.sha256,
                    (entry.rows, entry.anomalies), facts, entry.scored,
                )  # fmt: skip
            database.execute("COMMIT")

    def _make(self) -> None:
        """Put a ledger without entries in place, in full or not at all: a file without a byte is none.

        Where another run does so at the same time, its ledger stays.
        """
        with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
            database.execute(_TABLE)
            for migrate in _MIGRATIONS:
                migrate(database)
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {VERSION}")
            content = database.serialize()
        with atomic_output(self.path, only_new=True) as stream:
            stream.write(content)

    def _check(self, database: sqlite3.Connection, create: bool) -> None:
        # FULL: an entry is on the disk before the next input is begun.
        database.execute("PRAGMA synchronous = FULL")
        names = _tables(database)
        application = database.execute("PRAGMA application_id").fetchone()[0]
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if not names and application == 0 and version == 0:
            raise sqlite3.DatabaseError("it holds no ledger")
        if application != APPLICATION_ID:
            raise OutputError(f"{self.path}: not a state file of aedetect; name another")
        if version > VERSION:
            raise OutputError(f"{self.path}: made by a newer aedetect (state version {version}); upgrade")
        checked = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if checked != "ok" or not names.issuperset(_TABLES[:version]):
            raise sqlite3.DatabaseError(str(checked) if checked != "ok" else "a table is missing")
        if version < VERSION and create:
            database.execute("BEGIN IMMEDIATE")
            for migrate in _MIGRATIONS[max(version, 1) - 1 :]:
                migrate(database)
            database.execute(f"PRAGMA user_version = {VERSION}")
            database.execute("COMMIT")

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """The database; what goes wrong with it is told as an error of the state file."""
        try:
            # Only the constructor enters without a database, to make one.
            yield self._database  # type: ignore[misc]
        except sqlite3.Error as error:
            raise OutputError(f"{self.path}: {_reason(error)}") from None
        except UnicodeDecodeError:
            raise OutputError(f"{self.path}: {_DAMAGED}") from None


_COLUMNS = ", ".join(field.name for field in fields(Entry))
_DAMAGED = "the state file is damaged; restore it from a backup, or remove it to have every input scored anew"


def _tables(database: sqlite3.Connection) -> set[str]:
    return {row[0] for row in database.execute("SELECT name FROM sqlite_master")}


def _reason(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return "the state file cannot be written; check its folder and permissions"
    if code == sqlite3.SQLITE_FULL:
        return "the state file cannot be written: no space left on the device"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "the state file is in use by another program"
    if code == sqlite3.SQLITE_IOERR:
        return f"the state file cannot be read or written: {error}"
    return f"{_DAMAGED} ({error})"


def place_of(source: FileInput) -> str:
    """The name an input has in the ledger: where it really lies, whatever way led there."""
    place = source.location
    if place.path == STDIN:
        raise UsageError("--new-only: standard input cannot be recognised again; name files instead")
    if place.filesystem is not None:
        return source.name
    return place_of_path(place.path)


def place_of_path(path: str) -> str:
    """The name in the ledger of a file on disk, whether it is still there or not."""
    return _storable(os.path.realpath(path))


def _storable(path: str) -> str:
    """A path as SQLite can hold it: bytes that are no UTF-8 are spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def look(source: FileInput) -> Mark:
    """Size and times of an input as it lies there, its content unread. Raises DataError if it is gone."""
    place = source.location
    if place.object is not None:
        with naming(source.name):
            facts = place.object.facts()
        return _mark_in_store(facts)
    try:
        status = os.stat(place.path)
    except OSError as error:
        raise DataError(f"{source.name}: cannot be read: {error.strerror}") from None
    settled = time.time() - status.st_ctime_ns / 1e9 > RACY_SECONDS
    return Mark(status.st_size, status.st_mtime_ns, status.st_ctime_ns if settled else None, None)


def is_young(source: FileInput, least_age: float) -> bool:
    """Whether an input changed less than `least_age` seconds ago, so that it may still be written.

    A time that lies as far in the future is some clock's mistake and says nothing.
    """
    listed = source.location.object and source.location.object.listed
    modified = listed.modified if listed else look(source).modified / 1e9
    return abs(time.time() - modified) < least_age


def digest_of(source: FileInput) -> str:
    """SHA-256 of an input's bytes. Raises DataError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(source.location.path, "rb") as stream:
            while part := stream.read(1 << 20):
                digest.update(part)
    except OSError as error:
        raise DataError(f"{source.name}: cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def _is_known_object(source: FileInput, entry: Entry) -> bool:
    """Whether an object looks as it did when it was scored: by the listing that has it, if it may."""
    item = source.location.object
    assert item is not None
    if item.listed is not None:
        same = (item.listed.size, item.listed.modified * 10**9) == (entry.size, entry.modified)
        settled = datetime.fromisoformat(entry.scored).timestamp() - entry.modified / 1e9 > RACY_SECONDS
        if not same or settled:
            return same
    mark = look(source)
    return (mark.size, mark.modified, mark.sha256) == (entry.size, entry.modified, entry.sha256)


def _mark_in_store(facts: StoreFacts) -> Mark:
    etag = None if facts.etag is None else f"etag:{facts.etag}"
    return Mark(facts.size, facts.modified * 10**9, None, etag)


def mark_of(source: FileInput) -> Mark:
    """What an input looks like before it is scored, its content's digest included; of a store its ETag."""
    mark = look(source)
    if source.location.object is not None:
        return mark
    return Mark(mark.size, mark.modified, mark.changed, digest_of(source))


def check_unchanged(source: FileInput, mark: Mark) -> None:
    """Raises DataError where an input changed while it was read: it is tried again by the next run."""
    now = look(source)
    changed = (now.size, now.modified) != (mark.size, mark.modified)
    if changed or (source.location.object is not None and now.sha256 != mark.sha256):
        raise DataError(f"{source.name}: changed while it was read; the next run will try it again")


def check_state_path(path: Path, taken: Sequence[str]) -> None:
    """Raises UsageError where the state file is also an input, an output or the model."""
    from aedetect.io.atomic import check_writable, same_file

    for other in taken:
        if other != STDIN and same_file(path, other):
            raise UsageError(f"{path}: the state file is also an input, an output or the model; name another")
    check_writable(path)
