"""Numbers as a line of blocks, or of other characters where a stream knows no blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TextIO

_BLOCKS, _ASCII = "▁▂▃▄▅▆▇█", "_.-:=+*#"


def levels_of(stream: TextIO) -> str:
    """The characters that stand for low to high on `stream`."""
    try:
        _BLOCKS.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _ASCII
    return _BLOCKS


def bars(counts: Sequence[float], levels: str = _BLOCKS) -> str:
    """One character for each of `counts`, from 0 to the largest; the lowest for 0 alone, a space for NaN."""
    most = max((count for count in counts if not math.isnan(count)), default=0.0)
    steps = len(levels) - 1
    return "".join(
        " " if math.isnan(count) else levels[math.ceil(steps * count / most) if most else 0]
        for count in counts
    )


def sparkline(values: Sequence[float], levels: str = _BLOCKS) -> str:
    """One character for each of `values`; a space for NaN. Values that are all alike lie in the middle."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return " " * len(values)
    low, high = min(known), max(known)
    if low == high:
        return "".join(" " if math.isnan(value) else levels[len(levels) // 2 - 1] for value in values)
    scale = len(levels) / (high - low)
    return "".join(
        " " if math.isnan(value) else levels[min(len(levels) - 1, int(scale * (value - low)))]
        for value in values
    )
