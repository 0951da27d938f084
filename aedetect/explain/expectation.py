"""What a column would hold in rows like a given one, in the user's units and names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aedetect.explain.like import Indices, NormalRows
from aedetect.explain.words import quantity, share, shown, with_spread
from aedetect.features import FeatureEncoder
from aedetect.features.encoder import NumericColumn

_USUALLY = 0.75


@dataclass(frozen=True)
class Expected:
    """What rows alike in all other columns hold: `value` ± `spread`, or the category most of them have.

    `value` is a number (with `spread`, half the way from the 16% to the 84% quantile), a truth
    value, a text, or None for a missing one. `agreeing`: share of the rows with that category.
    """

    value: float | bool | str | None
    spread: float | None
    agreeing: float | None
    text: str


class Expectations:
    """Looks up what normal rows hold."""

    def __init__(self, encoder: FeatureEncoder, normal: NormalRows):
        self._columns: dict[str, NumericColumn] = {column.column: column for column in encoder.state.numeric}
        # Decoded once: of wide tables, decoding anew for each column would take a second a row.
        self._values = encoder.inverse_transform(normal.matrix) if len(normal) else {}

    def of(self, name: str, alike: Indices) -> Expected:
        """What column `name` holds in the normal rows `alike`."""
        values = self._values[name].take(alike).to_pylist()
        column = self._columns.get(name)
        if column is not None and column.role == "numeric":
            return _number([value for value in values if value is not None])
        if column is not None and column.cycles:
            return _instant(values)
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
    text = seen_value(value)
    if agreeing < _USUALLY:
        others = [seen_value(other) for other, _ in Counter(values).most_common(3)]
        text = " or ".join(others)
    return Expected(
        value if isinstance(value, (bool, str)) else None, None, agreeing, f"{text} ({share(agreeing)})"
        if agreeing >= _USUALLY and agreeing < 1 else text,
    )  # fmt: skip


def _instant(values: Sequence[object]) -> Expected:
    """Times of day go round in a circle: two or three of them say more than a mean."""
    named = [str(value) for value in values if value is not None][:3]
    return Expected(named[0] if named else None, None, None, " or ".join(named) or "no value")
