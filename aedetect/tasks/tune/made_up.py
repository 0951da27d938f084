"""Anomalies made up of held-out rows of a table, by other faults than those that models learn from.

The discriminator of the `evidence` architecture learns from rows whose cells were exchanged with those of
other rows, moved one at a time, made noisy, dilated, mixed, or drawn at random (`models/made_up.py`). Were
settings chosen by the same rows, those would win that learn this game best. So none of these is used here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Integers, Mask, Matrix
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.categorical import FIRST_KNOWN

_SLIP = 10.0
_STEP = 1.5
_EXTREMES = (0.01, 0.99)
_HALF = 0.5
# Categories at most this often are rare; the rarest one, where none is.
_RARE = 0.02


@dataclass(frozen=True)
class MadeUp:
    """Rows of one kind [rows, features], each other than the row that it was made of."""

    kind: str
    rows: Matrix


class Faults:
    """Draws made-up anomalies from encoded normal rows [rows, features]."""

    def __init__(self, rows: Matrix, encoder: FeatureEncoder, random: np.random.Generator):
        self._rows, self._random = rows, random
        layout = encoder.layout
        self._numeric = layout.numeric
        self._priors = layout.priors
        self._center, self._spread = encoder.center, encoder.spread
        known = [column[~np.isnan(column)] for column in rows[:, : self._numeric].T]
        self._known = [np.unique(column) for column in known]
        self._deviation = np.array([column.std() if len(column) else 0.0 for column in known])
        # Numbers as people write them, which dates and booleans are not; none of a column that is empty here.
        roles = [column.role for column in encoder.state.numeric for _ in range(column.width)]
        self._numbers = np.flatnonzero([role == "numeric" for role in roles] & (self._deviation > 0))

    def draw(self, count: int) -> list[MadeUp]:
        """At most `count` rows of each kind that there can be of such a table."""
        kinds: dict[str, Callable[[Matrix], Matrix]] = {}
        if len(self._numbers):
            kinds["slipped"] = self._slipped
            kinds["mirrored"] = self._mirrored
            kinds["extremes"] = self._extremes
            kinds["clustered"] = self._clustered
        if len(self._numbers) > 1:
            kinds["exchanged"] = self._exchanged
        if self._priors:
            kinds["rare"] = self._rare
        drawn = []
        for kind, make in kinds.items():
            rows = self._rows[self._random.integers(0, len(self._rows), count)]
            made = self._as_values(make(rows.copy()))
            other = ~((made == rows) | (np.isnan(made) & np.isnan(rows))).all(axis=1)
            if other.any():
                drawn.append(MadeUp(kind, made[other]))
        return drawn

    def _one_of(self, features: Integers, count: int) -> Integers:
        return np.asarray(features[self._random.integers(0, len(features), count)])

    def _half(self, rows: Matrix) -> Mask:
        """About half of the numbers of each row, two at least [rows, numbers]."""
        chance = self._random.random((len(rows), len(self._numbers)))
        least = min(2, chance.shape[1])
        return np.asarray((chance < _HALF) | (chance.argsort(axis=1).argsort(axis=1) < least))

    def _slipped(self, rows: Matrix) -> Matrix:
        """One number is ten times too large or too small: a slipped decimal mark, another unit."""
        at, which = np.arange(len(rows)), self._one_of(self._numbers, len(rows))
        center, spread = self._center[which], self._spread[which]
        values = center + spread * np.sinh(rows[at, which].astype(np.float64))
        values *= np.where(self._random.random(len(rows)) < _HALF, _SLIP, 1 / _SLIP)
        rows[at, which] = np.arcsinh((values - center) / spread)
        return rows

    def _mirrored(self, rows: Matrix) -> Matrix:
        """About half of the numbers lie as far on the other side of their column's median."""
        numbers = rows[:, self._numbers]
        rows[:, self._numbers] = np.where(self._half(rows), -numbers, numbers)
        return rows

    def _extremes(self, rows: Matrix) -> Matrix:
        """About half of the numbers are at an end of their column: usual there, but not all at once."""
        ends = np.array([[np.quantile(self._known[at], end) for at in self._numbers] for end in _EXTREMES])
        side = self._random.integers(0, 2, (len(rows), len(self._numbers)))
        numbers = rows[:, self._numbers]
        extreme = np.take_along_axis(ends, side, axis=0)
        rows[:, self._numbers] = np.where(self._half(rows) & ~np.isnan(numbers), extreme, numbers)
        return rows

    def _clustered(self, rows: Matrix) -> Matrix:
        """All are moved by one and the same step: anomalies that are like one another."""
        sign = np.where(self._random.random(len(self._numbers)) < _HALF, -1.0, 1.0)
        moved = self._half(rows[:1])[0] * sign * _STEP * self._deviation[self._numbers]
        rows[:, self._numbers] += moved.astype(rows.dtype)
        return rows

    def _exchanged(self, rows: Matrix) -> Matrix:
        """Two numbers of a row change places, each as high among its new column's as it was among its old."""
        first = self._one_of(self._numbers, len(rows))
        other = self._one_of(self._numbers, len(rows))
        at = np.arange(len(rows))
        one, two = rows[at, first].copy(), rows[at, other].copy()
        rows[at, first] = [self._as_high(*pair) for pair in zip(two, other, first, strict=True)]
        rows[at, other] = [self._as_high(*pair) for pair in zip(one, first, other, strict=True)]
        return rows

    def _as_high(self, value: float, before: int, after: int) -> float:
        """The value of column `after` that is as high among its values as `value` among those of `before`."""
        source, target = self._known[before], self._known[after]
        if np.isnan(value):
            return value
        rank = np.searchsorted(source, value) / max(len(source) - 1, 1)
        return float(target[min(round(rank * (len(target) - 1)), len(target) - 1)])

    def _rare(self, rows: Matrix) -> Matrix:
        """One category is a rare one."""
        which = self._random.integers(0, len(self._priors), len(rows))
        for place, prior in enumerate(self._priors):
            codes = np.arange(min(FIRST_KNOWN, len(prior) - 1), len(prior))
            rare = codes[prior[codes] <= _RARE]
            rare = rare if len(rare) else codes[[int(prior[codes].argmin())]]
            mine = which == place
            rows[mine, self._numeric + place] = self._one_of(rare, int(mine.sum()))
        return rows

    def _as_values(self, rows: Matrix) -> Matrix:
        """Numbers of columns in which values repeat, as the nearest of these unless beyond all.

        Otherwise a half, where all are whole, would tell what was made up.
        """
        for feature, values in enumerate(self._known):
            if not 1 < len(values) < len(self._rows) / 2:
                continue
            column = rows[:, feature]
            right = np.searchsorted(values, column).clip(1, len(values) - 1)
            low, high = values[right - 1], values[right]
            nearest = np.where(column - low < high - column, low, high)
            inside = (column > values[0]) & (column < values[-1])
            rows[:, feature] = np.where(inside, nearest, column)
        return rows
