"""Passes over the rows to learn from: the inputs in parts, worked on in this process or by others.

Where parts begin and end follows from the inputs alone, and what comes of them is taken together in their
order: whoever works on them, and however many do, the model is the same to the last bit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from aedetect.config import Config
from aedetect.data.arrays import Integers
from aedetect.data.labels import LabelReader, known_anomalies, label_reader
from aedetect.engine.cluster import Here, Lost, Workers
from aedetect.errors import OutputError, UsageError
from aedetect.io.completed import CompletedInput
from aedetect.io.files import FileInput
from aedetect.io.source import Input, InputAround, Reader, TableInput, batch_rows
from aedetect.io.spans import SpanInput, spans_of
from aedetect.training.planned_rows import bare, opened_pass

if TYPE_CHECKING:
    import pyarrow as pa

# About so many bytes are a part; numbers in Parquet files count as eight of them.
PART_BYTES = 64 << 20
# Smaller files are not asked how many rows they hold.
_LEAST_ASKED = 4 << 20
# So many results a worker may wait to be taken in.
_AHEAD = 4

Result = TypeVar("Result")


@dataclass(frozen=True)
class Piece:
    """Rows of one input: `rows` reads them, behind so many `before` them.

    `source`: the input, whose rows they are by number. `place`: its own among all inputs.
    """

    place: int
    source: Input
    rows: Input
    before: int = 0


Part = tuple[Piece, ...]


@dataclass(frozen=True)
class Chunk:
    """Rows of one input to learn from, their numbers in it (from 1), and of how many read.

    Rows that a calendar names are none of either. `place`: that of the input among all.
    """

    source: Input
    batch: pa.RecordBatch
    numbers: Integers
    read: int
    place: int = 0

    def locate(self, index: int) -> str:
        """Where the row with that index stands: 'a.csv: row 7 (line 8)'."""
        return f"{self.source.name}: {self.source.locate(int(self.numbers[index]))}"


@dataclass(frozen=True)
class Passes:
    """Inputs to be passed over, as often as need be, by `workers`."""

    inputs: Sequence[Input]
    workers: Workers = field(default_factory=Here)

    @cached_property
    def parts(self) -> list[Part]:
        """The inputs in parts, in order. Raises DataError where one cannot be read."""
        return parts_of(self.inputs)

    def map(self, work: Callable[[Part], Result]) -> Iterator[Result]:
        """What `work` makes of each part, in their order; elsewhere, it goes there pickled.

        Raises what it raises, and OutputError for a part that workers died of.
        """
        if not isinstance(self.workers, Here):
            check_sendable(self.inputs)
        results = self.workers.map(_Given(work), self.parts, ahead=_AHEAD * self.workers.number)
        for part, result in zip(self.parts, results, strict=True):
            if isinstance(result, Lost):
                raise OutputError(
                    f"{part[0].source.name}: {result.deaths} workers died while they read it; "
                    "give them more memory, or lower scoring.batch_rows"
                )
            yield result


@dataclass(frozen=True)
class _Given:
    """Work that needs no making."""

    work: Callable[[Any], Any]

    def __call__(self, threads: int) -> Callable[[Any], Any]:
        return self.work


def check_sendable(inputs: Sequence[Input]) -> None:
    """Raises UsageError for an input that this process alone can read."""
    for source in map(bare, inputs):
        if isinstance(source, FileInput) and source.spool is not None:
            raise UsageError("--on: standard input is read by this process alone; give the name of a file")


def parts_of(inputs: Sequence[Input], size: int | None = None) -> list[Part]:
    """The inputs in parts of about `size` bytes: small ones together, large Parquet files cut.

    Raises DataError where a file cannot be read.
    """
    most = PART_BYTES if size is None else size
    parts: list[Part] = []
    waiting: list[Piece] = []
    held = 0
    for place, source in enumerate(inputs):
        for piece, weight in _pieces(place, source, most):
            if waiting and held + weight > most:
                parts.append(tuple(waiting))
                waiting, held = [], 0
            waiting.append(piece)
            held += weight
    return [*parts, tuple(waiting)] if waiting else parts


def _pieces(place: int, source: Input, most: int) -> Iterator[tuple[Piece, int]]:
    """The input in pieces, each with its size in bytes."""
    file, weight = _file(source), _bytes_of(source)
    if file is not None and file.format == "parquet" and weight >= min(_LEAST_ASKED, most):
        rows = sum(file.group_rows())
        weight = max(weight, 8 * rows * len(file.open(1024).schema))
        if weight > 2 * most:
            for span in spans_of(file, max(1, rows * most // weight)):
                share = weight * span.rows // rows
                yield Piece(place, source, _over(source, span), span.before), share
            return
    yield Piece(place, source, source), weight


def _file(source: Input) -> FileInput | None:
    """The file that an input is, if its rows are those of the file, each by itself."""
    while isinstance(source, CompletedInput):
        source = source.source
    if not isinstance(source, FileInput) or source.spool is not None or source.is_compressed:
        return None
    return source


def _over(source: Input, span: SpanInput) -> Input:
    """What stands around a file, around a span of it."""
    return replace(source, source=_over(source.source, span)) if isinstance(source, CompletedInput) else span


def _bytes_of(source: Input) -> int:
    """How large an input is; as large as a part, where that is not known."""
    while isinstance(source, InputAround):
        source = source.source
    if isinstance(source, TableInput):
        return int(source.table.nbytes)
    if not isinstance(source, FileInput) or source.spool is not None:
        return PART_BYTES
    place = source.location
    if place.filesystem is not None:
        return int(place.filesystem.get_file_info(place.path).size or 0)
    return os.stat(place.path).st_size


def whole(inputs: Sequence[Input]) -> Part:
    """All inputs as one part."""
    return tuple(Piece(place, source, source) for place, source in enumerate(inputs))


def chunks(inputs: Sequence[Input], config: Config, anomalies: bool = False) -> Iterator[Chunk]:
    """All rows of the inputs but the labelled anomalies, in order; or only these, where there is a label.

    Raises DataError at the end of the pass for labels that cannot be read.
    """
    labels = label_reader(config.data)
    yield from chunks_of(whole(inputs), config, labels, anomalies)
    labels.check_read()


def chunks_of(
    part: Part, config: Config, labels: LabelReader, anomalies: bool = False, most: int | None = None
) -> Iterator[Chunk]:
    """As `chunks`, of one part, in batches of `most` rows if less than configured.

    `labels` reads its labels, and is to be checked by the caller.
    """
    column = config.data.label
    for piece in part:
        first = piece.before + 1
        planned_pass = opened_pass(piece.source)
        for batch in _opened(piece.rows, config, most).batches():
            numbers = np.arange(first, first + len(batch))
            first += len(batch)
            if planned_pass is not None:
                learned = ~planned_pass.planned(batch, numbers)
                batch, numbers = batch.filter(_mask(learned)), numbers[learned]
            read = len(batch)
            if column is not None and column in batch.schema.names:
                locate = partial(Chunk.locate, Chunk(piece.source, batch, numbers, read))
                keep = known_anomalies(batch.column(column), labels, locate) == anomalies
                batch, numbers = batch.filter(_mask(keep)), numbers[keep]
            yield Chunk(piece.source, batch, numbers, read, piece.place)
        if planned_pass is not None:
            planned_pass.end()


def _opened(source: Input, config: Config, most: int | None) -> Reader:
    size = batch_rows(config, len(source.open(1024).schema))
    return source.open(size if most is None else min(size, most))


def _mask(keep: np.ndarray[Any, Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array(keep)
