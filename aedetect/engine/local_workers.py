"""Workers that are processes on this machine."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import connection
from typing import Any, NoReturn, TypeVar

from aedetect.engine.cluster import Lost
from aedetect.engine.signals import ended_by
from aedetect.errors import ExitCode

Item = TypeVar("Item")
Result = TypeVar("Result")


class LocalWorkers:
    """So many processes, made for each `map` and gone with it; see `cluster.Workers`.

    They share the threads of the machine. Nothing is done again: where one is ended from outside, what was
    not done by then is given up.
    """

    taken_part = None

    def __init__(self, number: int):
        self.number = number

    def map(
        self,
        build: Callable[[int], Callable[[Item], Result]],
        items: Sequence[Item],
        helpings: Sequence[int] | None = None,
        ahead: int | None = None,
    ) -> Generator[Result | Lost]:
        threads = max(1, (os.cpu_count() or 1) // self.number)
        # Spawned, not forked: threads of torch and Arrow do not survive a fork.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.number, context, _begin, (build, threads))
        waiting = iter(items)
        futures = deque[Future[Any]]()
        is_broken = False
        try:
            futures.extend(_submitted(pool, item) for item in islice(waiting, ahead))
            while futures:
                try:
                    result = futures[0].result()
                except BrokenProcessPool:
                    is_broken, result = True, Lost(1)
                yield result
                futures.popleft()
                futures.extend(_submitted(pool, item) for item in islice(waiting, 1))
        finally:
            # One that was just being started when another was killed knows nothing of that.
            if is_broken or not all(future.done() for future in futures):
                for process in multiprocessing.active_children():
                    process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, item: Any) -> Future[Any]:
    try:
        return pool.submit(_work, item)
    except BrokenProcessPool as error:
        future = Future[Any]()
        future.set_exception(error)
        return future


_worker: Callable[[Any], Any] | None = None


class _Stop(BaseException):
    """Unwinds what a process is at, so that its temporary files go before it does."""


_SIGNALS = {signal.SIGTERM: _Stop, signal.SIGHUP: _Stop}


@contextlib.contextmanager
def _left_in_order() -> Iterator[None]:
    """A block that the process leaves in good order when it is told to end, and ends.

    The loop that hands out items takes every exception for the outcome of one of them, and would
    go on with the next: so the process is left, not the function.
    """
    try:
        with ended_by(_SIGNALS) as stop_request:
            yield
    except _Stop:
        _end()
    if stop_request.by is not None:
        _end()


def _end(*_: object) -> NoReturn:
    os._exit(ExitCode.TERMINATED)


def _end_with(parent: int) -> None:
    """A process whose starter was killed would wait for items for ever."""
    connection.wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)


def _begin(build: Callable[[int], Callable[[Any], Any]], threads: int) -> None:
    """A process begins: it makes what works on items, and leaves interruptions to the one that started it."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _worker = build(threads)


def _work(item: Any) -> Any:
    assert _worker is not None
    with _left_in_order():
        return _worker(item)
    raise AssertionError
