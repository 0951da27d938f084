"""Reading the inputs of a session of series: their rows, where they begin among all, what is to be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from aedetect.data.series.buffer import Gatherer, Rows, together
from aedetect.data.series.channels import Channels
from aedetect.data.series.entities import Entities
from aedetect.data.series.long_table import WideReader
from aedetect.data.series.pace import pace_notice
from aedetect.data.series.readings import repeated_readings
from aedetect.data.series.segments import Timeline, repeated_instants
from aedetect.data.series.timestamps import TimeReader
from aedetect.errors import DataError, ModelError
from aedetect.io.source import Input, batch_rows
from aedetect.scoring.fitted import FittedModel, SeriesParts


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

    def gathered(self, inputs: Sequence[Input], history: Sequence[Input]) -> tuple[Rows, int]:
        """The rows of all inputs, those of `history` first, and how many these are.

        An input that cannot be read is noted in `taken`; raises DataError or ModelError for one of `history`.
        """
        gathered: list[Rows] = []
        count = known = 0
        for place, source in enumerate((*history, *inputs)):
            taken = self.taken[id(source)] = Taken(count)
            try:
                rows = self.read(source, taken)
            except (DataError, ModelError) as error:
                if place < len(history):
                    raise
                taken.failure = error
                continue
            gathered.append(rows)
            self.sources.append((count, source))
            taken.count = len(rows)
            count += len(rows)
            known = count if place < len(history) else known
        return together(gathered, Channels.of(self._fitted.encoder).width), known

    def read(self, source: Input, taken: Taken) -> Rows:
        """The rows of an input; what is to be said of them goes to `taken`.

        Raises DataError or ModelError where it cannot be used.
        """
        fitted, state = self._fitted, self._series.state
        gatherer = Gatherer(state.clock, self.entities, fitted.encoder, self.times, self._series.exact)
        fitted.check(source)
        reader = fitted.as_read(source).open(batch_rows(fitted.config, len(fitted.encoder.owners)))
        column, read, timeless, unreadable = f"{source.name}: column {state.clock.column!r}", 0, 0, 0
        for batch in reader.batches():
            locate = partial(_place, source, read)
            _, times = gatherer.take(batch, locate)
            timeless += int(np.isnan(times.seconds).sum())
            unreadable += int(times.bad.sum())
            read += len(batch)
        if read and unreadable == read:
            raise DataError(f"{column}: no cell can be read as a timestamp")
        if timeless:
            taken.warnings.append(
                f"{column}: {timeless:,} row{'s' * (timeless != 1)} without a readable timestamp; "
                f"{'these rows are' if timeless != 1 else 'this row is'} unscorable"
            )
        rows = gatherer.rows()
        pace = pace_notice(rows.seconds, rows.series, state.step)
        if pace:
            taken.warnings.append(f"{source.name}: {pace}")
        if isinstance(reader, WideReader):
            taken.warnings += reader.notices(fitted.columns)
            repeated = repeated_readings(rows)
        else:
            repeated = repeated_instants(rows.seconds, Timeline.of(rows.seconds, rows.series, state.grid))
        if repeated:
            taken.warnings.append(
                f"{source.name}: {repeated:,} row{'s' * (repeated != 1)} repeat the timestamp of another row"
            )
        return rows


def _place(source: Input, before: int, index: int) -> str:
    return f"{source.name}: {source.locate(before + index + 1)}"
