"""Numbers in the kind and the precision of their column: whole ones whole, money with its two decimals."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import Floats, Matrix
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.decimals import MANY
from aedetect.data.written_numbers import CURRENCIES, Writing
from aedetect.tasks.explain.format import grouped, in_order, number_of, quantity, with_spread

_MOST_DECIMALS, _MONEY = 4, 2
# So many values must be held finely enough to tell how many decimals a column has.
_TELLING = 20
# Values of series went through a few steps of float32; so many units of their last place are noise.
_NOISE = 4.0
_LARGEST_WHOLE = 2.0**53
# Significant digits that float32 holds.
_HELD = 7
_NUMBER = re.compile(r"(-?)\b(\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)")


@dataclass(frozen=True)
class Unit:
    """How the numbers of one column are written.

    `decimals`: how many all of them have at most; None where they have more than can be told. `low`, `high`:
    the least and the largest of training, NaN where they are not known. `center`, `spread`: as it is encoded.
    `before`, `behind`: what its cells have around each number, '$' or '%'.
    """

    whole: bool
    decimals: int | None
    low: float
    high: float
    center: float = 0.0
    spread: float = 1.0
    before: str = ""
    behind: str = ""

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest number of training."""
        return self.low, self.high

    def marked(self, text: str) -> str:
        """Text about numbers of this column, each with the mark that its cells have: '-$12.50 ± $3.00'."""
        if not (self.before or self.behind) or self._is_marked(text):
            return text
        return _NUMBER.sub(lambda match: f"{match[1]}{self.before}{match[2]}{self.behind}", text)

    def _is_marked(self, text: str) -> bool:
        return any(mark.strip() in text for mark in (self.before, self.behind) if mark)

    def holds(self, value: float) -> bool:
        """Whether `text` writes a value in all its digits."""
        if not math.isfinite(value) or abs(value) >= _LARGEST_WHOLE:
            return False
        decimals = 0 if self.whole else self.decimals
        return value == int(value) or (decimals is not None and round(value, decimals) == value)

    def text(self, value: float) -> str:
        """A number of this column; one that has more digits than the column keeps four that matter."""
        return self.marked(self._text(value))

    def _text(self, value: float) -> str:
        if not math.isfinite(value) or abs(value) >= _LARGEST_WHOLE:
            return quantity(value)
        if value == int(value) and (self.whole or not self.decimals):
            return f"{int(value):,}"
        if self.decimals and round(value, self.decimals) == value:
            return f"{value:,.{self.decimals}f}"
        return quantity(value)

    def steps(self, values: Floats) -> Floats:
        """How far apart the numbers are that encoding can hold about `values` [rows]."""
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.abs(np.arcsinh((values - self.center) / self.spread))
            steps = np.spacing(size.astype(np.float32)).astype(np.float64)
            return np.asarray(self.spread * np.cosh(size) * steps)

    def decoded(self, value: float) -> str:
        """A number of this column that was encoded, 'about 1,070,000' where that took digits away."""
        text = self.text(value)
        shown = len(text.partition(".")[2]) if self.decimals is None else self.decimals
        in_full = self.decimals is not None or value == round(value)
        coarse = in_full and float(self.steps(np.array(value))) > 10.0**-shown
        return f"about {text}" if coarse and value not in self.ends else text

    def bound(self, beside: float, bound: float) -> str:
        """An extreme of the column, in as many digits as set it apart from `beside` as that is shown."""
        text = self._text(bound)
        crossing = in_order(beside, [bound], self._text(beside))
        return self.marked(in_order(bound, [beside, number_of(crossing)], text))

    def around(self, center: float, low: float, high: float) -> tuple[str, tuple[float, float]]:
        """'71 ± 4', or '3 to 5' where that would leave the column's range or kind; and both ends of it."""
        if self.whole:
            low, high = float(round(low)), float(round(high))
        if low == high:
            step = float(self.steps(np.array(center)))
            return self._in_full(center), (low - step, high + step)
        text = self._spread(center, (high - low) / 2)
        middle, _, wide = map(number_of, text.partition(" ± "))
        ends = middle - wide, middle + wide
        if ends[0] >= self.low and ends[1] <= self.high:
            return self.marked(text), ends
        texts = in_order(low, [high], self._text(low)), in_order(high, [low], self._text(high))
        return self.marked(" to ".join(texts)), (
            min(low, number_of(texts[0])),
            max(high, number_of(texts[1])),
        )

    def _in_full(self, value: float) -> str:
        """A value that many rows have, in all digits that its encoding holds."""
        if self.decimals is not None or value == round(value):
            return self.decoded(value)
        return self.marked(grouped(f"{value:.{_HELD}g}"))

    def likely(self, value: float, spread: float) -> str:
        """What a model expects, which knows neither the column's range nor its kind: '65.2 ± 1.2'."""
        if not math.isfinite(value):
            return quantity(value)
        value = float(np.clip(value, *self.ends)) if math.isfinite(self.low) else value
        if self.whole:
            value = float(round(value))
        return self.marked(self._spread(value, spread)) or self.text(value)

    def _spread(self, center: float, spread: float) -> str:
        if self.whole:
            return f"{round(center):,} ± {round(spread):,}" if round(spread) else ""
        if self.decimals == _MONEY:
            return f"{center:,.2f} ± {spread:,.2f}" if round(spread, _MONEY) else ""
        return with_spread(center, spread)


