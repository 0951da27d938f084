"""How rare a value is among normal rows, from what the model file says of each column."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.data.arrays import Floats
from aedetect.data.features.categorical import FIRST_KNOWN, MISSING, OTHER
from aedetect.data.features.numeric import QUANTILE_RANKS
from aedetect.tasks.explain.format import apart, percent_down, share

if TYPE_CHECKING:
    from aedetect.data.features import FeatureEncoder
    from aedetect.data.features.categorical import Vocabulary
    from aedetect.data.features.encoder import NumericColumn
    from aedetect.data.reference import Sketch
    from aedetect.tasks.explain.units import Units

_UNUSUAL = 0.05
ORDINARY = "ordinary on its own"
_HARDLY_EVER = 0.01
# By how much the rank of a quantile may be wrong: of a digest in all it holds of so many rows not at all, of
# more by this times r(1 − r).
_EXACT_ROWS, _DIGEST_ERROR, _UNKNOWN_ERROR = 500, 0.004, 0.005
# A number that so many rows have.
_USUAL = 0.01
# A sketch counts truth values below, on and between 0 and 1, and those that are missing.
_TRUTH_CELLS = 6


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


@dataclass(frozen=True)
class _Spread:
    """How the numbers of a column are spread in training.

    `quantiles` at `QUANTILE_RANKS`, the first and the last of them exact. `rows`: how many numbers they are
    of, None where that is not known. `gaps`: whether there were rows without a number. `below`, `above`: of
    a column in which many rows have the same numbers, the shares that are counted on either side of a value:
    between such numbers a digest guesses. `relative`: whether they are those of all groups, moved to where
    the one lies that is asked for.
    """

    quantiles: Floats
    rows: int | None
    gaps: bool
    below: float = 1.0
    above: float = 1.0
    relative: bool = False

    def surely(self, rank: float, way: str) -> float:
        """The share of numbers on that side of the quantile of `rank`, less the error it may have."""
        counted = self.below if way == "higher" else self.above
        return min(self._surely(rank), counted)

    def _surely(self, rank: float) -> float:
        if self.rows is None:
            return rank - _UNKNOWN_ERROR
        digest = _DIGEST_ERROR * rank * (1 - rank) if self.rows > _EXACT_ROWS else 0.0
        return min(rank - 0.5 / self.rows, (self.rows - 1) / self.rows) - digest

    @property
    def whose(self) -> str:
        rows = "normal rows with a value" if self.gaps else "normal rows"
        return f"{rows} relative to their groups" if self.relative else rows


class Rarities:
    """Looks values up, column by column."""

    def __init__(
        self,
        encoder: FeatureEncoder,
        sketch: Sketch | None = None,
        units: Units | None = None,
        relative: Collection[str] = (),
    ):
        """`sketch` counts the training rows exactly; without it, shares are as near as can be told.

        `units`: how extremes are written; without them in a few digits. `relative`: columns that are seen
        relative to the group of a row, whose numbers `encoder` has.
        """
        self._relative = relative
        self._encoder, self._sketch, self._units = encoder, sketch, units
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
            return _of_missing(self._missing(column, place), column.gaps)
        if column.cycles:
            return UNKNOWN
        if column.words:
            return _of_truth(self._frequency(bool(value), place))
        counted = self._counted(place, float(row[place]))
        spread = _Spread(
            self._encoder.quantiles[place], self._filled(place), column.gaps, *counted, name in self._relative
        )
        return _of_number(float(value), spread, self._bound(name))  # type: ignore[arg-type]

    def _bound(self, name: str) -> Callable[[float, float], str]:
        if self._units is not None and name in self._units:
            return self._units[name].bound
        return lambda beside, bound: apart(bound, beside)

    def _counted(self, place: int, value: float) -> tuple[float, float]:
        """Shares of numbers that lie below and above an encoded value for certain; 1 where none is usual."""
        if self._sketch is None or not len(edges := self._sketch.edges[place]):
            return 1.0, 1.0
        counts = self._sketch.counts[place][:-1]
        total = max(int(counts.sum()), 1)
        if counts[1::2].max() < _USUAL * total:
            return 1.0, 1.0
        lower, upper = np.searchsorted(edges, value, "left"), np.searchsorted(edges, value, "right")
        return float(counts[: 2 * lower].sum() / total), float(counts[2 * upper + 1 :].sum() / total)

    def _filled(self, place: int) -> int | None:
        """How many training rows have a number there."""
        return int(self._sketch.counts[place][:-1].sum()) or None if self._sketch else None

    def _missing(self, column: NumericColumn, place: int) -> float:
        """The share of training rows without a value; the one that the encoder has is smoothed."""
        if self._sketch is None or not self._sketch.rows:
            return column.missing_rate
        return int(self._sketch.counts[place][-1]) / self._sketch.rows

    def _frequency(self, value: bool, place: int) -> float:
        """The share of training rows with a truth value."""
        counts = self._sketch.counts[place] if self._sketch else ()
        if self._sketch is not None and self._sketch.rows and len(counts) == _TRUTH_CELLS:
            return float(counts[3 if value else 1]) / self._sketch.rows
        # From the spread √(s(1 − s)), of which the share s is not the usual one.
        rarer = (1 - math.sqrt(max(0.0, 1 - 4 * float(self._encoder.spread[place]) ** 2))) / 2
        usual = bool(self._encoder.center[place])
        return 1 - rarer if value == usual else rarer


def _of_number(value: float, spread: _Spread, bound: Callable[[float, float], str]) -> Rarity:
    quantiles = spread.quantiles
    if np.isnan(quantiles).any():
        return UNKNOWN
    low, high = float(quantiles[0]), float(quantiles[-1])
    if spread.relative and not low <= value <= high:
        way, side, end = ("above", "high", high) if value > high else ("below", "low", low)
        text = (
            f"{way} all normal rows relative to their groups; the {side}est would be {bound(value, end)} here"
        )
        return Rarity(0.0, side, text)
    if value > high:
        return Rarity(0.0, "high", f"above all normal rows, whose highest is {bound(value, high)}")
    if value < low:
        return Rarity(0.0, "low", f"below all normal rows, whose lowest is {bound(value, low)}")
    left, right = np.searchsorted(quantiles, value, "left"), np.searchsorted(quantiles, value, "right")
    if right > left:
        # Equal quantiles are a value that many rows have: each side is taken to its far end.
        at_least, at_most = 1 - float(QUANTILE_RANKS[left]), float(QUANTILE_RANKS[right - 1])
    else:
        around = [left - 1, left]
        at_most = float(np.interp(value, quantiles[around], QUANTILE_RANKS[around]))
        at_least = 1 - at_most
    if at_least <= min(at_most, _UNUSUAL):
        return Rarity(
            at_least, "high", _tail("higher", value == high, float(QUANTILE_RANKS[left - 1]), spread)
        )
    if at_most <= _UNUSUAL:
        return Rarity(at_most, "low", _tail("lower", value == low, 1 - float(QUANTILE_RANKS[right]), spread))
    return Rarity(min(at_least, at_most), None, ORDINARY)


def _tail(way: str, extreme: bool, beyond: float, spread: _Spread) -> str:
    """`beyond`: the rank of the last quantile that the value lies beyond, counted from the other end."""
    if extreme:
        return f"the {way}st in training".replace("erst", "est")
    return f"{way} than {percent_down(spread.surely(beyond, way))} of {spread.whose}"


def _of_missing(rate: float, gaps: bool) -> Rarity:
    if not gaps:
        return Rarity(0.0, None, "never missing in training")
    return Rarity(rate, None, f"missing in {share(rate)} of normal rows")


def _of_truth(frequency: float) -> Rarity:
    return Rarity(frequency, None, f"so in {share(frequency)} of normal rows")


def _of_category(vocabulary: Vocabulary, code: int) -> Rarity:
    total = sum(vocabulary.counts) + vocabulary.other + vocabulary.missing
    if code == MISSING:
        return _of_missing(vocabulary.missing / max(total, 1), vocabulary.missing > 0)
    if code == OTHER:
        return Rarity(vocabulary.other / max(total, 1), None, _hardly(vocabulary, total))
    frequency = vocabulary.counts[code - FIRST_KNOWN] / max(total, 1)
    return Rarity(frequency, None, f"so in {share(frequency)} of normal rows")


def _hardly(vocabulary: Vocabulary, total: int) -> str:
    """Of a category that is not known by name: none of these is more frequent than the rarest that is."""
    if not vocabulary.other:
        return "never seen in training"
    most = min(vocabulary.other, *vocabulary.counts[-1:]) / total
    if most <= _HARDLY_EVER:
        return "never or hardly ever seen in training"
    return f"never seen in training, or in at most {share(most)} of normal rows"
