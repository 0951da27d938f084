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
class TimesSeen:
    """How rows follow one another in time: the pauses between them, and how many repeat an instant."""

    pauses: Counted = field(default_factory=Counted)
    repeated: int = 0

    def take(self, other: TimesSeen) -> None:
        """Take in what was seen of other series of the same input."""
        self.pauses.take(other.pauses)
        self.repeated += other.repeated

    def in_words(self, name: str, step: float, notices: Sequence[str]) -> list[str]:
        """What is to be said of an input called `name`; `notices`: what is said of the names it met."""
        pace = pace_notice(self.pauses, step)
        said = [f"{name}: {pace}"] if pace else []
        said += notices
        if self.repeated:
            rows = f"{self.repeated:,} row{'s' * (self.repeated != 1)}"
            said.append(f"{name}: {rows} repeat the timestamp of another row")
        return said


@dataclass
class Taken:
    """What was read of one input, and where its rows begin among all."""

    first: int = 0
    count: int = 0
    warnings: list[str] = field(default_factory=list)
    failure: DataError | ModelError | None = None
    times: TimesSeen = field(default_factory=TimesSeen)


class InputPass:
    """One pass over an input, for what series need of its rows.

    `read`: how many rows so far; `timeless`: of these, how many have no time, and `unreadable`, one that
    cannot be read. `notices`: what is to be said of names in a long table, once all was read.
    """

    def __init__(
        self, fitted: FittedModel, series: SeriesParts, source: Input, entities: Entities, times: TimeReader
    ):
        """Raises DataError or ModelError where the columns are not those that were learned."""
        self._fitted, self._source = fitted, source
        self._gatherer = Gatherer(series.state.clock, entities, fitted.encoder, times, series.exact)
        fitted.check(source)
        self._reader = fitted.as_read(source).open(batch_rows(fitted.config, len(fitted.encoder.owners)))
        self.read = self.timeless = self.unreadable = 0

    def rows(self) -> Iterator[Rows]:
        """The rows of each batch. Raises DataError where they cannot be used."""
        for batch in self._reader.batches():
            locate = partial(_place, self._source, self.read)
            rows, _, times = self._gatherer.read(batch, locate)
            self.timeless += int(np.isnan(times.seconds).sum())
            self.unreadable += int(times.bad.sum())
            self.read += len(batch)
            yield rows

    @property
    def notices(self) -> list[str]:
        reader = self._reader
        return reader.notices(self._fitted.columns) if isinstance(reader, WideReader) else []


def of_timeless(name: str, column: str, rows: int, timeless: int, unreadable: int) -> list[str]:
    """What is to be said of rows without a time, in an input of so many.

    Raises Timeless where no time can be read.
    """
    where = f"{name}: column {column!r}"
    if rows and unreadable == rows:
        raise Timeless(f"{where}: no cell can be read as a timestamp")
    if not timeless:
        return []
    return [
        f"{where}: {timeless:,} row{'s' * (timeless != 1)} without a readable timestamp; "
        f"{'these rows are' if timeless != 1 else 'this row is'} unscorable"
    ]


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
        first, state = len(store), self._series.state
        one = InputPass(self._fitted, self._series, source, self.entities, self.times)
        for rows in one.rows():
            store.add(rows)
        column = state.clock.column
        said = of_timeless(source.name, column, one.read, one.timeless, one.unreadable)
        taken.times = self._times_seen(store.by_series(first))
        taken.warnings += said
        taken.warnings += taken.times.in_words(source.name, state.step, one.notices)

    def _times_seen(self, each: Iterator[tuple[int, Integers, Rows]]) -> TimesSeen:
        """The pauses and repeated times of the rows of an input, series by series."""
        seen = TimesSeen()
        for _, _, rows in each:
            seen.pauses.add(pauses_of(rows.seconds))
            if self._fitted.long_table is not None:
                seen.repeated += repeated_readings(rows)
            else:
                timeline = Timeline.of(rows.seconds, rows.series, self._series.state.grid)
                seen.repeated += repeated_instants(rows.seconds, timeline)
        return seen


def _place(source: Input, before: int, index: int) -> str:
    return f"{source.name}: {source.locate(before + index + 1)}"
