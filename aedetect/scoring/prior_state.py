"""What a run on time series knows of earlier ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aedetect.data.series.context import CarryOver, SeriesContext
from aedetect.data.series.entities import Name
from aedetect.io.source import Input

if TYPE_CHECKING:
    from aedetect.detector import Detector


@dataclass(frozen=True)
class Remembered:
    """What earlier runs left: the ends of series, and inputs that went before.

    These are read again only where the ends will not do: there are none yet, or an input comes late.
    """

    tails: CarryOver
    earlier: Sequence[Input] = ()


def kept_tails(detector: Detector, known: Mapping[Name, SeriesContext]) -> CarryOver:
    """What a model of time series keeps of each series for its next rows, `known` from earlier runs.

    Two windows: the windows of the next rows reach back one, and so do the scores that decide whether
    an event goes on.
    """
    assert detector.series is not None
    state, scales = detector.series.state, detector.series.scales
    length = 2 * state.window + detector.config.series.smoothing
    if scales is None:
        return CarryOver(known, length, state.gap)
    return CarryOver(known, length, state.gap, state.beginning, frozenset(scales.names))
