"""Large inputs cut into spans that are worked on side by side, and what came of the spans put together."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from aedetect.engine.parts import Parts
from aedetect.engine.remote import Done, Piece, each_of, failed
from aedetect.engine.spool import Spool
from aedetect.engine.stream import Run, count_none
from aedetect.engine.task import Consumer, DivisibleRun, FileSummary, Task
from aedetect.errors import AedetectError, DataError, ModelError, OutputError
from aedetect.io.files import FileInput
from aedetect.io.source import Input
from aedetect.io.spans import SpanInput, spans_of

# The rows of a span, about: enough that opening the file is nothing to it, few enough to be done again.
SPAN_ROWS = 1 << 20
# On one machine each worker gets a file in about so many, of no fewer rows, if its row groups are so small:
# then all are done at about the same time.
SPANS_EACH, LEAST_ROWS = 4, 50_000
# Smaller files are hardly of so many rows, and need not be opened to see.
LEAST_BYTES = 32 << 20


class Divided:
    """An input that is cut into `pieces`, in whose context outputs of theirs are removed unless joined."""

    def __init__(self, piece: Piece, spans: Sequence[SpanInput], parts: Parts | None):
        self.source = piece.source
        self._piece = piece
        self._parts = parts
        outputs = [None] * len(spans) if parts is None else parts.paths
        self.pieces = [
            Piece(piece.source, output, piece.typed, span, piece.returned, _numbered(piece.side, number))
            for number, (span, output) in enumerate(zip(spans, outputs, strict=True))
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._parts is not None:
            self._parts.remove()

    @contextlib.contextmanager
    def joined(
        self, run: Run, results: Iterator[Done], consumers: Sequence[Consumer]
    ) -> Iterator[tuple[Done, Spool | None]]:
        """What came of the input as a whole, from what comes of its spans; its output is in place then.

        And its rows, where they came back.
        """
        source, gathered = self.source, _Gathered()
        run.callback.stage(source.name)
        run.callback.expected(sum(piece.span.rows for piece in self.pieces if piece.span is not None))
        entry = FileSummary(source.name, self._piece.output, run.task.counts.done)
        with contextlib.closing(gathered):
            for piece in self.pieces:
                with _said_of_whole(piece.output, self._piece.output):
                    gathered.add(next(results))
                run.callback.rows(gathered.counts["rows"])
            try:
                if gathered.error is not None:
                    raise gathered.error
                warnings = self._concluded(run, entry, gathered)
                for consumer in consumers:
                    if consumer.remote_of_span() is None:
                        consumer.check(source)
            except (DataError, ModelError) as failure:
                yield Done(failed(entry, failure), [], [], failure), None
                return
            if self._parts is not None:
                entry.output = self._parts.join()
            states = zip(*gathered.states, strict=True)
            joined = [consumer.joined(each) for consumer, each in zip(consumers, states, strict=True)]
            yield Done(entry, warnings, joined, None, gathered.side), gathered.rows

    def _concluded(self, run: Run, entry: FileSummary, gathered: _Gathered) -> list[str]:
        """What is to be said of the input, whose counts are entered."""
        task_run = run.task.start(self.source, self._piece.typed)
        assert isinstance(task_run, DivisibleRun)
        for state in gathered.task_states:
            task_run.absorb(state)
        entry.counts.update(gathered.counts)
        warnings = [*task_run.warnings, *task_run.conclude(entry.counts["rows"])]
        count_none(self.source, entry, warnings, self._piece.rows_elsewhere)
        return warnings


class _Gathered:
    """What came of spans, in the order of the rows."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.states: list[Sequence[Any]] = []
        self.task_states: list[Any] = []
        self.side: list[pa.RecordBatch | Path] = []
        self.rows: Spool | None = None
        self.error: AedetectError | None = None

    def add(self, done: Done) -> None:
        """Take in the next span. The first error is that of all."""
        self.error = self.error or done.error
        if self.error is not None:
            return
        self.counts.update(done.entry.counts)
        self.states.append(done.states)
        self.task_states.append(done.task_state)
        self.side += done.side
        if done.rows is not None:
            with pa.ipc.open_stream(done.rows) as rows:
                self.rows = self.rows or Spool(rows.schema)
                for batch in rows:
                    self.rows.write(batch)

    def close(self) -> None:
        if self.rows is not None:
            self.rows.close()


def divide(run: Run, piece: Piece, joined: bool, workers: int | None = None) -> Divided | None:
    """The input of a piece cut into spans; None where it is small, or cannot be cut.

    `joined`: whether its output is to be one file, and not several in a folder. `workers`: see `large_spans`.
    Raises OutputError where the folder holds parts of an earlier output that these would not replace.
    """
    source, output = piece.source, None if piece.returned else piece.output
    spans = cut(run.task, source, output, workers)
    if not spans:
        return None
    for consumer in each_of(run.consumers):
        if consumer.remote_of_span() is None:
            consumer.begin(source)
    return Divided(piece, spans, None if output is None else Parts(output, len(spans), joined))


def cut(task: Task, source: Input, output: str | None, workers: int | None = None) -> list[SpanInput]:
    """The spans in which a task works on an input whose rows go to `output`; none where it does not."""
    if not task.divisible or (output is not None and _is_in_store(output)):
        return []
    return large_spans(source, workers)


def large_spans(source: Input, workers: int | None = None) -> list[SpanInput]:
    """The spans of a large Parquet file, at least two; none of others, and of one that cannot be read.

    Its cuts depend on the file alone, or where it is for so many `workers`, on their number as well.
    """
    if not isinstance(source, FileInput) or not _is_large(source):
        return []
    # One that cannot be read fails by name when its turn comes.
    with contextlib.suppress(DataError):
        if source.format == "parquet" and not source.is_compressed:
            if workers is None:
                spans = spans_of(source, SPAN_ROWS)
            else:
                rows = sum(source.group_rows())
                least = max(LEAST_ROWS, -(-rows // (SPANS_EACH * workers)))
                spans = spans_of(source, least, -(-rows // workers))
            return spans if len(spans) > 1 else []
    return []


def _is_large(source: FileInput) -> bool:
    place = source.location
    if source.spool is not None:
        return False
    with contextlib.suppress(OSError):
        if place.filesystem is not None:
            return int(place.filesystem.get_file_info(place.path).size or 0) >= LEAST_BYTES
        return os.path.getsize(place.path) >= LEAST_BYTES
    return False


def _is_in_store(output: str) -> bool:
    return "://" in output


def _numbered(side: Path | None, number: int) -> Path | None:
    return None if side is None else side.with_name(f"{side.stem}-{number}{side.suffix}")


@contextlib.contextmanager
def _said_of_whole(part: str | None, output: str | None) -> Iterator[None]:
    """What is wrong with a part that nobody has asked for is said of the output that it is of."""
    try:
        yield
    except OutputError as error:
        raise OutputError(str(error).replace(str(part), str(output))) from None
