"""How long a window should be."""

from __future__ import annotations

from typing import Any

import numpy as np

from aedetect.config import Span, parse_duration
from aedetect.errors import UsageError

Matrix = np.ndarray[Any, np.dtype[np.float32]]

USUAL_WINDOW, LEAST_WINDOW = 200, 4
# A window takes at most one in so many of the rows to learn from, so that there are others to compare
# with. The more channels vary, the more of them it takes: windows then differ in more ways, and hold
# enough in fewer steps.
_ROWS_A_CHANNEL, _MOST_ROWS = 3, 20
# Few rows of several channels still make windows of so many steps.
_SHORT_WINDOW = 16
_LONGEST_LAG, _SHORTEST_LAG = 1000, 8
_INSPECTED = 20_000
_CLEAR = 0.3


def window_steps(asked: Span | None, step: float, stretches: list[Matrix]) -> int:
    """Steps of a window: as asked for, or whole periods, about `USUAL_WINDOW` steps, where there is one.

    Raises UsageError for a window below `LEAST_WINDOW` steps.
    """
    rows = sum(len(stretch) for stretch in stretches)
    if asked is not None:
        steps = asked if isinstance(asked, int) else round(float(parse_duration(asked)) / step)  # type: ignore[arg-type]
        if steps < LEAST_WINDOW:
            raise UsageError(
                f"--window {asked}: {steps} steps of {step:g} s; a window has at least {LEAST_WINDOW}"
            )
        return steps
    longest = max((len(stretch) for stretch in stretches), default=0)
    others = min(_ROWS_A_CHANNEL * max(_varying(stretches), 1), _MOST_ROWS)
    short = min(_SHORT_WINDOW, longest // _ROWS_A_CHANNEL)
    return min(USUAL_WINDOW, max(LEAST_WINDOW, short, min(rows // others, longest // _ROWS_A_CHANNEL)))


def _varying(stretches: list[Matrix]) -> int:
    """How many channels are not constant."""
    if not stretches:
        return 0
    low = np.min([stretch.min(axis=0) for stretch in stretches], axis=0)
    high = np.max([stretch.max(axis=0) for stretch in stretches], axis=0)
    return int((high > low).sum())
