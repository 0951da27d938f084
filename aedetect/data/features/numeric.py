"""Scaling of numeric features that outliers, heavy tails and constants cannot upset."""

from __future__ import annotations

from typing import Any

import numpy as np

from aedetect.data.arrays import Floats, Matrix
from aedetect.data.profile import NumberProfile

QUANTILE_RANKS = np.concatenate(
    ([0.0, 0.0005, 0.001, 0.0025], np.linspace(0.005, 0.995, 199), [0.9975, 0.999, 0.9995, 1.0])
)
# Where the middle half of a column is much narrower than the whole, it is not its scale: most
# values are equal then.
_NARROW = 0.1
_NORMAL_QUARTILES = 1.349
_GRID = (np.arange(1000) + 0.5) / 1000
_LARGEST = float(np.finfo(np.float64).max)


def location_and_spread(profile: NumberProfile) -> tuple[float, float]:
    """Median, and interquartile range as a standard deviation; neither is moved by outliers.

    Where most values are equal the standard deviation is taken, without the outermost hundredths
    unless these alone differ; and 1 where all are equal.
    """
    if not profile.count:
        return 0.0, 1.0
    low, center, high = profile.quantiles(np.array([0.25, 0.5, 0.75]))
    grid = profile.quantiles(_GRID)
    with np.errstate(over="ignore"):
        quartiles = float(high - low) / _NORMAL_QUARTILES
        inner = float(np.std(np.clip(grid, *profile.quantiles(np.array([0.01, 0.99])))))
        deviation = float(np.std(grid))
        extent = max(profile.maximum - center, center - profile.minimum)
    candidates = (quartiles if quartiles > _NARROW * inner else 0.0, inner, deviation, extent / 4)
    least = 1e-12 * abs(float(center))
    return float(center), next((float(c) for c in candidates if np.isfinite(c) and c > least), 1.0)


def mean_and_deviation(profile: NumberProfile, spread: float) -> tuple[float, float]:
    """Mean and standard deviation of the values clipped to their 1% and 99% quantiles.

    Where nearly all values are equal, the deviation is at least `spread`.
    """
    if not profile.count:
        return 0.0, spread
    clipped = np.clip(profile.quantiles(_GRID), *profile.quantiles(np.array([0.01, 0.99])))
    with np.errstate(over="ignore"):
        mean, deviation = float(clipped.mean()), float(clipped.std())
    if not (np.isfinite(mean) and np.isfinite(deviation)):
        return float(profile.quantiles(np.array([0.5]))[0]), spread
    return mean, deviation if deviation > _NARROW * spread else spread


def scale(values: np.ndarray[Any, Any], center: np.ndarray[Any, Any], spread: np.ndarray[Any, Any]) -> Matrix:
    """The inverse hyperbolic sine of the standardised `values` [rows, features], float32.

    Linear near the centre and logarithmic far from it, so heavy tails do not drown the rest, and
    1e300 and infinity stay finite and still differ from everything seen. NaN stays NaN.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.clip((values - center) / spread, -_LARGEST, _LARGEST)
    compressed: Matrix = np.arcsinh(scaled).astype(np.float32)
    return compressed


def unscale(
    scaled: np.ndarray[Any, Any], center: np.ndarray[Any, Any], spread: np.ndarray[Any, Any]
) -> Floats:
    """Inverse of `scale`, up to float32 precision."""
    with np.errstate(over="ignore"):
        values: Floats = np.sinh(scaled.astype(np.float64)) * spread + center
    return values
