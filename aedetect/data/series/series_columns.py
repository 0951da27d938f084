"""Which column tells series apart that share their timestamps, where nobody named one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import Floats, Integers
from aedetect.data.cells import CellRules
from aedetect.data.series.entities import Entities

# Fewer rows that share a timestamp were sent twice, and are of no second series.
_LEAST_REPEATED = 20
# Of any column so many repeated timestamps remain within its values by chance; a tenth of them are no chance.
_LEAST_EXPECTED, _FEWEST_LEFT = 5.0, 0.1
# Nearly all series are of so many rows at least.
_LEAST_ROWS_EACH, _SHORT_SERIES = 20, 0.1
# More columns are not tried in pairs.
_MOST_IN_PAIRS = 8
_PART_OF_TIME = re.compile(
    r"hour|minute|second|time|date|day|week|month|year|stunde|uhr|zeit|tag|heure|hora|slot|period", re.I
)


class SeriesColumns:
    """Takes batches one after the other; then says within the values of which column no timestamp repeats."""

    def __init__(self, columns: Sequence[str], rows: int):
        """`columns`: those that may tell series apart. `rows`: how many there are in all."""
        self._rows = rows
        self._entities = {name: Entities((name,)) for name in columns if not _PART_OF_TIME.search(name)}
        self._numbers: dict[str, list[Integers]] = {name: [] for name in self._entities}

    def take(self, batch: pa.RecordBatch, rules: CellRules) -> None:
        """Take in the next rows; a column of too many values is looked at no longer."""
        for name, entities in list(self._entities.items()):
            self._numbers[name].append(entities.number(batch, rules).astype(np.int32))
            if len(entities.names) * _LEAST_ROWS_EACH > self._rows:
                del self._entities[name], self._numbers[name]

    def result(self, seconds: Floats) -> tuple[str, ...]:
        """The column, or the two, that tell apart the series of all rows taken; none where none is sure to.

        `seconds` [rows]: the times of the rows, NaN where there is none.
        """
        timed = ~np.isnan(seconds)
        instants = np.unique(seconds[timed], return_inverse=True)[1]
        repeated = len(instants) - (int(instants.max()) + 1 if len(instants) else 0)
        if repeated < _LEAST_REPEATED:
            return ()
        numbers = {
            name: np.concatenate(parts)[timed].astype(np.int64)
            for name, parts in self._numbers.items()
            if len(self._entities[name].names) > 1
        }
        fitting = [
            (len(self._entities[name].names), name)
            for name, series in numbers.items()
            if _tells_apart(series, instants, repeated)
        ]
        if fitting:
            return (min(fitting)[1],)
        fewest = sorted(numbers, key=lambda name: len(self._entities[name].names))[:_MOST_IN_PAIRS]
        pairs = []
        for one, other in combinations(fewest, 2):
            both = numbers[one] * len(self._entities[other].names) + numbers[other]
            series = np.unique(both, return_inverse=True)[1]
            if _tells_apart(series, instants, repeated):
                pairs.append((int(series.max()), tuple(sorted((one, other), key=list(numbers).index))))
        return min(pairs)[1] if pairs else ()


def entity_flags(columns: Sequence[str]) -> str:
    """What to give for the columns: '--entity host --entity disk'."""
    return " ".join(f"--entity {shlex.quote(name)}" for name in columns)


def _tells_apart(series: Integers, instants: Integers, repeated: int) -> bool:
    """Whether hardly an instant [rows] repeats within the series [rows], and that is no chance."""
    counts = np.bincount(series)
    if (counts < _LEAST_ROWS_EACH).mean() > _SHORT_SERIES:
        return False
    expected = repeated * float(np.square(counts / len(series)).sum())
    left = len(series) - len(np.unique(series * (int(instants.max()) + 1) + instants))
    return expected >= _LEAST_EXPECTED and left <= _FEWEST_LEFT * expected
