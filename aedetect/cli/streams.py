"""Standard streams that whoever started the program had closed."""

from __future__ import annotations

import os
import sys


def fill_closed() -> None:
    """Give closed standard streams a place to fail at, which no file that is opened later can take.

    Reading from such an input and writing to such an output fail; messages to stderr are dropped.
    """
    for number, name, mode, access in (
        (0, "stdin", "r", os.O_WRONLY),
        (1, "stdout", "w", os.O_RDONLY),
        (2, "stderr", "w", os.O_WRONLY),
    ):
        if getattr(sys, name) is not None:
            continue
        descriptor = os.open(os.devnull, access)
        if descriptor != number:
            os.dup2(descriptor, number)
            os.close(descriptor)
        setattr(sys, name, os.fdopen(number, mode, closefd=False))
