"""Rows as points between which distances are taken: standardised, or each number by its rank.

A number becomes one value. A category becomes a fixed direction, the longer the rarer it is, so that rows
of different categories are apart by what the categories are worth, whichever they are. Directions come
from numpy's frozen legacy generator: a model file need not hold them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from aedetect.data.arrays import AnyArray, Floats
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.arrays import Array, Arrays, float32
from aedetect.models.evaluation.interpolation import Interpolation
from aedetect.models.evaluation.kernels import contiguous, matmul, namespace, smallest
from aedetect.models.evaluation.layers import Row
from aedetect.models.evaluation.standardize import inverse_log_compressed, log_compressed

# Categories beyond so many share their dimensions: random directions are nearly at right angles.
_MOST_DIRECTIONS = 32
# Of a category with the usual share, the length of its direction; how short and how long others may be.
_LENGTH, _USUAL_SHARE, _SHORTEST, _LONGEST = 0.9, 0.25, 0.5, 3.0
_LEAST_SHARE = 1e-4
# The distance between a missing number and one that is there, in standard deviations.
_MISSING = 2.0
# Numbers are linear up to so many standard deviations, logarithmic beyond.
_LINEAR_RANGE = 10.0
# Beyond all values learned, a number is so much farther out than its distance alone makes it.
_BEYOND = 0.3


class View(ABC):
    """Points of rows. `owners` [width] are the features that the values belong to.

    Shape: encoded rows [rows, features] → values [rows, width] with `width` as attribute.
    """

    def __init__(self, layout: Layout, arrays: Arrays):
        self.layout = layout
        self.width = len(view_owners(layout))
        self.owners = arrays.constant("owners", lambda: view_owners(layout))
        self.gaps = arrays.constant("gaps", lambda: np.flatnonzero(layout.gaps))
        self.directions = [
            arrays.constant(f"directions{place}", lambda p=prior, at=place: float32(_directions(p, at)))  # type: ignore[misc]
            for place, prior in enumerate(layout.priors)
        ]

    @abstractmethod
    def numbers(self, scaled: Array) -> Array:
        """Values of encoded numbers [rows, numeric], of which none is missing; the same shape."""

    def __call__(self, batch: Array) -> Array:
        row = Row(batch, self.layout)
        return self.joined(self.numbers(row.numbers), row)

    @abstractmethod
    def inverse_numbers(self, values: Array) -> Array:
        """Encoded numbers [rows, numeric] of their values [rows, numeric]."""

    def inverse(self, points: Array) -> Array:
        """Encoded rows [rows, features] near points [rows, width]: numbers, and the likeliest categories."""
        xp, numeric = namespace(points), self.layout.numeric
        parts = [self.inverse_numbers(points[:, :numeric])]
        start = numeric + self.gaps.shape[0]
        for directions in self.directions:
            stop = start + directions.shape[1]
            near = xp.sum(xp.square(directions), axis=1) - 2 * matmul(points[:, start:stop], directions.T)
            parts.append(xp.astype(smallest(near)[:, None], points.dtype))
            start = stop
        return xp.concat(parts, axis=1)

    def joined(self, numbers: Array, row: Row) -> Array:
        """Values [rows, width] of numbers [rows, numeric], marks of gaps and directions of categories."""
        xp = namespace(numbers)
        parts = [xp.where(row.missing, 0.0, numbers)]
        if self.gaps.shape[0]:
            parts.append(_MISSING * xp.astype(xp.take(row.missing, self.gaps, axis=1), numbers.dtype))
        for place, directions in enumerate(self.directions):
            parts.append(xp.take(directions, row.codes[:, place], axis=0))
        return contiguous(parts[0] if len(parts) == 1 else xp.concat(parts, axis=1))


class StandardView(View):
    """Numbers in standard deviations from the mean, logarithmic far out."""

    def __init__(self, layout: Layout, arrays: Arrays):
        super().__init__(layout, arrays)
        self.gain = arrays.constant("gain", lambda: float32(layout.gain))
        self.shift = arrays.constant("shift", lambda: float32(layout.shift))

    def numbers(self, scaled: Array) -> Array:
        return linear_then_logarithmic(self.gain * inverse_log_compressed(scaled) + self.shift)

    def inverse_numbers(self, values: Array) -> Array:
        xp = namespace(values)
        size = xp.abs(values)
        far = xp.sign(values) * _LINEAR_RANGE * xp.exp(xp.clip(size / _LINEAR_RANGE - 1, None, 80.0))
        straight = xp.where(size > _LINEAR_RANGE, far, values)
        return log_compressed((straight - self.shift) / self.gain)


class RankView(View):
    """Each number through its own training distribution to a normal one, logarithmic beyond its ends.

    What is learned of a number is where it lies among others: heavy tails, steps and scales drop out.

    Shape: as of `View`. `knots` [numeric, knots] are values of a feature, ascending, `heights` [numeric,
    knots] what they become, and `unit` [numeric] is what distances beyond the ends are measured in.
    """

    def __init__(self, layout: Layout, arrays: Arrays):
        super().__init__(layout, arrays)
        count = arrays.size("knots", 1)
        self.knots = arrays.take("knots", layout.numeric, count)
        self.heights = arrays.take("heights", layout.numeric, count)
        self.unit = arrays.take("unit", layout.numeric)
        self._risen = Interpolation(self.knots, self.heights)

    def numbers(self, scaled: Array) -> Array:
        low, high = self.knots[:, 0], self.knots[:, -1]
        inside = self._risen(scaled.T).T
        return inside + beyond(scaled, high, self.unit) - beyond(-scaled, -low, self.unit)

    def inverse_numbers(self, values: Array) -> Array:
        return Interpolation(self.heights, self.knots)(values.T).T


def linear_then_logarithmic(values: Array) -> Array:
    """Values up to ten standard deviations as they are, beyond by their logarithm; the same shape."""
    xp = namespace(values)
    size = xp.abs(values)
    far = xp.sign(values) * _LINEAR_RANGE * (1 + xp.log(xp.clip(size / _LINEAR_RANGE, 1.0, None)))
    return xp.where(size > _LINEAR_RANGE, far, values)


def view_owners(layout: Layout) -> AnyArray:
    """The feature that each value of a point belongs to [width]: numbers, gaps, categories."""
    sizes = [min(size, _MOST_DIRECTIONS) for size in layout.cardinalities]
    categories = np.repeat(np.arange(len(sizes)) + layout.numeric, np.array(sizes, dtype=np.int64))
    return np.concatenate([np.arange(layout.numeric), np.flatnonzero(layout.gaps), categories]).astype(
        np.int64
    )


def beyond(scaled: Array, end: Array, unit: Array) -> Array:
    """How much farther out than their column's `end` [numeric] numbers [rows, numeric] lie; 0 within."""
    xp = namespace(scaled)
    apart = (inverse_log_compressed(scaled) - inverse_log_compressed(end)) / unit
    return xp.where(scaled > end, _BEYOND + xp.log1p(xp.clip(apart, 0.0, None)), 0.0)


def _directions(prior: Floats, place: int) -> Floats:
    """A vector for each code of a categorical feature [codes, dimensions]; the rarer, the longer."""
    codes = len(prior)
    if codes <= _MOST_DIRECTIONS:
        directions = np.eye(codes)
    else:
        directions = np.random.RandomState(place).standard_normal((codes, _MOST_DIRECTIONS))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    shares = np.clip(prior, _LEAST_SHARE, 1 - _LEAST_SHARE)
    rarity = np.sqrt(np.log(shares) / np.log(_USUAL_SHARE))
    return np.asarray(_LENGTH * np.clip(rarity, _SHORTEST, _LONGEST)[:, None] * directions)
