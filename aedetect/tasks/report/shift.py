"""How far each column has moved from what it was in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats, Matrix
from aedetect.data.features import numeric
from aedetect.data.features.numeric import QUANTILE_RANKS

if TYPE_CHECKING:
    from aedetect.data.features import FeatureEncoder


# The usual reading of the index: below the first little has changed, above the second much has.
SLIGHT, CLEAR = 0.1, 0.25
_BINS = 10
_MOST_CATEGORIES = 30
_SMOOTHING = 0.5


@dataclass(frozen=True)
class Shift:
    """Of one column: the population stability index, and its missing cells then and now (shares)."""

    column: str
    index: float
    missing_then: float
    missing_now: float

    @property
    def words(self) -> str:
        return "much" if self.index > CLEAR else "somewhat" if self.index > SLIGHT else "little"


class Shifts:
    """Counts encoded rows in bins of their columns and compares them with training.

    Population stability index: Σ (now - then) · ln(now / then) over ten bins of equal share in
    training (Siddiqi, 2006); of categories over the most frequent. Columns of truth values in
    words and of dates are left out: training kept no distribution of them.
    """

    def __init__(self, encoder: FeatureEncoder):
        self._numbers: list[tuple[str, int, Matrix, Floats, Floats]] = []
        self._categories: list[tuple[str, int, Floats, Floats]] = []
        self._missing: dict[str, list[float]] = {}
        start = 0
        for column in encoder.state.numeric:
            quantiles = encoder.quantiles[start]
            if not np.isnan(quantiles).any() and not column.cycles:
                edges, expected = _bins(quantiles)
                # Scaled as the rows are, float32 and all: a value at an edge stays at it.
                scaled = numeric.scale(edges, encoder.center[start], encoder.spread[start])
                self._numbers.append((column.column, start, scaled, expected, np.zeros(len(expected))))
                self._missing[column.column] = [column.missing_rate if column.gaps else 0.0, 0.0]
            start += column.width
        for index, vocabulary in enumerate(encoder.state.categorical):
            then = np.array([vocabulary.missing, vocabulary.other, *vocabulary.counts], dtype=np.float64)
            self._categories.append((vocabulary.column, start + index, then, np.zeros(len(then))))
            self._missing[vocabulary.column] = [vocabulary.missing / max(then.sum(), 1), 0.0]
        self._rows = 0

    def add(self, matrix: Matrix) -> None:
        """Encoded rows [rows, features]."""
        self._rows += len(matrix)
        for name, place, edges, _, now in self._numbers:
            values = matrix[:, place]
            present = values[~np.isnan(values)]
            self._missing[name][1] += len(values) - len(present)
            now += np.bincount(np.searchsorted(edges, present, side="left"), minlength=len(now))
        for name, place, then, now in self._categories:
            codes = matrix[:, place].astype(np.int64)
            self._missing[name][1] += float((codes == 0).sum())
            now += np.bincount(codes, minlength=len(then))

    def found(self) -> list[Shift]:
        """One of each column, the most moved first."""
        shifts = []
        for name, _, _, expected, now in self._numbers:
            shifts.append(self._shift(name, expected, now))
        for name, _, then, now in self._categories:
            kept = np.concatenate([[0, 1], 2 + np.argsort(-then[2:], kind="stable")[:_MOST_CATEGORIES]])
            rest = np.setdiff1d(np.arange(len(then)), kept)
            shifts.append(
                self._shift(
                    name,
                    np.append(then[kept], then[rest].sum()),
                    np.append(now[kept], now[rest].sum()),
                )
            )
        return sorted(shifts, key=lambda shift: -shift.index)

    def _shift(self, name: str, then: Floats, now: Floats) -> Shift:
        before, missing = self._missing[name]
        # As many rows as there are now, so that smoothing weighs alike on both sides.
        scaled = then / max(then.sum(), 1e-9) * max(now.sum(), 1.0)
        first = (scaled + _SMOOTHING) / (scaled + _SMOOTHING).sum()
        second = (now + _SMOOTHING) / (now + _SMOOTHING).sum()
        index = float(((second - first) * np.log(second / first)).sum())
        return Shift(name, index, before, missing / max(self._rows, 1))


def _bins(quantiles: Floats) -> tuple[Floats, Floats]:
    """Inner edges, and the share of training values up to each of them and beyond the last."""
    wanted = np.searchsorted(QUANTILE_RANKS, np.linspace(0, 1, _BINS + 1)[1:-1] - 1e-9)
    edges = np.unique(quantiles[wanted])
    # Of a value that many rows have, all lie at or below the edge.
    ranks = QUANTILE_RANKS[np.searchsorted(quantiles, edges, side="right") - 1]
    return edges, np.diff(np.concatenate([[0.0], ranks, [1.0]]))
