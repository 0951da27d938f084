"""Whether rows come as often as those that were learned."""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import Floats, Integers
from aedetect.data.series.order import by_series
from aedetect.data.series.timestamps import span

# Steps that differ by such a factor are another pace; fewer than so many tell none.
_OTHER, _LEAST = 1.5, 20


def pace_notice(seconds: Floats, series: Integers, step: float) -> str | None:
    """What is to be said where the usual step of rows [rows] is not the `step` learned; None where it is."""
    times = [np.unique(seconds[places]) for _, places in by_series(seconds, series)]
    pauses = np.concatenate([np.empty(0), *(np.diff(part[~np.isnan(part)]) for part in times)])
    if len(pauses) < _LEAST:
        return None
    usual = float(np.median(pauses))
    if 1 / _OTHER <= usual / step <= _OTHER:
        return None
    what = (
        f"rows are gathered to steps of {span(step)}, and each has the verdict of its step"
        if usual < step
        else "the steps between are taken as missing, which tells less; train on rows like these"
    )
    return f"steps are {span(usual)}, {span(step)} were learned: {what}"
