"""Which stream a file belongs to, when it was due, and what the ledger keeps of it."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aedetect.engine.deliveries import Facts, stream_of
from aedetect.engine.ledger import Ledger, mark_of
from aedetect.errors import OutputError
from aedetect.io.files import FileInput
from aedetect.io.locate import Location

CHANGED = datetime(2026, 3, 20, 4, 30, tzinfo=UTC)
NANOSECONDS = int(CHANGED.timestamp()) * 10**9


@pytest.mark.parametrize(
    ("path", "stream", "due"),
    [
        ("in/2026-03-01.csv", "in/<date>.csv", "2026-03-01T00:00"),
        ("in/20260301.csv", "in/<date>.csv", "2026-03-01T00:00"),
        ("in/log_2026_03_01.csv", "in/log_<date>.csv", "2026-03-01T00:00"),
        ("in/a_20260301_0230.csv", "in/a_<date>.csv", "2026-03-01T02:30"),
        ("in/2026-03-01T02-03-00Z.csv", "in/<date>.csv", "2026-03-01T02:03"),
        ("in/2026030102.csv", "in/<date>.csv", "2026-03-01T02:00"),
        # A second part of the day, and no hour.
        ("in/2026-03-01-02.csv", "in/<date>-02.csv", "2026-03-01T00:00"),
        ("d/day=2026-03-01/part-0.parquet", "d/day=<date>/part-0.parquet", "2026-03-01T00:00"),
        ("d/year=2026/month=03/day=01/x.csv", "d/year=<date>/x.csv", "2026-03-01T00:00"),
        ("d/year=2026/month=03/day=01/hour=5/x.csv", "d/year=<date>/x.csv", "2026-03-01T05:00"),
        ("d/2026/03/01/x.csv", "d/<date>/x.csv", "2026-03-01T00:00"),
        ("in/march-07.csv", "in/<date>.csv", "2026-03-07T00:00"),
        ("in/7mar2025.csv", "in/<date>.csv", "2025-03-07T00:00"),
        # The year that brings it nearest to the time of change.
        ("in/dec-31.csv", "in/<date>.csv", "2025-12-31T00:00"),
        ("in/m1-2026-03-01.csv", "in/m1-<date>.csv", "2026-03-01T00:00"),
    ],
)
def test_dates_in_names(path: str, stream: str, due: str) -> None:
    name, seconds, dated = stream_of(path, NANOSECONDS)
    assert (name, datetime.fromtimestamp(seconds, UTC).isoformat()[:16], dated) == (stream, due, True)


@pytest.mark.parametrize(
    ("path", "stream"),
    [
        ("in/dump-0001.csv", "in/dump-#.csv"),
        # Numbers of folders tell things apart, and a folder's day is not that of its files.
        ("d2/m1/7.csv", "d2/m1/#.csv"),
        ("copied-2025-01-01/in/a.csv", "copied-2025-01-01/in/a.csv"),
        ("in/2026-02-31.csv", "in/#-#-#.csv"),
        ("marching-band-12.csv", "marching-band-#.csv"),
        ("in/part-0-1b4e28ba-2fa1-11d2-883f-0016d3cca427.csv", "in/part-#-#.csv"),
    ],
)
def test_names_without_a_date(path: str, stream: str) -> None:
    assert stream_of(path, NANOSECONDS) == (stream, CHANGED.timestamp(), False)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a1.csv").write_text("x\n1\n")


def source(path: str = "a1.csv") -> FileInput:
    return FileInput(Location(path, path))


def add(ledger: Ledger, facts: Facts | None = None, model: str = "m1") -> None:
    ledger.add(source(), mark_of(source()), model, None, 7, 2, (), facts)


STREAM = "a#.csv"


def test_what_was_seen_stands_in_the_ledger() -> None:
    with Ledger("s.db") as ledger:
        add(ledger, Facts(1.5, {"x": 3}, [("m1", "é"), ("m2", "")]))
        (one,) = ledger.deliveries([os.path.realpath(STREAM)])
        assert (one.rows, one.anomalies, one.threshold, one.missing) == (7, 2, 1.5, {"x": 3})
        assert one.entities == {("m1", "é"), ("m2", "")}
        assert ledger.newest_paths() == {os.path.realpath(STREAM): os.path.realpath("a1.csv")}
        (count,) = ledger.stream_counts()
        assert (count.files, count.least_rows, count.most_rows) == (1, 7, 7)


def test_a_file_that_is_written_anew_is_another_delivery() -> None:
    with Ledger("s.db") as ledger:
        for seconds in (1_700_000_000, 1_700_086_400):
            os.utime("a1.csv", (seconds, seconds))
            add(ledger)
        found = ledger.deliveries([os.path.realpath(STREAM)])
        assert [one.due for one in found] == [1_700_086_400, 1_700_000_000]
        assert len(list(ledger.entries())) == 1


def test_what_is_not_looked_at_any_more_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aedetect.engine.deliveries.MOST_LOOKED_AT", 4)
    monkeypatch.setattr("aedetect.engine.deliveries._ENTITIES_LOOKED_AT", 2)
    with Ledger("s.db") as ledger:
        for day in range(6):
            os.utime("a1.csv", (1_700_000_000 + 86_400 * day,) * 2)
            add(ledger, Facts(entities=[("m",)]))
    with sqlite3.connect("s.db") as database:
        kept = database.execute("SELECT due, entities FROM deliveries ORDER BY due").fetchall()
    database.close()
    assert [round((due - 1_700_000_000) / 86_400) for due, _ in kept] == [2, 3, 4, 5]
    assert [names is not None for _, names in kept] == [False, False, True, True]


def test_forgetting_forgets_what_was_seen() -> None:
    with Ledger("s.db") as ledger:
        add(ledger)
        add(ledger, model="m2")
        ledger.forget([os.path.realpath("a1.csv")], "m2")
        assert [one.model for one in ledger.deliveries([os.path.realpath(STREAM)])] == ["m1"]


@pytest.mark.parametrize("version", [1, 2])
def test_older_ledgers_are_brought_up_to_date_in_place(version: int) -> None:
    with Ledger("s.db") as ledger:
        add(ledger)
    with sqlite3.connect("s.db") as database:
        database.execute("DROP TABLE deliveries")
        if version == 1:
            database.execute("DROP TABLE tails")
        database.execute(f"PRAGMA user_version = {version}")
    database.close()
    before = Path("s.db").read_bytes()
    with Ledger("s.db", create=False) as shown:
        assert shown.stream_counts() == []
        assert len(list(shown.entries())) == 1
    assert Path("s.db").read_bytes() == before
    with Ledger("s.db") as ledger:
        assert ledger.knows(source(), "m1")
        (one,) = ledger.deliveries([os.path.realpath(STREAM)])
        assert (one.rows, one.anomalies, one.missing, one.entities) == (7, 2, None, None)


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger("s.db") as ledger:
        add(ledger)
    with sqlite3.connect("s.db") as database:
        database.execute("DROP TABLE deliveries")
        database.execute("PRAGMA user_version = 2")
    database.close()

    def fail(database: sqlite3.Connection) -> None:
        database.execute("CREATE TABLE deliveries (path TEXT)")
        raise sqlite3.OperationalError("no")

    monkeypatch.setattr("aedetect.engine.ledger._MIGRATIONS", (fail, fail))
    with pytest.raises(OutputError, match="the state file"):
        Ledger("s.db")
    with sqlite3.connect("s.db") as database:
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
    database.close()
    assert "deliveries" not in tables


@pytest.mark.parametrize("statement", ["DROP TABLE deliveries", "UPDATE deliveries SET missing = '{'"])
def test_a_damaged_table_is_an_error(statement: str) -> None:
    with Ledger("s.db") as ledger:
        add(ledger, Facts(1.0, {"x": 0}, [("m",)]))
    with sqlite3.connect("s.db") as database:
        database.execute(statement)
    database.close()
    with pytest.raises(OutputError, match=r"s\.db: the state file is damaged"), Ledger("s.db") as ledger:
        ledger.deliveries([os.path.realpath(STREAM)])