class Units:
    """The units of the numeric columns, and encoded rows in them."""

    def __init__(self, encoder: FeatureEncoder, normal: Matrix):
        """`normal` [rows, features]: encoded normal rows, which show how many decimals there are."""
        self._encoder = encoder
        self._places: dict[str, int] = {}
        place = 0
        types = {column.name: column.type for column in encoder.schema.columns}
        for column in encoder.state.numeric:
            if not (column.cycles or column.words or types[column.column] == "bool"):
                self._places[column.column] = place
            place += column.width
        self._units: dict[str, Unit] = {}
        # What a counter grows by is no level.
        whole = {column.column: column.whole and not column.counter for column in encoder.state.numeric}
        values = encoder.inverse_transform(normal)
        for name, place in self._places.items():
            low, high = float(encoder.quantiles[place, 0]), float(encoder.quantiles[place, -1])
            scaling = float(encoder.center[place]), float(encoder.spread[place])
            unit = Unit(whole[name], 0, low, high, *scaling, *_marks(encoder.schema.writings.get(name)))
            stated = encoder.stated_decimals(place)
            if not unit.whole and stated is not None:
                unit = replace(unit, decimals=None if stated == MANY else stated)
            elif not unit.whole:
                unit = replace(unit, decimals=_decimals(unit, _floats(values[name])))
                if unit.decimals == 1 and _is_currency(unit.before + unit.behind):
                    # Prices in steps of ten cents have two decimals as well.
                    unit = replace(unit, decimals=_MONEY)
            self._units[name] = unit

    def __getitem__(self, name: str) -> Unit:
        return self._units[name]

    def __contains__(self, name: str) -> bool:
        return name in self._units

    def decoded(self, matrix: Matrix) -> Mapping[str, pa.Array]:
        """The user's values of `matrix` [rows, features], by column, without what float32 added to them."""
        arrays = self._encoder.inverse_transform(matrix)
        for name, unit in self._units.items():
            arrays[name] = pa.array(self._settled(unit, _floats(arrays[name])), from_pandas=True)
        return arrays

    def settled(self, name: str, value: float) -> float:
        """A number that went through float32 in standard deviations, as its column holds it."""
        place, unit = self._places[name], self._units[name]
        deviation = float(self._encoder.deviation[place])
        size = np.float32(abs(value - float(self._encoder.mean[place])) / deviation)
        noise = _NOISE * deviation * float(np.spacing(size))
        for end in unit.ends:
            if abs(value - end) <= noise:
                return end
        if not (math.isfinite(value) and math.isfinite(noise)):
            return value
        digits = min(math.floor(-math.log10(noise)), 300)
        return round(value, digits if unit.decimals is None else min(digits, unit.decimals)) + 0.0

    @staticmethod
    def _settled(unit: Unit, values: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            digits = np.floor(-np.log10(unit.steps(values)))
            finest = np.inf if unit.decimals is None else float(unit.decimals)
            power = 10.0 ** np.clip(np.minimum(digits, finest), -300, 300)
            rounded = np.round(values * power) / power
        values = np.where(np.isfinite(rounded), rounded, values)
        if np.isfinite(unit.low) and np.isfinite(unit.high):
            values = np.clip(values, unit.low, unit.high)
        return values + 0.0


def _marks(writing: Writing | None) -> tuple[str, str]:
    """What stands before and behind the numbers of a column that is written so, where that is one mark."""
    if writing is None:
        return "", ""
    behind = [text for text in writing.factors if text]
    if len(writing.before) == 1 and not behind:
        return writing.before[0], ""
    if len(behind) == 1 and not writing.before and writing.factors[behind[0]] == 1.0:
        return "", behind[0] if len(behind[0]) == 1 else f" {behind[0]}"
    return "", ""


def _is_currency(marks: str) -> bool:
    """Whether what stands beside numbers names money: '$', ' EUR'."""
    return marks.strip() in CURRENCIES or any(unicodedata.category(mark) == "Sc" for mark in marks)


def _floats(array: pa.Array) -> Floats:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)


def _decimals(unit: Unit, values: Floats) -> int | None:
    """How many decimals the normal `values` [rows] and the extremes have; None where it is not plain."""
    values = values[~np.isnan(values)]
    steps = unit.steps(values)
    for decimals in range(_MOST_DECIMALS + 1):
        telling = steps < 0.05 * 10.0**-decimals
        if telling.sum() < _TELLING:
            return None
        rounded = np.round(values, decimals)
        ends = all(round(end, decimals) == end for end in unit.ends)
        if ends and (np.abs(values - rounded) <= steps)[telling].all():
            return decimals
    return None
