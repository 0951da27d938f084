"""Which columns may name a segment, and their cells in one of two types: numbers or names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from aedetect.data import any_type, cells
from aedetect.engine.outputs import SOURCE_COLUMN
from aedetect.io.source import Input
from aedetect.tasks.scored_rows import ScoredBatch

if TYPE_CHECKING:
    from aedetect.data.series.timestamps import Clock
    from aedetect.scoring.fitted import FittedModel


class Candidates:
    """Reads the columns that may name a segment: all but the label, learned or not, known or not.

    Of several inputs the file is one more column. The time of a series is one column, however many hold it.
    """

    def __init__(self, fitted: FittedModel, inputs: Sequence[Input]):
        schema = fitted.input_schema
        self._rules, self._dates = fitted.schema.rules, fitted.schema.dates
        self._roles = {column.name: column.role for column in schema.columns}
        self._label = fitted.config.data.label
        self._clock: Clock | None = fitted.series.state.clock if fitted.series is not None else None
        self._several = len(inputs) > 1
        self._learned = {name: number for number, name in enumerate(fitted.columns)}

    @property
    def rules(self) -> cells.CellRules:
        """How cells are read."""
        return self._rules

    def is_instant(self, name: str) -> bool:
        """Whether the numbers of a column are seconds since 1970."""
        if self._clock is not None and name == self._clock.column:
            return self._clock.kind != "count"
        return self._roles.get(name) == "datetime"

    def clock(self, name: str) -> Clock | None:
        """How the dates of a column are written, where that is known."""
        if self._clock is not None and name == self._clock.column:
            return self._clock
        return self._dates.get(name)

    def learned(self, name: str) -> int:
        """The number of a column among those that can be to blame, -1 of others."""
        return self._learned.get(name, -1)

    def read(self, batch: ScoredBatch) -> pa.RecordBatch:
        """The cells of a batch by column: numbers and instants as float64, all others as strings."""
        rows = batch.rows
        arrays: dict[str, pa.Array] = {}
        times = self._clock.columns if self._clock is not None else ()
        for name in rows.schema.names:
            if name != self._label and self._roles.get(name) != "label" and name not in times:
                arrays[name] = self._cells(name, rows.column(name))
        if self._clock is not None:
            seconds = self._clock.instants(self._clock.cells_of(rows, self._rules), self._rules).values
            arrays[self._clock.column] = pa.array(seconds, from_pandas=True)
        if self._several and SOURCE_COLUMN not in arrays:
            arrays[SOURCE_COLUMN] = pa.repeat(pa.scalar(batch.source.name, pa.string()), len(rows))
        return pa.RecordBatch.from_pydict(arrays)

    def _cells(self, name: str, array: pa.Array) -> pa.Array:
        rules, role = self._rules.of(name), self._roles.get(name)
        if role == "numeric":
            return pa.array(cells.numbers(array, rules).values, from_pandas=True)
        if role == "datetime":
            return pa.array(cells.datetimes(array, rules).values, from_pandas=True)
        return any_type.names(array, self._rules)
