"""What a column would hold in rows like a given one, in the user's units and names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aedetect.data.arrays import Integers
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.encoder import NumericColumn
from aedetect.tasks.explain.format import quantity, share, shown, with_spread
from aedetect.tasks.explain.normal_rows import NormalRows
from aedetect.tasks.explain.time_of_day import ANY_TIME, in_common

_USUALLY = 0.75
# Within so many times the spread, a number is no surprise.
_SPREADS = 2.0


@dataclass(frozen=True)
class Expected:
    """What the normal rows nearest in all other columns hold: `value` ± `spread`, or their usual category.

    `value` is a number (with `spread`, half the way from the 16% to the 84% quantile), a truth
    value, a text, or None for a missing one and for instants. `agreeing`: share of the rows with
    that category. `verb`: between the rows and `text` in a sentence. `options`: the texts of a cell
    that would be no surprise; of numbers, `holds` tells.
    """

    value: float | bool | str | None
    spread: float | None
    agreeing: float | None
    text: str
    verb: str = "have"
    options: tuple[str, ...] = ()

    def holds(self, seen: str, number: float) -> bool:
        """Whether a cell, `seen` as a text and read as a `number` (or NaN), is among what is expected."""
        if self.spread is not None and isinstance(self.value, float):
            return abs(number - self.value) <= _SPREADS * self.spread
        return seen in self.options or self.text == ANY_TIME


class Expectations:
    """Looks up what normal rows hold."""

    def __init__(self, encoder: FeatureEncoder, normal: NormalRows):
        self._columns: dict[str, NumericColumn] = {column.column: column for column in encoder.state.numeric}
        # Decoded once: of wide tables, decoding anew for each column would take a second a row.
        self._values = encoder.inverse_transform(normal.matrix) if len(normal) else {}
        self._phases = encoder.phases(normal.matrix)

    def of(self, name: str, neighbours: Integers) -> Expected:
        """What column `name` holds in the normal rows at the places `neighbours`."""
        column = self._columns.get(name)
        if column is not None and column.cycles:
            text = in_common(self._phases[name][neighbours], column.cycles)
            return Expected(None, None, None, text, "are from")
        values = self._values[name].take(neighbours).to_pylist()
        if column is not None and column.role == "numeric":
            return _number([value for value in values if value is not None])
        return _category(values)


def seen_value(value: Any) -> str:
    """A cell as the user wrote it; numbers shortened to what a reader can take in."""
    if value is None or value == "":
        return "missing"
    if isinstance(value, float):
        return quantity(value)
    return shown(str(value).lower() if isinstance(value, bool) else str(value))


def _number(values: Sequence[float]) -> Expected:
    if not values:
        return Expected(None, None, None, "no value")
    low, middle, high = np.quantile(values, [0.16, 0.5, 0.84])
    whole = all(value == round(value, 6) and round(value, 6) == int(value) for value in values)
    center = float(round(middle)) if whole else float(middle)
    spread = float(high - low) / 2
    return Expected(center, spread, None, with_spread(center, spread))


def _category(values: Sequence[object]) -> Expected:
    (value, count), *_ = Counter(values).most_common(1)
    agreeing = count / len(values)
    options: tuple[str, ...] = (seen_value(value),)
    if agreeing < _USUALLY:
        options = tuple(seen_value(other) for other, _ in Counter(values).most_common(3))
    text = " or ".join(options) + (f" ({share(agreeing)})" if _USUALLY <= agreeing < 1 else "")
    known = value if isinstance(value, (bool, str, float)) else None
    return Expected(known, None, agreeing, text, options=options)
