"""What a column would hold in rows like a given one, in the user's units and names."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aedetect.data.arrays import Integers, Matrix
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.categorical import RARE
from aedetect.data.features.encoder import NumericColumn
from aedetect.tasks.explain.format import quantity, share, shown
from aedetect.tasks.explain.normal_rows import NormalRows
from aedetect.tasks.explain.time_of_day import ANY_TIME, NO_VALUE, in_common
from aedetect.tasks.explain.units import Unit, Units

_USUALLY = 0.75
# Within so many times the spread, a number is no surprise.
_SPREADS = 2.0
_LOW, _HIGH = 0.16, 0.84
_OPTIONS = 3
MISSING = "missing"
_MOSTLY_NONE = "mostly no value"


@dataclass(frozen=True)
class Expected:
    """What the normal rows nearest in all other columns hold: `value` ± `spread`, or their usual category.

    `value` is a number (with `spread`, half the way from the 16% to the 84% quantile), a truth
    value, a text, or None for a missing one and for instants. `agreeing`: share of the rows with
    that category. `verb`: between the rows and `text` in a sentence. `options`: the texts of a cell
    that would be no surprise; of numbers, `holds` tells. `ends`: between which numbers `text` says
    that they lie.
    """

    value: float | bool | str | None
    spread: float | None
    agreeing: float | None
    text: str
    verb: str = "have"
    options: tuple[str, ...] = ()
    ends: tuple[float, float] | None = None

    def holds(self, seen: str, number: float) -> bool:
        """Whether a cell, `seen` as a text and read as a `number` (or NaN), is among what is expected."""
        if self.spread is not None and isinstance(self.value, float):
            return abs(number - self.value) <= _SPREADS * self.spread or self.says(seen, number)
        return self.says(seen, number)

    def says(self, seen: str, number: float) -> bool:
        """Whether `text` already says what the cell holds, so that nothing sets the two apart."""
        if self.ends is not None and not math.isnan(number):
            return self.ends[0] <= number <= self.ends[1] or seen in self.options
        return seen in self.options or self.text == ANY_TIME


class Expectations:
    """Looks up what normal rows hold."""

    def __init__(self, encoder: FeatureEncoder, normal: NormalRows, units: Units | None = None):
        self._columns: dict[str, NumericColumn] = {column.column: column for column in encoder.state.numeric}
        self._encoder = encoder
        self._units = units or Units(encoder, normal.matrix)
        # Decoded once: of wide tables, decoding anew for each column would take a second a row.
        self._values = self._units.decoded(normal.matrix) if len(normal) else {}
        self._phases = encoder.phases(normal.matrix)

    def of(self, name: str, neighbours: Integers) -> Expected:
        """What column `name` holds in the normal rows at the places `neighbours`."""
        column = self._columns.get(name)
        if column is not None and column.cycles:
            text = in_common(self._phases[name][neighbours], column.cycles)
            if text == NO_VALUE:
                return Expected(None, None, None, NO_VALUE, options=(MISSING,))
            return Expected(None, None, None, text, "are from")
        values = self._values[name].take(neighbours).to_pylist()
        if column is not None and column.role == "numeric":
            return _number(values, self._units[name])
        return _category(values)

    def reading(self, name: str, row: Matrix) -> tuple[str, ...]:
        """The spellings under which an encoded row [features] may be expected in a column of no numbers."""
        column = self._columns.get(name)
        if column is not None and column.cycles:
            text = in_common(self._encoder.phases(row[None])[name], column.cycles)
            return (MISSING,) if text == NO_VALUE else tuple(text.split(", "))
        return (_category_text(self._encoder.inverse_transform(row[None])[name][0].as_py()),)


def seen_value(value: Any) -> str:
    """A cell as the user wrote it; numbers shortened to what a reader can take in."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, float):
        return quantity(value)
    return shown(str(value).lower() if isinstance(value, bool) else str(value))


def _number(cells: Sequence[float | None], unit: Unit) -> Expected:
    values = np.array([value for value in cells if value is not None], dtype=np.float64)
    if 2 * len(values) < len(cells) or not len(values):
        text = _MOSTLY_NONE if len(values) else NO_VALUE
        return Expected(None, None, None, text, options=(MISSING,))
    low, middle, high = np.quantile(values, [_LOW, 0.5, _HIGH])
    center = float(round(middle)) if unit.whole else float(middle)
    spread = float(high - low) / 2
    agreeing = float((values == center).mean())
    text, ends = unit.around(center, float(low), float(high))
    agreed = f" ({share(agreeing)})" if low == high and agreeing < 1 else ""
    return Expected(center, spread, None, text + agreed, options=(text,), ends=ends)


def _category_text(value: object) -> str:
    return "a rare value" if value == RARE else seen_value(value)


def _category(values: Sequence[object]) -> Expected:
    ranked = Counter(values).most_common()
    value, count = ranked[0]
    agreeing = count / len(values)
    options = tuple(_category_text(other) for other, _ in ranked[: 1 if agreeing >= _USUALLY else _OPTIONS])
    covered = sum(times for _, times in ranked[: len(options)]) / len(values)
    text = " or ".join(options)
    if len(options) == 1:
        text += f" ({share(agreeing)})" if agreeing < 1 else ""
    elif covered < 1:
        text = f"mostly {text}" if covered >= _USUALLY else f"different values, {text} most often"
    known = value if isinstance(value, (bool, str, float)) else None
    return Expected(known, None, agreeing, text, options=options)
