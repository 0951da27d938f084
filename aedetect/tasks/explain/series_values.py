"""Values of time series in words: what was seen, and what was expected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Integers
from aedetect.scoring.reconstruction import ReconstructedColumn
from aedetect.tasks.explain.format import quantity, shown, with_spread
from aedetect.tasks.explain.units import Units


def farthest(column: ReconstructedColumn, rows: Integers) -> int:
    """The one of `rows` that is farthest from what was expected."""
    return int(rows[column.deviations(rows).argmax()])


@dataclass(frozen=True)
class SeriesValues:
    """Writes values in the units of their columns."""

    units: Units

    def seen(self, column: ReconstructedColumn, row: int) -> float:
        """The value of a row without what float32 added to it, which would lie beyond an extreme at times."""
        value = float(column.seen[row])
        known = column.column in self.units and not column.names and not np.isnan(value)
        return self.units.settled(column.column, value) if known else value

    def expected(self, column: ReconstructedColumn, row: int) -> str:
        """What was expected of a row: '65.2 ± 1.2'."""
        return self.text(column, float(column.expected[row]), float(column.usual[row]))

    def text(self, column: ReconstructedColumn, value: float, spread: float | None = None) -> str:
        """A value that was seen, or one that was expected, with its spread."""
        if np.isnan(value):
            return "missing" if spread is None else "nothing known"
        if column.names:
            return shown(column.names[int(value)])
        if column.column not in self.units:
            return quantity(float(f"{value:.5g}")) if spread is None else with_spread(value, spread)
        unit = self.units[column.column]
        return unit.text(value) if spread is None else unit.likely(value, spread)
