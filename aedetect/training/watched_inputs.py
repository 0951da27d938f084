"""Inputs that tell a callback how far they are read, whoever reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

import pyarrow as pa

from aedetect.engine.callbacks import Callback
from aedetect.io.row_estimate import rows_about
from aedetect.io.source import Input, Reader
from aedetect.training.request import TrainingRun


@dataclass(frozen=True)
class WatchedInput:
    """An input among others: `before` it about so many rows are read; the first begins a pass over all.

    `total`: rows of all of them, about; None where that is not known.
    """

    source: Input
    callback: Callback
    first: bool
    before: int
    total: int | None

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def is_text(self) -> bool:
        return self.source.is_text

    def locate(self, row: int) -> str:
        return self.source.locate(row)

    def open(self, batch_rows: int) -> Reader:
        return _WatchedReader(self, self.source.open(batch_rows))


class _WatchedReader:
    def __init__(self, watched: WatchedInput, reader: Reader):
        self._watched, self._reader = watched, reader

    @property
    def schema(self) -> pa.Schema:
        return self._reader.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        watched = self._watched
        if watched.first:
            watched.callback.expected(watched.total)
        done = watched.before
        for batch in self._reader.batches():
            yield batch
            done += len(batch)
            watched.callback.rows(done)


def watched(run: TrainingRun) -> TrainingRun:
    """The run, whose inputs tell its callback how far they are read."""
    counts = [rows_about(source) for source in run.request.inputs]
    before = [0, *accumulate(count or 0 for count in counts)]
    total = None if None in counts else before[-1]
    inputs = [
        WatchedInput(source, run.callback, not place, before[place], total)
        for place, source in enumerate(run.request.inputs)
    ]
    return replace(run, request=replace(run.request, inputs=inputs))
