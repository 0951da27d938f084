"""One thread of arithmetic for each task of an engine, however many of them share a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

from aedetect.models.device import CPU
from aedetect.models.threads import single_threaded


class OneThread:
    """Limits libraries to one thread from when the first task comes until the last has gone.

    They have one limit a process: each task setting it back would lift it for those still at work.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._tasks = 0
        self._limit = ExitStack()

    @contextmanager
    def each(self) -> Iterator[None]:
        """Around the work of one task."""
        with self._lock:
            if not self._tasks:
                self._limit.enter_context(single_threaded(CPU))
            self._tasks += 1
        try:
            yield
        finally:
            with self._lock:
                self._tasks -= 1
                if not self._tasks:
                    self._limit.close()


ONE_THREAD = OneThread()
