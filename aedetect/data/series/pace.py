"""Whether rows come as often as those that were learned."""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import Floats
from aedetect.data.series.counted import Counted
from aedetect.data.series.timestamps import span

# Steps that differ by such a factor are another pace; fewer than so many tell none.
_OTHER, _LEAST = 1.5, 20


def pauses_of(seconds: Floats) -> Floats:
    """The pauses between the instants of the rows of one series, `seconds` [rows], which may be NaN."""
    times = np.unique(seconds)
    return np.diff(times[~np.isnan(times)])


def pace_notice(pauses: Counted, step: float) -> str | None:
    """What is to be said where the usual step of rows is not the `step` learned; None where it is.

    `pauses`: those of all series.
    """
    if len(pauses) < _LEAST:
        return None
    usual = pauses.median()
    if 1 / _OTHER <= usual / step <= _OTHER:
        return None
    what = (
        f"rows are gathered to steps of {span(step)}, and each has the verdict of its step"
        if usual < step
        else "the steps between are taken as missing, which tells less; train on rows like these"
    )
    return f"steps are {span(usual)}, {span(step)} were learned: {what}"
