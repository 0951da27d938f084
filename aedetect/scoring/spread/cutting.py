"""Pass 1: an input is read as it is on one machine, and its rows go to files, cut into buckets by series."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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
from aedetect.scoring.series_reader import InputPass, of_timeless
from aedetect.scoring.spread.pieces import Pieces, PiecesWriter, write_index

# Makes the fitted model in another process, for so many threads; it can be pickled.
Load = Callable[[int], FittedModel]


@dataclass(frozen=True)
class Cut:
    """What is to be cut: an input, or a span of one; its rows go to `pieces`."""

    source: Input
    pieces: Pieces


@dataclass(frozen=True)
class CutRows:
    """What pass 1 says of rows: how many there are, without a time, and with one that cannot be read.

    `notices`: on the names of a long table. `failure`: why they cannot be used. `lost`: whether nothing is
    known of them, not even their series.
    """

    rows: int = 0
    timeless: int = 0
    unreadable: int = 0
    notices: list[str] = field(default_factory=list)
    failure: DataError | ModelError | None = None
    lost: bool = False


@dataclass(frozen=True)
class CutInput:
    """What is known of an input once it was cut: how many rows it has, and their pieces.

    `before`, `after`: what is said before the pace of its rows, and after it. `failure`: why it is no use.
    """

    rows: int
    pieces: Sequence[Pieces]
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    failure: DataError | ModelError | None = None

    @classmethod
    def of(cls, name: str, column: str, parts: Sequence[tuple[Pieces, CutRows]]) -> CutInput:
        """Of an input called `name`, of which these are the spans, in their order."""
        pieces = [each for each, _ in parts]
        for place, (_, part) in enumerate(parts):
            if part.failure is not None:
                # What comes after would not have been read.
                return cls(0, pieces[: place + (not part.lost)], failure=part.failure)
        rows, timeless, unreadable = (
            sum(getattr(part, what) for _, part in parts) for what in ("rows", "timeless", "unreadable")
        )
        try:
            before = of_timeless(name, column, rows, timeless, unreadable)
        except DataError as error:
            return cls(0, pieces, failure=error)
        return cls(rows, pieces, before, [text for _, part in parts for text in part.notices])


@dataclass(frozen=True)
class Cutter:
    """Makes what cuts inputs into so many buckets."""

    load: Load
    folder: str
    buckets: int

    def __call__(self, threads: int) -> Callable[[Cut], CutRows]:
        fitted = self.load(threads)
        check_shared(self.folder)
        return lambda item: self._cut(fitted, item)

    def _cut(self, fitted: FittedModel, item: Cut) -> CutRows:
        assert fitted.series is not None
        entities, times = Entities(fitted.series.state.entity), _AsWritten(fitted.series.state.clock)
        with atomic_output(item.pieces.rows_path) as stream:
            writer = PiecesWriter(stream, entities.names, self.buckets)
            try:
                one = InputPass(fitted, fitted.series, item.source, entities, times)
                for rows in one.rows():
                    writer.add(rows, times.offset)
                cut = CutRows(one.read, one.timeless, one.unreadable, one.notices)
            except (DataError, ModelError) as error:
                cut = CutRows(failure=error)
            index = writer.index()
        # The series of an input that is no use are known all the same, as where it is read in one process.
        write_index(item.pieces.index_path, index)
        return cut


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
