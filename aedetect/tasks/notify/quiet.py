"""Keeps what libraries log while messages are sent from being printed: it may hold secrets."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import warnings
from collections.abc import Iterator

# Filters of a logger see only what is logged by its own name.
_EXCEPTION = re.compile(r"[\w ]*(?:Exception|Error):")
_NAMES = (
    "apprise",
    "urllib3",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.util.retry",
    "requests",
)


class _Listeners(logging.Filter):
    """Takes the records of threads that listen, and lets all others through."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: dict[int, list[str]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        texts = self._texts.get(record.thread or 0)
        if texts is None:
            return True
        text = record.getMessage()
        # What is sent is logged in detail as well, and may hold any words.
        if record.levelno >= logging.WARNING or _EXCEPTION.match(text):
            texts.append(text)
        return False

    @contextlib.contextmanager
    def listening(self) -> Iterator[list[str]]:
        thread = threading.get_ident()
        texts = self._texts[thread] = []
        try:
            yield texts
        finally:
            del self._texts[thread]


_listeners = _Listeners()


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """While the block runs, what the libraries log in its thread is printed nowhere; gives what failed.

    They may hold secrets: they are for telling why something failed, never to be shown.
    """
    for name in _NAMES:
        # Adding the same filter again changes nothing.
        logging.getLogger(name).addFilter(_listeners)
    with _listeners.listening() as texts:
        yield texts


@contextlib.contextmanager
def in_detail() -> Iterator[None]:
    """While the block runs, apprise logs what it otherwise leaves out, and Python's warnings, which name
    hosts, are not printed."""
    logger = logging.getLogger("apprise")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
