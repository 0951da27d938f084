"""Signals that end what a process is at, and cannot get lost.

A signal becomes an exception in whatever the main thread is at, and some code drops every
exception: finalizers, and compiled modules while they are imported. A run would then go on as if
nobody had told it to stop. So the exception is raised again until it is being dealt with.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from types import FrameType

_SECONDS_UNTIL_AGAIN = 0.5


class StopRequest:
    """What asked the process to stop while it was in the block: `by` is the exception, None without one."""

    def __init__(self) -> None:
        self.by: BaseException | None = None


@contextlib.contextmanager
def ended_by(kinds: Mapping[signal.Signals, type[BaseException]]) -> Iterator[StopRequest]:
    """A block that each of these signals ends by its exception, told once however often it is sent.

    Signals that are ignored, as `nohup` and a shell's background do, stay so. Outside the main
    thread, where signals belong to the host program, the block is left as it is.
    """
    stop_request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop_request
        return
    before = {number: signal.getsignal(number) for number in (*kinds, signal.SIGALRM)}
    report_dropped = sys.unraisablehook

    def on_dropped(dropped: sys.UnraisableHookArgs) -> None:
        # It will be raised again: there is nothing to report.
        if dropped.exc_value is not stop_request.by:
            report_dropped(dropped)

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stop_request.by is None:
            stop_request.by = kinds[signal.Signals(number)]()
            sys.unraisablehook = on_dropped
            signal.signal(signal.SIGALRM, on_signal)
            # What waits for a disk is not to be woken.
            signal.siginterrupt(signal.SIGALRM, False)
            signal.setitimer(signal.ITIMER_REAL, _SECONDS_UNTIL_AGAIN, _SECONDS_UNTIL_AGAIN)
        elif _is_dealt_with(stop_request.by):
            return
        raise stop_request.by

    for number in kinds:
        if before[number] not in (signal.SIG_IGN, None):
            signal.signal(number, on_signal)
    try:
        yield stop_request
    finally:
        if stop_request.by is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            sys.unraisablehook = report_dropped
        for number, handler in before.items():
            # Python cannot give back a handler that was not its own.
            if handler is not None:
                signal.signal(number, handler)


def _is_dealt_with(exception: BaseException) -> bool:
    """Whether the exception is on its way out: what is at work tidies up after it."""
    handled = sys.exception()
    while handled is not None:
        if handled is exception:
            return True
        handled = handled.__context__
    return False
