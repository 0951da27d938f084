"""Waiting for what is to happen, and no longer."""

from __future__ import annotations

import time
from collections.abc import Callable
from subprocess import Popen
from typing import Any, TypeVar

T = TypeVar("T")
_PAUSE = 0.002


def until(condition: Callable[[], T], seconds: float = 300, process: Popen[Any] | None = None) -> T:
    """What `condition` gives once that is true; a failure where it is not within `seconds`.

    With `process`, also where that ends before: then the condition can no longer come true.
    """
    deadline = time.monotonic() + seconds
    while True:
        ended = process is not None and process.poll() is not None
        if found := condition():
            return found
        assert not ended, "the process ended before what was waited for"
        assert time.monotonic() < deadline, f"what was waited for did not come within {seconds:g} seconds"
        time.sleep(_PAUSE)
