"""Adding up evidence: each part's log score as a tail probability among held-out normal rows."""

from __future__ import annotations

import math
from copy import copy

import numpy as np

from aedetect.data.arrays import AnyArray
from aedetect.models.evaluation.arrays import Array, Arrays, float32
from aedetect.models.evaluation.interpolation import Interpolation
from aedetect.models.evaluation.kernels import namespace

# The tail from which on scores are taken to fall off exponentially, and the quantiles known below it.
TAIL = 0.1
KNOTS = 97
# A surprise of next to nothing still differs from none: shares are taken of it.
_LEAST = -math.log1p(-1e-6)


class TailSurprise:
    """How surprising the log scores of several parts are: minus the logarithm of their tail probability.

    Sums of these are Fisher's way (1932) to combine tests. Up to the tenth strangest held-out row a tail
    probability is read off the held-out rows; beyond, it falls off exponentially with the mean excess.

    Shape: log scores [parts, rows] → surprises [parts, rows], none negative.
    """

    def __init__(self, parts: int, arrays: Arrays):
        self.levels = arrays.take("levels", parts, KNOTS)
        self.slopes = arrays.take("slopes", parts)
        self.heights = arrays.constant("heights", lambda: np.tile(_heights(), (parts, 1)))
        self._inside = Interpolation(self.levels, self.heights)

    def of(self, first: int, stop: int) -> TailSurprise:
        """That of the parts from number `first` on and below `stop`."""
        some = copy(self)
        some.levels, some.slopes = self.levels[first:stop, :], self.slopes[first:stop]
        some.heights = self.heights[first:stop, :]
        some._inside = Interpolation(some.levels, some.heights)
        return some

    def __call__(self, log_scores: Array) -> Array:
        xp = namespace(log_scores)
        inside = self._inside(log_scores)
        beyond = xp.clip(log_scores - self.levels[:, -1:], 0.0, None) * self.slopes[:, None]
        return xp.clip(inside + beyond, _LEAST, None)


def _heights() -> AnyArray:
    return float32(-np.log1p(-np.linspace(0, 1 - TAIL, KNOTS)))
