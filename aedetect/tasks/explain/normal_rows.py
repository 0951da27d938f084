"""The normal rows a model keeps, and which of them are nearest to a given row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.scoring.table import TableScorer

if TYPE_CHECKING:
    from aedetect.data.features.layout import Layout
    from aedetect.scoring.fitted import FittedModel


# No column makes two rows more unlike than this: the odd column of a row must not decide which
# rows it is near (a trimmed distance; Huber, 1964).
_MOST_APART = 4.0
_OTHER_CATEGORY = 2.0
_ONE_MISSING = 1.0
# Width of the kernel that tells how usual a value is, in the units of encoded numbers.
_KERNEL = 0.1


class NormalRows:
    """Encoded rows that the model learned from and does not flag itself; matrix [rows, features]."""

    def __init__(self, fitted: FittedModel):
        rows = fitted.normal_rows
        if len(rows):
            rows = rows[TableScorer(fitted).score_apart(rows) <= fitted.threshold]
        self.matrix: Matrix = rows
        self._layout: Layout = fitted.encoder.layout

    def __len__(self) -> int:
        return len(self.matrix)

    def apart(self, row: Matrix) -> Floats:
        """How unlike each normal row `row` [features] is in each feature; [normal rows, features]."""
        numeric = self._layout.numeric
        away = np.empty(self.matrix.shape)
        numbers, row_numbers = self.matrix[:, :numeric], row[:numeric]
        squared = np.minimum((numbers.astype(np.float64) - row_numbers) ** 2, _MOST_APART)
        gaps = np.isnan(numbers).astype(np.int8) + np.isnan(row_numbers)
        away[:, :numeric] = np.select([gaps == 1, gaps == 2], [_ONE_MISSING, 0.0], squared)
        away[:, numeric:] = _OTHER_CATEGORY * (self.matrix[:, numeric:] != row[numeric:])
        return away

    def nearest(self, distances: Floats, count: int) -> Integers:
        """The `count` normal rows of least distance [normal rows], nearest first."""
        count = min(count, len(distances))
        places = np.argpartition(distances, count - 1)[:count]
        return np.asarray(places[np.argsort(distances[places], kind="stable")])

    @staticmethod
    def density(apart: Floats) -> float:
        """How usual a column's value is, 0 to 1, from how unlike it each normal row is there [rows].

        The share of rows that hold the very category, or a kernel's mean over numbers near by
        (Parzen, 1962).
        """
        return float(np.exp(-apart / (2 * _KERNEL**2)).mean())
