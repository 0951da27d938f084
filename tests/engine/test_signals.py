"""Signals end a block by an exception, once, and also where the first one gets lost."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from aedetect.engine.signals import ended_by


class Stop(BaseException):
    """What SIGUSR1 is turned into here."""


KINDS = {signal.SIGUSR1: Stop}


@pytest.fixture(autouse=True)
def _ignored_elsewhere() -> Iterator[None]:
    """What a test leaves to the default would end the test run."""
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    yield
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    signal.signal(signal.SIGUSR1, before)


def tell() -> None:
    signal.raise_signal(signal.SIGUSR1)


def wait(seconds: float) -> None:
    ended_by_now = time.monotonic() + seconds
    while time.monotonic() < ended_by_now:
        time.sleep(0.01)


def ends(work: Callable[[], None]) -> bool:
    """Whether the signal's exception leaves the block."""
    try:
        with ended_by(KINDS):
            work()
    except Stop:
        return True
    return False


def test_a_signal_ends_the_block() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    after = []

    def work() -> None:
        tell()
        after.append(True)

    assert ends(work)
    assert after == []
    assert signal.getsignal(signal.SIGUSR1) is before


def test_an_exception_that_something_dropped_comes_again() -> None:
    after = []

    def work() -> None:
        for _ in range(2):
            with contextlib.suppress(Stop):
                tell()
                wait(20)
        wait(20)
        after.append(True)

    assert ends(work)
    assert after == []


def test_what_tidies_up_is_left_alone() -> None:
    tidied = []

    def work() -> None:
        try:
            tell()
        finally:
            wait(0.7)
            tell()
            with contextlib.suppress(OSError):
                os.unlink("/no/such/file")
            tidied.append(True)

    assert ends(work)
    assert tidied == [True]


def test_a_block_that_ends_all_the_same_tells() -> None:
    with ended_by(KINDS) as told, contextlib.suppress(Stop):
        tell()
    assert isinstance(told.by, Stop)
    with ended_by(KINDS) as told:
        pass
    assert told.by is None


def test_an_ignored_signal_stays_ignored() -> None:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    with ended_by(KINDS):
        tell()


def test_other_threads_leave_signals_alone() -> None:
    seen = []

    def work() -> None:
        with ended_by(KINDS) as told:
            seen.append((signal.getsignal(signal.SIGUSR1), told.by))

    before = signal.getsignal(signal.SIGUSR1)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(before, None)]


def test_what_a_finalizer_drops_is_not_reported_as_it_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", report := reported.append)

    class Dropping:
        def __del__(self) -> None:
            tell()

    class Failing:
        def __del__(self) -> None:
            raise ValueError

    def work() -> None:
        with contextlib.suppress(Stop):
            Dropping()
            Failing()
            wait(20)
        wait(20)

    assert ends(work)
    assert [type(each.exc_value) for each in reported] == [ValueError]  # type: ignore[attr-defined]
    assert sys.unraisablehook is report
