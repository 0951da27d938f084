"""Freed memory that goes back to the system."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Make the C library part with memory that was freed; does nothing where it cannot be told.

    That of Linux (glibc) holds on to what large arrays leave, piece by piece, and more with each series.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
