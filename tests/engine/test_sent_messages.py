"""What is remembered of messages, in the file of the ledger."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from aedetect.engine.ledger import VERSION, Ledger
from aedetect.engine.sent_messages import NEW, OVER, KnownEvent, Message, SentMessages
from aedetect.errors import OutputError

DAY = 86_400.0
EVENT = KnownEvent(("m0", "x"), 10.5, 20.25, "digest", 3, True, False, {"start": "a"})
MESSAGE = Message("target", EVENT.subject, NEW, {"event": 3}, "title", "body", b"plot")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Ledger(tmp_path / "s.db").close()
    return tmp_path / "s.db"


def test_events_and_messages_are_found_again(path: Path) -> None:
    with SentMessages(path, "job") as store:
        store.enter([EVENT], [MESSAGE, replace(MESSAGE, kind=OVER)], 5.0)
    with SentMessages(path, "job") as store:
        assert store.remembers
        assert store.events() == [EVENT]
        assert store.pending("target") == [MESSAGE, replace(MESSAGE, kind=OVER)]
        store.deliver([MESSAGE], 7.0)
        filed = store.filed("target", EVENT.subject)
        assert (filed[NEW].delivered, filed[OVER].delivered) == (7.0, None)
        assert [one.kind for one in store.pending("target")] == [OVER]
        assert store.filed("other", EVENT.subject) == {}
    with SentMessages(path, "another job") as store:
        assert (store.events(), store.pending("target")) == ([], [])


def test_a_text_is_forgotten_once_it_was_delivered(path: Path) -> None:
    with SentMessages(path, "job") as store:
        store.enter([], [replace(MESSAGE, body="values of rows")], 5.0)
        store.deliver([MESSAGE], 7.0)
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT title, body, plot FROM notified_messages").fetchall() == [
            ("", "", None)
        ]
    database.close()


def test_what_is_over_for_long_is_forgotten_and_what_lasts_is_not(path: Path) -> None:
    over = replace(EVENT, begin=1.0, lasts=False)
    with SentMessages(path, "job") as store:
        messages = [MESSAGE, replace(MESSAGE, subject=over.subject)]
        store.enter([EVENT, over], messages, 0.0)
        store.deliver(messages, 0.0)
        store.enter([], [], 91 * DAY)
        assert store.events() == [EVENT]
        assert store.filed("target", over.subject) == {}
        assert store.filed("target", EVENT.subject)[NEW].delivered == 0.0


def test_what_is_given_up_is_counted(path: Path) -> None:
    with SentMessages(path, "job") as store:
        store.enter([], [MESSAGE], 0.0)
        store.enter([], [replace(MESSAGE, kind=OVER)], 10.0)
        assert store.give_up("target", 5.0) == 1
        assert [one.kind for one in store.pending("target")] == [OVER]


def test_the_ledger_reads_its_file_as_before(path: Path) -> None:
    with SentMessages(path, "job") as store:
        store.enter([EVENT], [MESSAGE], 0.0)
    with Ledger(path, create=False) as ledger:
        assert list(ledger.entries()) == []
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)
    database.close()


def test_a_file_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_text("no database at all, but a text of some length")
    with pytest.raises(
        OutputError, match=r"s\.db: what was sent cannot be noted in the state file: file is not a"
    ):
        SentMessages(tmp_path / "s.db", "job")


def test_without_a_file_nothing_outlives_the_run() -> None:
    with SentMessages(None, "job") as store:
        store.enter([EVENT], [MESSAGE], 0.0)
        assert not store.remembers
        assert store.events() == [EVENT]
    with SentMessages(None, "job") as store:
        assert store.events() == []
