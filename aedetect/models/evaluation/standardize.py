"""Rows as standardised values in the user's own proportions: what the auxiliary heads work on.

The encoder log-compresses numbers (an inverse hyperbolic sine: linear near the middle, logarithmic
far out). This module has the models' only pair of functions for that and for its inverse.
"""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import AnyArray
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.kernels import namespace, sums_of
from aedetect.models.evaluation.layers import Columns, Row, columns_width

# Beyond this the hyperbolic sine would leave float32, and no measurement lies there.
_LARGEST_COMPRESSED = 80.0
# What a value may be at most, in standard deviations: sums of squares must stay finite.
_LARGEST_VALUE = 1e6


def log_compressed(values: Array) -> Array:
    """Values about as they are near 0, as their logarithm far from it; the same shape.

    >>> log_compressed(np.array([0.1, -1000.0])).round(4)
    array([ 0.0998, -7.6009])
    """
    return namespace(values).asinh(values)


def inverse_log_compressed(values: Array) -> Array:
    """The inverse of `log_compressed`, always finite where `values` are numbers; the same shape.

    >>> inverse_log_compressed(log_compressed(np.array([0.5, -20.0]))).round(4)
    array([  0.5, -20. ])
    """
    xp = namespace(values)
    return xp.sinh(xp.clip(values, -_LARGEST_COMPRESSED, _LARGEST_COMPRESSED))


class StandardizedColumns:
    """Encoded rows as standardised values, and back.

    Scoring works on log-compressed numbers; here they are inverted, each in standard deviations
    from the mean, so that a reconstruction's squared error is the user's. Categories are the
    standardised codes of `Columns`.

    Shape: encoded rows [rows, features] ↔ values [rows, width] with `width` as attribute.
    """

    def __init__(self, layout: Layout, arrays: Arrays):
        self.layout = layout
        self.columns = Columns(layout, arrays.under("columns"))
        self.width = columns_width(layout)
        self.gain = arrays.take("gain", layout.numeric)
        self.shift = arrays.take("shift", layout.numeric)
        self.owners = arrays.constant("owners", lambda: value_owners(layout))

    def __call__(self, batch: Array) -> tuple[Array, Array]:
        """Values [rows, width], and which of them are missing [rows, width]; those are 0."""
        xp = namespace(batch)
        numeric = self.layout.numeric
        standardised = self.gain * inverse_log_compressed(batch[:, :numeric]) + self.shift
        standardised = xp.clip(standardised, -_LARGEST_VALUE, _LARGEST_VALUE)
        row = Row(xp.concat([standardised, batch[:, numeric:]], axis=1), self.layout)
        values = self.columns(row)
        there = xp.zeros_like(values[:, numeric:], dtype=xp.bool)
        return values, xp.concat([row.missing, there], axis=1)

    def rows(self, values: Array) -> Array:
        """Encoded rows [rows, features] from values: numbers log-compressed, the likeliest categories."""
        rows = self.columns.rows(values)
        numbers = log_compressed((rows[:, : self.layout.numeric] - self.shift) / self.gain)
        return namespace(rows).concat([numbers, rows[:, self.layout.numeric :]], axis=1)

    def code_places(self) -> list[tuple[int, int]]:
        """Of each categorical feature, the first of its values and how many there are."""
        places, first = [], self.layout.numeric
        for size in self.layout.cardinalities:
            places.append((first, size))
            first += size
        return places

    def errors(self, squared: Array, missing: Array) -> Array:
        """Errors [rows, features] from squared deviations [rows, width]; none where missing."""
        observed = namespace(squared).where(missing, 0.0, squared)
        return sums_of(observed, self.owners, self.layout.width)


def value_owners(layout: Layout) -> AnyArray:
    """The feature that each value of `Columns` belongs to [width]."""
    sizes = np.array([1] * layout.numeric + list(layout.cardinalities), dtype=np.int64)
    return np.repeat(np.arange(layout.width), sizes)
