"""When the rows of a table are, by a column that was named for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from aedetect.config.names import no_column
from aedetect.data.arrays import Floats
from aedetect.data.cells import CellRules
from aedetect.data.series.clock_detection import find_clock, guess_notice
from aedetect.data.series.timestamps import Clock, TimeReader
from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError, UsageError
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.backtest.periods import on_the_wall
from aedetect.tasks.scored_rows import ScoredBatch

OPTION = "--time-of"
_FIRST_ROWS = 1024


@dataclass(frozen=True)
class TimeColumn:
    """A column of instants by name; `format` and `zone` as of `series.time_format` and `series.time_zone`."""

    name: str
    format: str | None = None
    zone: str | None = None


class RowTimes:
    """Reads a column of instants, batch after batch; how it is written is told from its first cells.

    What the model learned of the column goes first. Raises UsageError where there is no such column, and
    DataError where its cells are no instants, can be read in two ways, or only count.
    """

    def __init__(self, fitted: FittedModel, inputs: Sequence[Input], column: TimeColumn, callback: Callback):
        self._rules = fitted.schema.rules.of(column.name)
        self.clock = _clock(self._rules, inputs, column, callback)
        self._reader = TimeReader(self.clock)
        self._read: dict[int, tuple[Input, int, int, int]] = {}

    @property
    def zone(self) -> str | None:
        """The zone of the days; None for UTC, or for the wall clock's where times name no zone."""
        return self.clock.zone or self.clock.shown_in

    def local(self, batch: ScoredBatch) -> Floats:
        """The times [rows] of a batch by the clock on the wall in seconds since 1970; NaN where unknown."""
        source, column = batch.source, self.clock.column
        _check_column(column, batch.rows.schema.names, source)
        locate = partial(_place, source, batch.first)
        series = np.zeros(len(batch.rows), dtype=np.int64)
        times = self._reader.read(batch.rows, series, self._rules, locate)
        _, rows, timeless, bad = self._read.get(id(source), (source, 0, 0, 0))
        self._read[id(source)] = (
            source,
            rows + len(times.seconds),
            timeless + int(np.isnan(times.seconds).sum()),
            bad + int(times.bad.sum()),
        )
        return on_the_wall(times.seconds, self.zone)

    def warnings(self) -> list[str]:
        """Of rows that are on no day. Raises DataError for an input of which no cell could be read."""
        column = f"column {self.clock.column!r}"
        for source, rows, _, bad in self._read.values():
            if rows and bad == rows:
                raise DataError(f"{source.name}: {column}: no cell can be read as a timestamp")
        total = sum(timeless for _, _, timeless, _ in self._read.values())
        if not total:
            return []
        if total == sum(rows for _, rows, _, _ in self._read.values()):
            source = next(iter(self._read.values()))[0]
            raise DataError(_without_times(source, self.clock.column))
        first = next(source.name for source, _, timeless, _ in self._read.values() if timeless)
        be = "row is" if total == 1 else "rows are"
        where = f"{first} and others" if len(self._read) > 1 else first
        return [f"{where}: {column}: {total:,} {be} without a readable time, and on no day"]


def _clock(rules: CellRules, inputs: Sequence[Input], asked: TimeColumn, callback: Callback) -> Clock:
    known, column = rules.date, asked.name
    if isinstance(known, Clock) and asked.format is None:
        return known.model_copy(update={"columns": (column,), "zone": asked.zone or known.zone})
    for source in inputs:
        for batch in source.open(_FIRST_ROWS).batches():
            _check_column(column, batch.schema.names, source)
            cells = batch.column(column)
            if cells.null_count == len(cells):
                continue
            locate = partial(_place, source, 1)
            clock = find_clock([column], cells, rules, asked.format, asked.zone, locate)
            if clock.kind == "count":
                raise DataError(
                    f"{source.name}: column {column!r} holds numbers that only count, and no dates; "
                    "name another column, or say how they are written (--time-format)"
                )
            notice = guess_notice(clock, cells, rules)
            if notice and asked.format is None:
                callback.notice(notice)
            return clock
    raise DataError(_without_times(inputs[0], column))


def _without_times(source: Input, column: str) -> str:
    return f"{source.name}: column {column!r} is empty in all rows; {OPTION} needs one with times"


def _check_column(column: str, names: Sequence[str], source: Input) -> None:
    if column not in names:
        raise UsageError(no_column(OPTION, column, list(names), f"in {source.name}"))


def _place(source: Input, first: int, index: int) -> str:
    return f"{source.name}: {source.locate(first + index)}"
