"""What graphs of all kinds of models share: arrays of a model as constants, p-values, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ndonnx
import numpy as np

from aedetect.data.arrays import AnyArray
from aedetect.models.device import on_host
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.kernels import searchsorted_rows
from aedetect.scoring.calibration import Calibration

# Runtimes round sums in other ways: a score that is larger than a threshold, or than a calibration row's,
# by no more than this share of it counts as the same: rows equal to the one at the threshold stay normal.
TIE = 1e-5


def constant(values: AnyArray | Any) -> Array:
    """An array of numpy, or a number, as a constant of the graph."""
    return ndonnx.asarray(np.asarray(values))


def as_constants(values: Mapping[str, Array]) -> Arrays:
    """A network's arrays as constants of the graph."""
    return Arrays({name: constant(on_host(each)) for name, each in values.items()}, constant)


def without_ties(scores: Array) -> Array:
    """Scores [rows] as they are compared with those of calibration rows."""
    return scores - TIE * ndonnx.abs(scores)


def p_values(calibration: Calibration, scores: Array) -> Array:
    """As `Calibration.p_values`: of scores [rows] in float64, NaN where that is NaN."""
    known = calibration.scores.astype(np.float64)
    rows, last = len(known), float(known[-1])
    below = searchsorted_rows(constant(known[None, :]), without_ties(scores)[None, :])[0, :]
    values = ndonnx.astype(1 + rows - below, ndonnx.float64) / (1.0 + rows)
    shape, spread = calibration.tail
    beyond = without_ties(scores) > last
    excess = ndonnx.where(beyond, scores - last, 0.0) / spread
    tail = calibration.smallest_rate * (1 + shape * excess) ** (-1 / shape)
    tiny = float(np.finfo(np.float64).tiny)
    values = ndonnx.where(beyond, ndonnx.where(tail > tiny, tail, tiny), values)
    return ndonnx.where(ndonnx.isnan(scores), np.nan, values)
