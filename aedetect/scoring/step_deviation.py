"""How far single steps of a series lie from their neighbours: the finest of the scales."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aedetect.data.arrays import Floats, Mask, Matrix
from aedetect.data.series.order import places_in_runs
from aedetect.scoring.calibration import Calibration

# A step is expected where the median of so many lies, of which so many must be known.
NEIGHBOURS, _LEAST_KNOWN = 15, 3
# Two medians of so many tell a trend.
_OF_TREND = 3
# Deviations count in units of this quantile of normal ones; of channels that hardly move, of a higher one.
_USUAL, _RARE = 0.9, 0.999
_STILL, _LEAST_USUAL = 1e-6, 0.3
# Added to the largest ratio: what no channel deviates by is no infinitely small score.
_FLOOR = 0.1
# Cells that lie so many times further off than all normal ones, so many on end, stand alone.
_ALONE, _MOST_ALONE = 5.0, 3


def step_deviations(segment: Matrix, causal: bool) -> Matrix:
    """How far each cell [steps, channels] lies from the running median of its channel; NaN where unknown.

    That is the nearest of the medians of the steps before it and after it, and of their mean: a cell beside
    what is odd is like those on its other side; near the ends of the segment, also of where a trend leads
    to. With `causal`, the median of the steps up to it.
    """
    if causal:
        return _from_median(segment, causal)
    # Pandas takes long to load, and only series need it.
    import pandas as pd

    half = NEIGHBOURS // 2
    side = pd.DataFrame(segment).rolling(half, min_periods=_LEAST_KNOWN).median()
    before, after = side.shift(1).to_numpy(), side.shift(-half).to_numpy()
    nearest = np.abs(segment - (before + after) / 2)
    for medians in (before, after):
        nearest = np.fmin(nearest, np.abs(segment - medians))
    for ends in (slice(None), slice(None, None, -1)):
        last = segment[ends][-half - 2 * _OF_TREND :]
        by_trend = np.abs(last[2 * _OF_TREND :] - _continued(last))
        of_last = nearest[ends][len(nearest) - len(by_trend) :]
        of_last[:] = np.fmin(of_last, by_trend)
    return np.asarray(nearest, dtype=np.float32)


def _from_median(segment: Matrix, causal: bool) -> Matrix:
    import pandas as pd

    frame = pd.DataFrame(segment)
    medians = frame.rolling(NEIGHBOURS, center=not causal, min_periods=_LEAST_KNOWN).median()
    return np.asarray((frame - medians).abs().to_numpy(), dtype=np.float32)


def _continued(steps: Matrix) -> Floats:
    """Where the trend of the six steps before each one but the first six leads to [steps, channels]."""
    if len(steps) <= 2 * _OF_TREND:
        return np.empty((0, steps.shape[1]))
    windows = np.lib.stride_tricks.sliding_window_view(steps[:-1].astype(np.float64), _OF_TREND, axis=0)
    ordered = np.sort(windows, axis=-1)
    # Missing ones come last; of two, the median is their mean.
    one_missing = ordered[..., :2].mean(axis=-1)
    medians = np.where(np.isnan(ordered[..., 2]), one_missing, ordered[..., 1])
    far, near = medians[:-_OF_TREND], medians[_OF_TREND:]
    return np.asarray(near + (near - far) * ((_OF_TREND + 1) / 2 / _OF_TREND))


def usual_deviations(parts: Iterable[Matrix]) -> Floats:
    """What normal cells deviate by [channels], from the deviations [steps, channels] of segments."""
    deviations = np.concatenate(list(parts))
    # A channel of which nothing is known deviates by nothing.
    deviations[:, np.isnan(deviations).all(axis=0)] = 0.0
    usual, rare = np.nanquantile(deviations, [_USUAL, _RARE], axis=0)
    return np.asarray(np.where(usual < _STILL, np.maximum(rare, _LEAST_USUAL), usual))


def alone_cells(
    segment: Matrix, deviations: Matrix, usual: Floats, normal: Calibration, causal: bool
) -> Mask:
    """Which cells [steps, channels] lie apart from their neighbours as no normal one does, few on end.

    `deviations`: those of the `segment`. `normal`: log scores of held-out normal steps. With `causal`, the
    first ones of many count as few.
    """
    limits = usual * _ALONE * (np.exp(normal.scores[-1]) - _FLOOR)
    with np.errstate(invalid="ignore"):
        alone = np.asarray(deviations > limits)
        if not alone.any():
            return alone
        apart = np.asarray(_from_median(segment, causal) > limits)
    lengths = places_in_runs(apart)
    if not causal:
        lengths += np.maximum(places_in_runs(apart[::-1])[::-1] - 1, 0)
    return alone & (lengths <= _MOST_ALONE)


def step_scores(deviations: Matrix, usual: Floats) -> Floats:
    """Log scores [steps]: the largest deviation [steps, channels] in usual ones; NaN where unknown."""
    if not deviations.shape[1]:
        return np.full(len(deviations), np.nan)
    ratios = deviations / usual
    unknown = np.isnan(ratios).all(axis=1)
    largest = np.where(np.isnan(ratios), -np.inf, ratios).max(axis=1)
    return np.where(unknown, np.nan, np.log(np.where(unknown, 0.0, largest) + _FLOOR))
