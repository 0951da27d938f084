"""Scaling of numeric features that outliers, heavy tails and constants cannot upset."""

from __future__ import annotations

from typing import Any

import numpy as np

from aedetect.schema.profile import NumberProfile

QUANTILE_RANKS = np.concatenate(
    ([0.0, 0.0005, 0.001, 0.0025], np.linspace(0.005, 0.995, 199), [0.9975, 0.999, 0.9995, 1.0])
)
# Values are linear up to this many spreads from the centre and logarithmic beyond, so that
# 1e300 and infinity stay finite and still differ from everything seen.
LINEAR_RANGE = 8.0
_LARGEST = float(np.finfo(np.float64).max)


def location_and_spread(profile: NumberProfile) -> tuple[float, float]:
    """Mean and standard deviation of the values between the 0.5% and 99.5% quantiles, clipped.

    Where nearly all values are equal the spread of the whole column is taken, and 1 where all are.
    """
    if not profile.count:
        return 0.0, 1.0
    inner = profile.quantiles(np.linspace(0.005, 0.995, 991))
    center = float(inner.mean())
    spread = float(inner.std())
    extent = profile.maximum - profile.minimum
    if not np.isfinite(extent):
        return center, spread if np.isfinite(spread) and spread > 0 else 1.0
    if spread <= 1e-9 * max(extent, abs(center)):
        every = profile.quantiles(QUANTILE_RANKS)
        spread = float(np.abs(every - center).max()) / 4
    return center, spread if spread > 0 else 1.0


def scale(
    values: np.ndarray[Any, Any], center: np.ndarray[Any, Any], spread: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Scaled float32 values of `values` [rows, features]; NaN stays NaN, infinity becomes finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = (values - center) / spread
        size = np.abs(scaled)
        if np.nanmax(size, initial=0.0) > LINEAR_RANGE:
            size = np.minimum(size, _LARGEST)
            scaled = np.where(
                size > LINEAR_RANGE, np.sign(scaled) * (LINEAR_RANGE + np.log1p(size - LINEAR_RANGE)), scaled
            )
    return scaled.astype(np.float32)


def unscale(
    scaled: np.ndarray[Any, Any], center: np.ndarray[Any, Any], spread: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Inverse of `scale`, up to float32 precision; float64."""
    scaled = scaled.astype(np.float64)
    size = np.abs(scaled)
    with np.errstate(over="ignore"):
        stretched = np.sign(scaled) * (LINEAR_RANGE + np.expm1(np.maximum(size - LINEAR_RANGE, 0)))
    return np.where(size > LINEAR_RANGE, stretched, scaled) * spread + center
