"""How far rows are apart in the model's space, and how alike the columns to blame for them are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import AnyArray, Floats, Integers, Matrix

if TYPE_CHECKING:
    from aedetect.data.features import FeatureEncoder

# Of what is missing in one row and not in the other, and of two categories.
UNLIKE = 1.0
# No column sets two rows further apart than this (a trimmed distance; Huber, 1964).
_MOST_APART = 2.0
# Rows by which it is told how near normal ones lie to one another.
_COMPARED, _ASKED = 1000, 150


@dataclass(frozen=True)
class Space:
    """Rows as the model is given them [rows, features]: numbers first, then codes of categories.

    `numeric`: how many features are numbers, each in about standard deviations, far out in their logarithms.
    `owners` [features]: the place of the column that a feature is of, among `columns`.
    """

    numeric: int
    owners: Integers
    columns: int

    @classmethod
    def of(cls, encoder: FeatureEncoder, columns: Sequence[str]) -> Space:
        """The space of rows that `encoder` encodes, whose errors are attributed to `columns`."""
        layout = encoder.layout
        return cls(layout.numeric, places_of(encoder.owners[: layout.width], columns), len(columns))

    def apart(self, rows: AnyArray, one: AnyArray) -> Floats:
        """How far `rows` [rows, features] are from `one` [features] in each column [rows, columns]."""
        numeric = self.numeric
        away = np.empty(rows.shape)
        gaps = np.isnan(rows[:, :numeric]).astype(np.int8) + np.isnan(one[:numeric])
        apart = np.abs(rows[:, :numeric].astype(np.float64) - one[:numeric])
        away[:, :numeric] = np.select([gaps == 1, gaps == 2], [UNLIKE, 0.0], apart)
        away[:, numeric:] = UNLIKE * (rows[:, numeric:] != one[numeric:])
        columns = np.zeros((len(rows), self.columns))
        for feature, column in enumerate(self.owners):
            columns[:, column] = np.maximum(columns[:, column], away[:, feature])
        return columns

    def usual_distance(self, normal: Matrix, share: float) -> float:
        """Within which `share` of `normal` rows [rows, features] have another one; 0 of fewer than three."""
        if len(normal) < 3:
            return 0.0
        order = np.random.default_rng(0).permutation(len(normal))
        compared = normal[order[:_COMPARED]]
        nearest = [np.partition(overall(self.apart(compared, row)), 1)[1] for row in compared[:_ASKED]]
        return float(np.quantile(nearest, share))


def overall(apart: Floats) -> Floats:
    """The distance over all columns [rows] from that in each [rows, columns]: a trimmed root mean square."""
    return np.asarray(np.sqrt((np.minimum(apart, _MOST_APART) ** 2).mean(axis=1)))


def in_blamed(apart: Floats, shares: AnyArray) -> Floats:
    """The distance in the columns to blame [rows], weighed by their shares [columns] of an error."""
    return np.asarray(apart @ (shares / max(float(shares.sum()), 1e-30)))


def overlap(shares: AnyArray, one: AnyArray) -> Floats:
    """How much of the blame is on the same columns [rows]; 1 where shares [rows, columns] equal `one`."""
    return np.asarray(np.minimum(shares, one).sum(axis=1))


def places_of(owners: Sequence[str], columns: Sequence[str]) -> Integers:
    """The place among `columns` of each feature's column [features]."""
    places = {name: index for index, name in enumerate(columns)}
    return np.array([places[name] for name in owners], dtype=np.int64)
