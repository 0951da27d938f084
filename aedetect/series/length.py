"""How long a window should be."""

from __future__ import annotations

from typing import Any

import numpy as np

from aedetect.config import Span, parse_duration
from aedetect.errors import UsageError

Matrix = np.ndarray[Any, np.dtype[np.float32]]

USUAL_WINDOW, LEAST_WINDOW = 200, 4
# A window takes at most this share of the rows to learn from, so that there are others to compare with.
_MOST_SHARE = 3
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
    most = max(
        LEAST_WINDOW, min(rows // _MOST_SHARE, max((len(s) for s in stretches), default=0) // _MOST_SHARE)
    )
    return min(USUAL_WINDOW, most)
