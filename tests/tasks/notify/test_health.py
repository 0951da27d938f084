"""Messages on the health of dumps: once, and a reminder while files are late."""

from __future__ import annotations

from typing import Any

from aedetect.engine.sent_messages import NEW, REMINDER, SentMessages
from aedetect.tasks.notify.compose import Job
from aedetect.tasks.notify.health import health_messages
from aedetect.tasks.notify.request import NotifyRequest
from aedetect.tasks.notify.targets import Target

REQUEST = NotifyRequest([Target(None, "digest", "json://h")], remind=100.0)


def finding(kind: str, text: str, high: float = 9.4, name: str = "d/#.csv") -> dict[str, Any]:
    return {"kind": kind, "input": name, "text": text, "high": high}


LATE = finding("late", "d/#.csv: no file has come")


def said(
    store: SentMessages, now: float, *findings: dict[str, Any], took: bool = True
) -> list[tuple[str, ...]]:
    """What is made and delivered by a run at that time: kind, title and body."""
    messages = health_messages(findings, REQUEST, store, now, Job("aedetect m", f"{now}"))
    store.enter((), messages, now)
    if took:
        store.deliver(messages, now)
    return [(one.kind, one.title, one.body) for one in messages]


def test_what_the_files_of_a_run_show_is_one_message_and_silences_are_none_of_it() -> None:
    silent = finding("silence", "machine m1: no row")
    with SentMessages(None, "job") as store:
        assert said(store, 0, finding("rows", "a.csv: 1 row"), silent, finding("empty", "a.csv: empty")) == [
            (NEW, "aedetect m: 2 findings on the health of dumps", "a.csv: 1 row\na.csv: empty")
        ]
        assert said(store, 1, finding("rows", "b.csv: 2 rows")) == [
            (NEW, "aedetect m: 1 finding on the health of dumps", "b.csv: 2 rows")
        ]
        assert said(store, 2, silent) == []


def test_that_files_are_late_is_told_once_until_a_reminder_is_due() -> None:
    body = LATE["text"]
    with SentMessages(None, "job") as store:
        assert said(store, 0, LATE, took=False) == [(NEW, "aedetect m: d/#.csv is late", body)]
        assert said(store, 1, LATE) == [(NEW, "aedetect m: d/#.csv is late", body)]
        assert said(store, 100, LATE) == []
        assert said(store, 101, LATE) == [(REMINDER, "aedetect m: d/#.csv is still late", body)]
        assert said(store, 200, LATE) == []
        # Another file came, and the next one is late again.
        assert said(store, 201, {**LATE, "high": 12.2}) == [(NEW, "aedetect m: d/#.csv is late", body)]


def test_many_findings_are_cut() -> None:
    with SentMessages(None, "job") as store:
        ((_, title, body),) = said(store, 0, *(finding("rows", f"{place}.csv") for place in range(23)))
    assert title.startswith("aedetect m: 23 findings")
    assert body.splitlines()[-2:] == ["19.csv", "and 3 more"]
