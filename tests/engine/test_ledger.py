"""What the ledger takes for the same input, and that it is never silently empty."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.waiting import until

from aedetect.engine.ledger import Ledger, check_unchanged, is_young, look, mark_of
from aedetect.errors import DataError, OutputError, UsageError
from aedetect.io.files import FileInput
from aedetect.io.locate import Location

LONG_AGO = 1_700_000_000


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("x\n1\n")
    os.utime("a.csv", (LONG_AGO, LONG_AGO))


def source(path: str = "a.csv") -> FileInput:
    return FileInput(Location(path, path))


def add(ledger: Ledger, path: str = "a.csv", model: str = "m1") -> None:
    ledger.add(source(path), mark_of(source(path)), model, "out.csv", 1, 0)


def rewritten() -> None:
    Path("a.csv").write_text("x\n1\n")


def restored() -> None:
    shutil.copy2("a.csv", "b.csv")
    os.replace("b.csv", "a.csv")


def reached_another_way() -> None:
    Path("link.csv").symlink_to("a.csv")


@pytest.mark.parametrize("happens", [lambda: None, rewritten, restored])
def test_the_same_content_at_the_same_place_is_known(happens: Callable[[], None]) -> None:
    with Ledger("s.db") as ledger:
        add(ledger)
        happens()
        assert ledger.knows(source(), "m1")
        assert ledger.knows(source(), "m1")


def test_a_link_is_what_it_leads_to() -> None:
    reached_another_way()
    with Ledger("s.db") as ledger:
        add(ledger)
        assert ledger.knows(source("link.csv"), "m1")


def test_another_model_knows_nothing() -> None:
    with Ledger("s.db") as ledger:
        add(ledger)
        assert not ledger.knows(source(), "m2")


@pytest.mark.parametrize("text", ["x\n2\n", "x\n1\n1\n", ""])
def test_other_content_is_new_even_if_its_times_are_set_back(text: str) -> None:
    with Ledger("s.db") as ledger:
        add(ledger)
        Path("a.csv").write_text(text)
        os.utime("a.csv", (LONG_AGO, LONG_AGO))
        assert not ledger.knows(source(), "m1")


def test_an_unchanged_file_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aedetect.engine.ledger.RACY_SECONDS", 0.0)
    until(lambda: time.time_ns() > os.stat("a.csv").st_ctime_ns)

    def refuse(_: FileInput) -> str:
        raise AssertionError("it was read")

    with Ledger("s.db") as ledger:
        add(ledger)
        monkeypatch.setattr("aedetect.engine.ledger.digest_of", refuse)
        assert ledger.knows(source(), "m1")


def test_the_same_content_elsewhere_is_told() -> None:
    shutil.copy("a.csv", "b.csv")
    with Ledger("s.db") as ledger:
        add(ledger)
        assert not ledger.knows(source("b.csv"), "m1")
        assert ledger.same_content(mark_of(source("b.csv")), os.path.realpath("b.csv"), "m1") == (
            os.path.realpath("a.csv")
        )


def test_entries_outlive_the_process() -> None:
    with Ledger("s.db") as ledger:
        add(ledger)
    with Ledger("s.db", create=False) as ledger:
        assert [(entry.path, entry.model, entry.rows) for entry in ledger.entries()] == [
            (os.path.realpath("a.csv"), "m1", 1)
        ]


def test_forgetting() -> None:
    Path("b.csv").write_text("x\n2\n")
    with Ledger("s.db") as ledger:
        for path, model in (("a.csv", "m1"), ("a.csv", "m2"), ("b.csv", "m1")):
            add(ledger, path, model)
        assert len(ledger.forget([os.path.realpath("a.csv")], "m2")) == 1
        assert ledger.forget(["elsewhere"], None) == []
        assert len(ledger.forget([], None)) == 2
        assert list(ledger.entries()) == []


def spoilt(change: Callable[[bytes], bytes]) -> None:
    with Ledger("s.db") as ledger:
        for model in range(200):
            add(ledger, model=f"model {model}")
    Path("s.db").write_bytes(change(Path("s.db").read_bytes()))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:100],
        lambda data: data[:5000],
        lambda data: data[:4096] + os.urandom(4096) + data[8192:],
        lambda data: b"\0" * len(data),
        lambda _: b"path,model\n",
        lambda _: b"",
    ],
)
def test_a_damaged_state_file_is_an_error_and_never_empty(change: Callable[[bytes], bytes]) -> None:
    spoilt(change)
    before = Path("s.db").read_bytes()
    with pytest.raises(OutputError, match=r"s\.db: the state file is damaged; restore it from a backup"):
        Ledger("s.db")
    assert Path("s.db").read_bytes() == before


def test_a_database_of_something_else_is_refused() -> None:
    with sqlite3.connect("s.db") as other:
        other.execute("CREATE TABLE scored (x)")
    other.close()
    with pytest.raises(OutputError, match=r"s\.db: not a state file of aedetect; name another"):
        Ledger("s.db")


def test_a_newer_state_file_is_refused() -> None:
    Ledger("s.db").close()
    with sqlite3.connect("s.db") as newer:
        newer.execute("PRAGMA user_version = 9")
    newer.close()
    with pytest.raises(OutputError, match=r"made by a newer aedetect \(state version 9\); upgrade"):
        Ledger("s.db")


def test_no_state_file_to_show() -> None:
    with pytest.raises(OutputError, match=r"^s\.db: no such state file$"):
        Ledger("s.db", create=False)


def test_standard_input_cannot_be_remembered() -> None:
    with Ledger("s.db") as ledger, pytest.raises(UsageError, match="standard input cannot be recognised"):
        ledger.knows(source("-"), "m1")


def test_young_files() -> None:
    now = time.time()
    for age, young in ((0, True), (50, True), (70, False), (-50, True), (-3600, False)):
        os.utime("a.csv", (now - age, now - age))
        assert is_young(source(), 60) == young, age


def test_a_file_that_changes_while_it_is_read() -> None:
    mark = mark_of(source())
    check_unchanged(source(), mark)
    Path("a.csv").write_text("x\n1\n2\n")
    with pytest.raises(DataError, match=r"a\.csv: changed while it was read; the next run will try it again"):
        check_unchanged(source(), mark)


def test_a_file_that_is_gone() -> None:
    with pytest.raises(DataError, match=r"no\.csv: cannot be read: No such file or directory"):
        look(source("no.csv"))
