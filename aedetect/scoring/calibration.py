"""From the scores of normal rows the network never saw to thresholds and p-values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aedetect.data.arrays import Floats

_TAIL_SHARE = 0.1
_TAIL_ROWS = 10
# A tail that ends (negative shape) would give all scores beyond its end the same p-value.
_LEAST_SHAPE, _MOST_SHAPE = 0.05, 2.0


@dataclass(frozen=True)
class Calibration:
    """Floats of held-out normal rows, ascending; shape [rows].

    p-values are split-conformal (Vovk et al., 2005): (1 + rows at least as strange) / (1 + rows).
    Beyond the last row they go on along a generalised Pareto tail (Pickands, 1975) fitted by
    probability-weighted moments (Hosking & Wallis, 1987), so that extreme rows still differ.
    """

    scores: Floats

    def __post_init__(self) -> None:
        if not len(self.scores) or not np.isfinite(self.scores).all():
            raise ValueError("calibration needs finite scores")

    @property
    def smallest_rate(self) -> float:
        """The smallest alert rate that rests on the rows themselves rather than on the tail."""
        return 1 / (1 + len(self.scores))

    def threshold(self, alert_rate: float) -> float:
        """The score above which a share of at most `alert_rate` of normal rows is expected."""
        rank = math.floor(alert_rate * (1 + len(self.scores)) + 1e-9)
        if rank >= 1:
            return float(self.scores[-min(rank, len(self.scores))])
        shape, spread = self.tail
        excess = ((alert_rate / self.smallest_rate) ** -shape - 1) / shape
        return float(self.scores[-1] + spread * excess)

    def p_values(self, scores: Floats) -> Floats:
        """p-values in (0, 1] of `scores` [rows]; NaN stays NaN."""
        rows = len(self.scores)
        stranger = rows - np.searchsorted(self.scores, scores, side="left")
        values = (1 + stranger) / (1 + rows)
        beyond = scores > self.scores[-1]
        shape, spread = self.tail
        # An excess too large for a float64 is infinite, and its p-value the smallest there is.
        with np.errstate(over="ignore"):
            excess = np.where(beyond, scores - self.scores[-1], 0.0) / spread
        tail = self.smallest_rate * (1 + shape * excess) ** (-1 / shape)
        values = np.where(beyond, np.maximum(tail, np.finfo(np.float64).tiny), values)
        return np.where(np.isnan(scores), np.nan, values)

    @cached_property
    def tail(self) -> tuple[float, float]:
        """Shape, and spread at the last calibration row, of the tail beyond it."""
        rows = min(max(int(_TAIL_SHARE * len(self.scores)), _TAIL_ROWS), len(self.scores) - 1)
        level = float(np.abs(self.scores[-1])) or 1.0
        if rows < 2:
            return _LEAST_SHAPE, level
        start = self.scores[-rows - 1]
        excesses = self.scores[-rows:] - start
        first = float(excesses.mean())
        weights = (rows - 1 - np.arange(rows)) / (rows - 1)
        second = float((excesses * weights).mean())
        if first <= 1e-12 * level or first - 2 * second <= 1e-12 * level:
            return _LEAST_SHAPE, max(first, 1e-6 * level)
        shape = float(np.clip(2 - first / (first - 2 * second), _LEAST_SHAPE, _MOST_SHAPE))
        spread = 2 * first * second / (first - 2 * second)
        # The excesses over a higher start are again Pareto, with the spread grown along the shape.
        return shape, max(spread + shape * float(self.scores[-1] - start), 1e-6 * level)


def without_highest(scores: Floats, share: float) -> Floats:
    """Scores [rows], ascending, without that share of them, the highest, that are taken for anomalies."""
    return np.sort(scores)[: max(1, len(scores) - round(share * len(scores)))]
