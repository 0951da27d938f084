"""How rare a value is among normal rows, from what the model file says of each column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.data.features.categorical import FIRST_KNOWN, MISSING, OTHER
from aedetect.data.features.numeric import QUANTILE_RANKS
from aedetect.tasks.explain.format import quantity, share

if TYPE_CHECKING:
    from aedetect.data.features import FeatureEncoder
    from aedetect.data.features.categorical import Vocabulary
    from aedetect.data.features.encoder import NumericColumn

_UNUSUAL = 0.05
ORDINARY = "ordinary on its own"
_NEARLY_ALL = 0.9995


@dataclass(frozen=True)
class Rarity:
    """`share` of normal rows at least as far out (numbers), or with this very value; None: unknown.

    `direction`: 'high' or 'low' of a number in either tail. `text` says it in words, '' where
    there is nothing to say.
    """

    share: float | None
    direction: str | None
    text: str

    def as_dict(self) -> dict[str, Any] | None:
        """For JSON; None where nothing is known."""
        if self.share is None:
            return None
        return {"share": self.share, "direction": self.direction, "text": self.text}

    @property
    def unusual(self) -> bool:
        return self.share is not None and self.share <= _UNUSUAL


UNKNOWN = Rarity(None, None, "")


class Rarities:
    """Looks values up, column by column."""

    def __init__(self, encoder: FeatureEncoder):
        self._encoder = encoder
        self._numeric: dict[str, tuple[NumericColumn, int]] = {}
        start = 0
        for column in encoder.state.numeric:
            self._numeric[column.column] = (column, start)
            start += column.width
        self._categorical = {
            vocabulary.column: (vocabulary, start + index)
            for index, vocabulary in enumerate(encoder.state.categorical)
        }

    def of(self, name: str, row: np.ndarray[tuple[int], np.dtype[np.float32]], value: object) -> Rarity:
        """The rarity of a column in an encoded row [features]; `value` is the number as it was read."""
        if name in self._categorical:
            vocabulary, place = self._categorical[name]
            return _of_category(vocabulary, int(row[place]))
        if name not in self._numeric:
            return UNKNOWN
        column, place = self._numeric[name]
        if np.isnan(row[place]):
            return _of_missing(column.missing_rate, column.gaps)
        if column.cycles:
            return UNKNOWN
        if column.words:
            return _of_truth(bool(value), self._encoder.center[place], self._encoder.spread[place])
        return _of_number(float(value), self._encoder.quantiles[place])  # type: ignore[arg-type]


def _of_number(value: float, quantiles: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Rarity:
    if np.isnan(quantiles).any():
        return UNKNOWN
    low, high = quantiles[0], quantiles[-1]
    if value > high:
        return Rarity(0.0, "high", f"above all normal rows, whose highest is {quantity(high)}")
    if value < low:
        return Rarity(0.0, "low", f"below all normal rows, whose lowest is {quantity(low)}")
    left, right = np.searchsorted(quantiles, value, "left"), np.searchsorted(quantiles, value, "right")
    if right > left:
        # Equal quantiles are a value that many rows have: each side is taken to its far end.
        at_least, at_most = 1 - float(QUANTILE_RANKS[left]), float(QUANTILE_RANKS[right - 1])
    else:
        around = [left - 1, left]
        at_most = float(np.interp(value, quantiles[around], QUANTILE_RANKS[around]))
        at_least = 1 - at_most
    if at_least <= min(at_most, _UNUSUAL):
        return Rarity(at_least, "high", f"higher than {_nearly_all(1 - at_least)} normal rows")
    if at_most <= _UNUSUAL:
        return Rarity(at_most, "low", f"lower than {_nearly_all(1 - at_most)} normal rows")
    return Rarity(min(at_least, at_most), None, ORDINARY)


def _of_missing(rate: float, gaps: bool) -> Rarity:
    if not gaps:
        return Rarity(0.0, None, "never missing in training")
    return Rarity(rate, None, f"missing in {share(rate)} of normal rows")


def _of_truth(value: bool, usual: float, spread: float) -> Rarity:
    """From the spread √(s(1 − s)) of truth values, of which the share s is not the usual one."""
    rarer = (1 - max(0.0, 1 - 4 * spread**2) ** 0.5) / 2
    frequency = 1 - rarer if value == bool(usual) else rarer
    return Rarity(frequency, None, f"so in {share(frequency)} of normal rows")


def _of_category(vocabulary: Vocabulary, code: int) -> Rarity:
    total = sum(vocabulary.counts) + vocabulary.other + vocabulary.missing
    if code == MISSING:
        return _of_missing(vocabulary.missing / max(total, 1), vocabulary.missing > 0)
    if code == OTHER:
        how_often = "never or hardly ever" if vocabulary.other else "never"
        return Rarity(vocabulary.other / max(total, 1), None, f"{how_often} seen in training")
    frequency = vocabulary.counts[code - FIRST_KNOWN] / max(total, 1)
    return Rarity(frequency, None, f"so in {share(frequency)} of normal rows")


def _nearly_all(part: float) -> str:
    return "nearly all" if part > _NEARLY_ALL else f"{part:.1%} of"
