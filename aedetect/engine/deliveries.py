"""What the ledger keeps of each delivery: when it was due, how large it was, what it held.

A delivery is an input as it was scored, under its path and its time of change. Deliveries of one stream are
what a feed brings: files of one folder whose names differ by a date, or by numbers. A stream is named by what
its files have in common, `dumps/march-<date>.csv`.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

# Of a stream, the newest deliveries are looked at: two months of hourly ones.
MOST_LOOKED_AT = 1_500
_ENTITIES_LOOKED_AT = 60
# An input with more names than this has no entities that could stop, but names that never come again.
MOST_ENTITIES = 10_000

TABLES = (
    """
CREATE TABLE deliveries (
    path TEXT NOT NULL, model TEXT NOT NULL, modified INTEGER NOT NULL, stream TEXT NOT NULL,
    due REAL NOT NULL, dated INTEGER NOT NULL, sha256 TEXT, rows INTEGER NOT NULL,
    anomalies INTEGER NOT NULL, threshold REAL, missing TEXT, entities TEXT, scored TEXT NOT NULL,
    PRIMARY KEY (path, model, modified)
) WITHOUT ROWID
""",
    "CREATE INDEX deliveries_by_stream ON deliveries (stream, due)",
)

DATE = "<date>"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    "(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    "oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
# What may stand between year, month and day: '2026-03-01', '20260301', 'year=2026/month=03/day=01'.
_BETWEEN = "[-_. /]?(?:[a-z]+=)?"
_CLOCK = (
    r"(?:[-_. ]?([01]\d|2[0-3])[-_.:h]?([0-5]\d)(?:[-_.:m]?([0-5]\d))?z?|t([01]\d|2[0-3])|"
    r"[-_. /]?h(?:our)?=([01]?\d|2[0-3]))"
)
_NUMBERS_FIRST = re.compile(
    rf"(?<!\d)((?:19|20)\d\d){_BETWEEN}(0[1-9]|1[0-2]){_BETWEEN}(0[1-9]|[12]\d|3[01])"
    rf"(?:t?{_CLOCK}|([01]\d|2[0-3]))?(?!\d)",
    re.IGNORECASE,
)
_NAME_FIRST = re.compile(
    rf"(?<![a-z]){_MONTH}[-_. ]?(\d{{1,2}})(?:[-_. ,]+((?:19|20)\d\d))?(?!\d)", re.IGNORECASE
)
_DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}})[-_. ]?{_MONTH}(?:[-_. ]?((?:19|20)\d\d))?(?![a-z\d])", re.IGNORECASE
)
_UNIQUE = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Facts:
    """What was seen of an input while it was scored.

    `missing`: cells without a value, by column; `entities`: the names of what its rows are of, None where
    they are not known or more than `MOST_ENTITIES`. `threshold`: what rows were flagged above.
    """

    threshold: float | None = None
    missing: Mapping[str, int] | None = None
    entities: Sequence[tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Delivery:
    """One delivery. `modified`: its time of change, in nanoseconds since 1970.

    `due`: the time it stands for, in seconds since 1970: the date in its name where it is `dated`, else its
    time of change. What was not kept by the version that scored it is None.
    """

    path: str
    model: str
    modified: int
    stream: str
    due: float
    dated: bool
    sha256: str | None
    rows: int
    anomalies: int
    threshold: float | None
    missing: Mapping[str, int] | None
    entities: frozenset[tuple[str, ...]] | None
    scored: str

    @classmethod
    def of(
        cls, path: str, modified: int, rows: int = 0, anomalies: int = 0, facts: Facts | None = None
    ) -> Delivery:
        """A delivery that no ledger holds yet, whose model is of no account."""
        stream, due, dated = stream_of(path, modified)
        facts = facts or Facts()
        names = None if facts.entities is None else frozenset(facts.entities)
        return cls(
            path, "", modified, stream, due, dated, None, rows, anomalies, facts.threshold, facts.missing,
            names, "",
        )  # fmt: skip

    @property
    def arrived(self) -> float:
        """When it was last changed, in seconds since 1970."""
        return self.modified / 1e9


_NAMES = [field.name for field in fields(Delivery)]
_COLUMNS = ", ".join(_NAMES)


@dataclass(frozen=True)
class StreamCount:
    """How many deliveries of a stream are known, over which time (seconds since 1970), and their sizes."""

    stream: str
    files: int
    first: float
    last: float
    least_rows: int
    most_rows: int


def stream_of(path: str, modified: int) -> tuple[str, float, bool]:
    """The stream of a file, when it is due (seconds since 1970), and whether a date in its path says so.

    Dates are read as UTC: year, month and day in this order, with a time of day or not, or with the name of
    the month; where there is no year, that which brings it nearest to the time of change. A name without a
    date has its numbers taken out, and is due at its time of change.
    """
    arrived = modified / 1e9
    folder, slash, name = path.rpartition("/")
    for pattern, moment_of in _DATES:
        for match in reversed(list(pattern.finditer(path))):
            # Folders that are dates, or 'day=' and a date; not one that was named after the day it was made.
            if match.start() <= len(folder) and path[match.start() - 1 : match.start()] not in ("/", "=", ""):
                continue
            moment = moment_of(match, arrived)
            if moment is not None:
                stream = f"{path[: match.start()]}{DATE}{path[match.end() :]}"
                return _UNIQUE.sub("#", stream), moment, True
    return f"{folder}{slash}{re.sub(r'[0-9]+', '#', _UNIQUE.sub('#', name))}", arrived, False


def _of_numbers(match: re.Match[str], arrived: float) -> float | None:
    year, month, day, hour, minute, second, *hours = match.groups()
    hour = hour or next((each for each in hours if each), None)
    return _seconds(int(year), int(month), int(day), (int(hour or 0), int(minute or 0), int(second or 0)))


def _of_month(match: re.Match[str], arrived: float) -> float | None:
    return _nearest(match[3], match[1], match[2], arrived)


def _of_day(match: re.Match[str], arrived: float) -> float | None:
    return _nearest(match[3], match[2], match[1], arrived)


def _nearest(year: str | None, month: str, day: str, arrived: float) -> float | None:
    number = _MONTHS.index(month[:3].lower()) + 1
    if year is not None:
        return _seconds(int(year), number, int(day))
    near = datetime.fromtimestamp(arrived, UTC).year
    moments = [_seconds(each, number, int(day)) for each in (near - 1, near, near + 1)]
    return min(
        (moment for moment in moments if moment is not None),
        key=lambda moment: abs(moment - arrived),
        default=None,
    )


def _seconds(year: int, month: int, day: int, clock: tuple[int, int, int] = (0, 0, 0)) -> float | None:
    """The time of a date, and hour, minute and second; None for the 30th of February, say."""
    try:
        return datetime(year, month, day, *clock, tzinfo=UTC).timestamp()
    except ValueError:
        return None


_DATES = ((_NUMBERS_FIRST, _of_numbers), (_NAME_FIRST, _of_month), (_DAY_FIRST, _of_day))


def add(
    database: sqlite3.Connection,
    path: str,
    model: str,
    modified: int,
    sha256: str | None,
    counts: tuple[int, int],
    facts: Facts,
    scored: str,
) -> None:
    """Enter a delivery; `counts`: its rows, and how many of them were flagged. For use in a transaction."""
    stream, due, dated = stream_of(path, modified)
    missing = None if facts.missing is None else json.dumps(dict(facts.missing))
    names = None if facts.entities is None else json.dumps([list(name) for name in facts.entities])
    values = (
        path, model, modified, stream, due, dated, sha256, *counts, facts.threshold, missing, names, scored
    )  # fmt: skip
    marks = ", ".join("?" * len(values))
    database.execute(f"INSERT OR REPLACE INTO deliveries ({_COLUMNS}) VALUES ({marks})", values)
    # What is not looked at any more goes, so that the file does not grow for ever.
    older = "FROM deliveries WHERE stream = ? ORDER BY due DESC LIMIT 1 OFFSET ?"
    for change, after in (
        ("DELETE FROM deliveries", MOST_LOOKED_AT),
        ("UPDATE deliveries SET entities = NULL", _ENTITIES_LOOKED_AT),
    ):
        database.execute(
            f"{change} WHERE stream = ? AND due < (SELECT due {older})", (stream, stream, after - 1)
        )


def read(database: sqlite3.Connection, streams: Sequence[str]) -> Iterator[Delivery]:
    """The newest deliveries of each of these streams, the last first. Raises ValueError for damaged ones."""
    query = f"SELECT {_COLUMNS} FROM deliveries WHERE stream = ? ORDER BY due DESC LIMIT {MOST_LOOKED_AT}"
    for stream in streams:
        for place, row in enumerate(database.execute(query, (stream,)).fetchall()):
            stored: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
            missing, names = stored["missing"], stored["entities"]
            known = names is not None and place < _ENTITIES_LOOKED_AT
            stored["missing"] = None if missing is None else json.loads(missing)
            stored["entities"] = frozenset(map(tuple, json.loads(names))) if known else None
            yield Delivery(**stored | {"dated": bool(stored["dated"])})


def newest_paths(database: sqlite3.Connection) -> dict[str, str]:
    """The path of the last delivery of each stream."""
    # Of a query with one MAX(), SQLite gives the other columns of the row that holds it.
    rows = database.execute("SELECT stream, path, MAX(due) FROM deliveries GROUP BY stream")
    return {stream: path for stream, path, _ in rows}


def counts(database: sqlite3.Connection, model: str) -> list[StreamCount]:
    """What is known of each stream from models whose digest begins so."""
    rows = database.execute(
        "SELECT stream, COUNT(DISTINCT path || '/' || modified), MIN(due), MAX(due), MIN(rows), MAX(rows) "
        "FROM deliveries WHERE substr(model, 1, ?) = ? GROUP BY stream ORDER BY stream",
        (len(model), model),
    )
    return [StreamCount(*row) for row in rows]


def migrate(database: sqlite3.Connection) -> None:
    """Make the tables, and enter what older ledgers kept of their inputs. For use in a transaction."""
    for table in TABLES:
        database.execute(table)
    query = "SELECT path, model, modified, sha256, rows, anomalies, scored FROM scored"
    for path, model, modified, sha256, rows, anomalies, scored in database.execute(query).fetchall():
        add(database, path, model, modified, sha256, (rows, anomalies), Facts(), scored)
