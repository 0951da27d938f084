"""The statistics of numeric features: what they are scaled by, and how their values are spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aedetect.data import cells
from aedetect.data.arrays import Floats
from aedetect.data.features import numeric
from aedetect.data.profile import ColumnProfile, NumberProfile

STATISTICS = ("center", "spread", "mean", "deviation", "quantiles")
# The standard deviation of a growth that is always the same, in that growth.
_STEADY = 0.1


@dataclass(frozen=True)
class Feature:
    """The statistics of one numeric feature; `quantiles` at `numeric.QUANTILE_RANKS`."""

    center: float
    spread: float
    mean: float
    deviation: float
    quantiles: Floats


NO_QUANTILES = np.full(len(numeric.QUANTILE_RANKS), np.nan)


def statistics_of(features: Sequence[Feature]) -> dict[str, Floats]:
    """The statistics by name: [features], and quantiles [features, ranks]."""
    statistics = {
        name: np.array([getattr(feature, name) for feature in features], dtype=np.float64)
        for name in STATISTICS
    }
    return {**statistics, "quantiles": statistics["quantiles"].reshape(len(features), len(NO_QUANTILES))}


def number_feature(profile: ColumnProfile) -> Feature:
    """Of a column of numbers."""
    return feature_of(profile.numbers)


def feature_of(numbers: NumberProfile) -> Feature:
    """Of numbers that are at hand as their profile."""
    center, spread = numeric.location_and_spread(numbers)
    quantiles = numbers.quantiles(numeric.QUANTILE_RANKS) if numbers.count else NO_QUANTILES
    return Feature(center, spread, *numeric.mean_and_deviation(numbers, spread), quantiles)


def quantiles_of(values: Floats) -> Floats:
    """The quantiles of `values` [rows] at `numeric.QUANTILE_RANKS`; missing ones do not count."""
    numbers = NumberProfile()
    numbers.update(values)
    return numbers.quantiles(numeric.QUANTILE_RANKS) if numbers.count else NO_QUANTILES


def growth_feature(values: Floats) -> Feature:
    """Of what a counter grew by; one that always grows alike is to show when it does not."""
    numbers = NumberProfile()
    numbers.update(values)
    center, spread = numeric.location_and_spread(numbers)
    mean, deviation = numeric.mean_and_deviation(numbers, spread)
    if numbers.count and numbers.minimum == numbers.maximum:
        spread = deviation = _STEADY * abs(center) or 1.0
    quantiles = numbers.quantiles(numeric.QUANTILE_RANKS) if numbers.count else NO_QUANTILES
    return Feature(center, spread, mean, deviation, quantiles)


def truth_feature(profile: ColumnProfile) -> Feature:
    """Of booleans in words, or stored as such: the more frequent one, and their spread around it."""
    true = sum(count for word, count in profile.counts.items() if word.lower() in cells.TRUE_TOKENS)
    share = true / max(sum(profile.counts.values()), 1)
    center, spread = float(share > 0.5), max((share * (1 - share)) ** 0.5, 0.01)
    return Feature(center, spread, center, spread, NO_QUANTILES)
