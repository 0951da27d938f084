"""Pass 1: an input is read as it is on one machine, and its rows go to files, cut into buckets by series."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from aedetect.data import cells
from aedetect.data.arrays import Floats, Integers
from aedetect.data.series.entities import Entities
from aedetect.data.series.timestamps import Clock, Locate, TimeReader, Times
from aedetect.errors import DataError, ModelError, OutputError
from aedetect.io.atomic import atomic_output
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.series_reader import InputPass
from aedetect.scoring.spread.pieces import Pieces, PiecesWriter, write_index

# Makes the fitted model in another process, for so many threads; it can be pickled.
Load = Callable[[int], FittedModel]


@dataclass(frozen=True)
class CutInput:
    """What pass 1 says of an input: how many rows it has, what is to be said of it, or why it is no use.

    `before`, `after`: what is said before the pace of its rows, and after it.
    """

    rows: int = 0
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    failure: DataError | ModelError | None = None


@dataclass(frozen=True)
class Cutter:
    """Makes what cuts inputs into so many buckets, in files of `folder`."""

    load: Load
    folder: str
    buckets: int

    def __call__(self, threads: int) -> Callable[[tuple[int, Input]], CutInput]:
        fitted = self.load(threads)
        check_shared(self.folder)
        return lambda item: self._cut(fitted, *item)

    def _cut(self, fitted: FittedModel, place: int, source: Input) -> CutInput:
        assert fitted.series is not None
        pieces = Pieces(self.folder, place)
        entities, times = Entities(fitted.series.state.entity), _AsWritten(fitted.series.state.clock)
        with atomic_output(pieces.rows_path) as stream:
            writer = PiecesWriter(stream, entities.names, self.buckets)
            cut = self._read(fitted, source, entities, times, writer)
            index = writer.index()
        if cut.failure is not None:
            # Its series are known all the same, as they are where it is read in one process.
            index["bounds"] = index["bounds"][:0]
        write_index(pieces.index_path, index)
        return cut

    def _read(
        self,
        fitted: FittedModel,
        source: Input,
        entities: Entities,
        times: _AsWritten,
        writer: PiecesWriter,
    ) -> CutInput:
        assert fitted.series is not None
        cut = CutInput()
        try:
            one = InputPass(fitted, fitted.series, source, entities, times)
            for rows in one.rows():
                writer.add(rows, times.offset)
                cut = replace(cut, rows=cut.rows + len(rows))
        except (DataError, ModelError) as error:
            return CutInput(failure=error)
        return replace(cut, before=one.of_timeless(), after=one.notices)


def check_shared(folder: str) -> None:
    """Raises OutputError where the folder of all workers is not to be seen from here."""
    if not os.path.isdir(folder):
        raise OutputError(
            f"{os.path.dirname(folder)}: not shared by all workers, who exchange the rows of series in files "
            "there; write outputs to a folder that all machines share, or name one in TMPDIR"
        )


class _AsWritten(TimeReader):
    """Reads times as they are written, where rows before them tell which instants they mean.

    `offset` [rows]: of the rows read last, from UTC in seconds; NaN where there is none, or none to be kept.
    """

    def __init__(self, clock: Clock):
        super().__init__(clock)
        self.offset: Floats = np.empty(0)

    def times(self, array: pa.Array, series: Integers, rules: cells.CellRules, locate: Locate) -> Times:
        if self.clock.zone is None:
            self.offset = np.full(len(array), np.nan)
            return super().times(array, series, rules, locate)
        wall = self.clock.wall_times(array, rules, locate)
        self.offset = wall.offset
        return Times(wall.seconds, wall.bad)
