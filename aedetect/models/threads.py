"""How many threads arithmetic takes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from threadpoolctl import ThreadpoolController

from aedetect.models.device import CPU


def use_threads(count: int) -> None:
    """So many threads from now on, in this process."""
    ThreadpoolController().limit(limits=count, user_api="blas")


@contextmanager
def single_threaded(device: str) -> Iterator[int]:
    """On a CPU, the threads of numpy's and torch's products set to one.

    For small matrices they cost more than they bring, and a row's results must not depend on their number.

    Gives the number of threads there were, which the caller may put to better use.
    """
    libraries = ThreadpoolController()
    counts = [int(library["num_threads"]) for library in libraries.info() if library["user_api"] == "blas"]
    before = max(counts, default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    with ExitStack() as stack:
        if device == CPU:
            stack.enter_context(libraries.limit(limits=1))
            # Its own are set only where somebody trains: it is never imported for this.
            torch = sys.modules.get("torch")
            if torch is not None:
                stack.callback(torch.set_num_threads, torch.get_num_threads())
                torch.set_num_threads(1)
        yield before
