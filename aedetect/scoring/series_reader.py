"""Reading the inputs of a session of series: their rows, where they begin among all, what is to be said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from aedetect.data.arrays import Integers
from aedetect.data.series.buffer import Gatherer, Rows
from aedetect.data.series.counted import Counted
from aedetect.data.series.entities import Entities
from aedetect.data.series.long_table import WideReader
from aedetect.data.series.pace import pace_notice, pauses_of
from aedetect.data.series.readings import repeated_readings
from aedetect.data.series.row_store import RowStore
from aedetect.data.series.segments import Timeline, repeated_instants
from aedetect.data.series.timestamps import TimeReader
from aedetect.errors import DataError, ModelError
from aedetect.io.source import Input, batch_rows
from aedetect.scoring.fitted import FittedModel, SeriesParts


class Timeless(DataError):
    """An input of series in which no row has a time."""


@dataclass
class Taken:
    """What was read of one input, and where its rows begin among all."""

    first: int = 0
    count: int = 0
    warnings: list[str] = field(default_factory=list)
    failure: DataError | ModelError | None = None


class SeriesReader:
    """Reads inputs one after the other, and knows the series and the times met so far.

    `taken`: what was read of each input, by its id; `sources`: the number of the first row of each that
    could be read, and the input.
    """

    def __init__(self, fitted: FittedModel, series: SeriesParts):
        self._fitted = fitted
        self._series = series
        self.entities = Entities(series.state.entity)
        self.times = TimeReader(series.state.clock)
        self.taken: dict[int, Taken] = {}
        self.sources: list[tuple[int, Input]] = []

    def gather(self, inputs: Sequence[Input], history: Sequence[Input], store: RowStore) -> int:
        """Put the rows of all inputs into `store`, those of `history` first; gives how many these are.

        An input that cannot be read is noted in `taken`; raises DataError or ModelError for one of `history`.
        """
        known = 0
        for place, source in enumerate((*history, *inputs)):
            count = len(store)
            taken = self.taken[id(source)] = Taken(count)
            try:
                self.read(source, taken, store)
            except (DataError, ModelError) as error:
                if place < len(history):
                    raise
                store.give_up()
                taken.failure = error
                continue
            store.settle()
            self.sources.append((count, source))
            taken.count = len(store) - count
            known = len(store) if place < len(history) else known
        return known

    def read(self, source: Input, taken: Taken, store: RowStore) -> None:
        """Put the rows of an input into `store`; what is to be said of them goes to `taken`.

        Raises DataError or ModelError where it cannot be used.
        """
        first = len(store)
        fitted, state = self._fitted, self._series.state
        gatherer = Gatherer(state.clock, self.entities, fitted.encoder, self.times, self._series.exact)
        fitted.check(source)
        reader = fitted.as_read(source).open(batch_rows(fitted.config, len(fitted.encoder.owners)))
        column, read, timeless, unreadable = f"{source.name}: column {state.clock.column!r}", 0, 0, 0
        for batch in reader.batches():
            locate = partial(_place, source, read)
            rows, _, times = gatherer.read(batch, locate)
            store.add(rows)
            timeless += int(np.isnan(times.seconds).sum())
            unreadable += int(times.bad.sum())
            read += len(batch)
        if read and unreadable == read:
            raise Timeless(f"{column}: no cell can be read as a timestamp")
        if timeless:
            taken.warnings.append(
                f"{column}: {timeless:,} row{'s' * (timeless != 1)} without a readable timestamp; "
                f"{'these rows are' if timeless != 1 else 'this row is'} unscorable"
            )
        names = reader.notices(fitted.columns) if isinstance(reader, WideReader) else []
        self._note_times(source, taken, names, store.by_series(first))

    def _note_times(
        self, source: Input, taken: Taken, names: Sequence[str], each: Iterator[tuple[int, Integers, Rows]]
    ) -> None:
        """Warn of the pace and of repeated times of an input; `names`: what is said of those it met."""
        state, pauses, repeated = self._series.state, Counted(), 0
        for _, _, rows in each:
            pauses.add(pauses_of(rows.seconds))
            if self._fitted.long_table is not None:
                repeated += repeated_readings(rows)
            else:
                timeline = Timeline.of(rows.seconds, rows.series, state.grid)
                repeated += repeated_instants(rows.seconds, timeline)
        pace = pace_notice(pauses, state.step)
        if pace:
            taken.warnings.append(f"{source.name}: {pace}")
        taken.warnings += names
        if repeated:
            taken.warnings.append(
                f"{source.name}: {repeated:,} row{'s' * (repeated != 1)} repeat the timestamp of another row"
            )


def _place(source: Input, before: int, index: int) -> str:
    return f"{source.name}: {source.locate(before + index + 1)}"
