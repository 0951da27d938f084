"""What a process does with rows that another one hands to it, and what that one makes of it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from aedetect.engine.outputs import SideOutput, Write, open_output, output_schema
from aedetect.engine.stream import Run, batches_of, count_none, entered, processed
from aedetect.engine.summary import RunSummary
from aedetect.engine.task import Consumer, Consumers, DivisibleRun, FileSummary, RemoteConsumer, Task
from aedetect.errors import AedetectError, DataError, OutputError
from aedetect.io.files import FileInput
from aedetect.io.source import Input
from aedetect.io.spans import SpanInput
from aedetect.io.without_pandas import keep_pandas_out

# File systems that machines share may tell of a new file a moment later than the one that wrote it.
_PATIENCE = 5.0


class TaskRecipe(Protocol):
    """How another process makes the same task; it can be pickled."""

    def build(self, threads: int) -> Task:
        """The task, computed by so many threads."""
        ...

    def carried(self) -> TaskRecipe:
        """The recipe with all that it needs of this machine's files, for a process on another one."""
        ...


@dataclass(frozen=True)
class Piece:
    """Rows to be worked on: all of `source`, or a `span` of it.

    `output`: the file they go to; with `returned`, they come back instead. `typed`: as for `Task.start`.
    `side`: the file for the side output, whose rows come back where it is None. `rows_elsewhere`: see `Plan`.
    """

    source: Input
    output: str | None
    typed: bool
    span: SpanInput | None = None
    returned: bool = False
    side: Path | None = None
    rows_elsewhere: bool = True

    @property
    def is_first(self) -> bool:
        """Whether no rows of its input go before its own."""
        return self.span is None or self.span.before == 0

    @contextlib.contextmanager
    def opened(self, schema: pa.Schema) -> Iterator[tuple[Write, pa.BufferOutputStream | None]]:
        """Takes the rows; and where they are gathered, if they come back."""
        if not self.returned:
            with open_output(self.output, schema, self.source, self.is_first) as write:
                yield write, None
            return
        gathered = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_stream(gathered, schema, options=options) as writer:
            yield writer.write_batch, gathered


@dataclass(frozen=True)
class Done:
    """What came of a piece. `states`: of each consumer, None where it has none there.

    `side`: its rows for the side output, or the file that holds them.
    `task_state`: of a span, what `DivisibleRun.absorb` takes. `rows`: those that come back, an Arrow stream.
    `written`: the size of the output and when it was written, in nanoseconds. `absent`: the input is not
    there, as seen by the process.
    """

    entry: FileSummary
    warnings: list[str]
    states: Sequence[Any]
    error: AedetectError | None
    side: Sequence[pa.RecordBatch | Path] = ()
    task_state: Any = None
    rows: pa.Buffer | None = None
    written: tuple[int, int] | None = None
    absent: bool = False


@dataclass(frozen=True)
class Remote:
    """What every process needs to know. `consumers`: how those who go along with an input are made.

    `of_spans`: the same for those who go along with a span of one.
    """

    recipe: TaskRecipe
    consumers: Sequence[RemoteConsumer | None]
    of_spans: Sequence[RemoteConsumer | None]

    @classmethod
    def of(cls, recipe: TaskRecipe, consumers: Sequence[Consumer]) -> Remote:
        """What processes need to know that stand in for a run with these consumers."""
        whole = tuple(consumer.remote() for consumer in consumers)
        return cls(recipe, whole, tuple(consumer.remote_of_span() for consumer in consumers))

    def begin(self, threads: int) -> Callable[[Piece], Done]:
        """Make the task; what is returned works on pieces."""
        keep_pandas_out()
        return partial(work, self.recipe.build(threads), self)


def begin_in(threads: int, remote: Remote, folder: str) -> Callable[[Piece], Done]:
    """As `Remote.begin`, where paths are meant from `folder`."""
    # A machine that lacks it lacks the inputs as well, which are named one by one.
    with contextlib.suppress(OSError):
        os.chdir(folder)
    return remote.begin(threads)


def each_of(consumers: Consumer) -> Sequence[Consumer]:
    """The consumers of a run, one by one."""
    return consumers.each if isinstance(consumers, Consumers) else [consumers]


def work(task: Task, remote: Remote, piece: Piece) -> Done:
    """Run the task over a piece. Data and model errors come back, others are raised."""
    makers = remote.consumers if piece.span is None else remote.of_spans
    consumers = Consumers([make(task) for make in makers if make is not None])
    run = Run(task, RunSummary(task.name, task.counts, {}), consumers)
    source, errors = piece.source, list[AedetectError]()
    sides: list[pa.RecordBatch] = []
    task_state, rows = None, None
    with entered(run, source, piece.output, errors) as (entry, warnings):
        consumers.begin(source)
        task_run = task.start(source, piece.typed)
        schema = output_schema(task_run.fields(), source.name)
        with _side(piece, task, sides) as list_side, piece.opened(schema) as (write, gathered):
            for batch in _batches(run, task_run, piece, entry, warnings):
                if batch.result.rows is not None and len(batch.result.rows):
                    write(batch.result.rows)
                list_side(batch.result.side)
                consumers.see(batch)
            if piece.span is None:
                count_none(source, entry, warnings, piece.rows_elsewhere)
            consumers.check(source)
        if piece.span is not None:
            assert isinstance(task_run, DivisibleRun)
            task_state = task_run.state()
        rows = gathered.getvalue() if gathered is not None else None
    error = errors[0] if errors else None
    states = iter(consumers.state())
    return Done(
        entry,
        warnings,
        [None if make is None else next(states) for make in makers],
        error,
        [piece.side] if piece.side is not None else sides,
        task_state,
        rows,
        None if error is not None or piece.returned else look_of(piece.output),
        error is not None and not _is_there(source),
    )


def _batches(run: Run, task_run: Any, piece: Piece, entry: FileSummary, warnings: list[str]) -> Iterator[Any]:
    if piece.span is None:
        yield from processed(run, task_run, piece.source, entry, warnings)
        return
    for batch in batches_of(run, task_run, piece.source, piece.span, piece.span.rows, piece.span.before):
        entry.counts.update(batch.result.counts)
        yield batch


@contextlib.contextmanager
def _side(
    piece: Piece, task: Task, rows: list[pa.RecordBatch]
) -> Iterator[Callable[[pa.RecordBatch | None], None]]:
    """Takes the rows of the side output: to its file, or into `rows`."""
    if piece.side is None:
        yield lambda batch: rows.append(batch) if batch is not None and len(batch) else None
        return
    side = SideOutput(str(piece.side), task.side_fields, False)
    with side.opened(), side.of_input(piece.source.name) as take:
        yield take


def look_of(path: str | None) -> tuple[int, int] | None:
    """The size of a file, and when it was written; None of what is no file of a machine's own."""
    with contextlib.suppress(OSError, TypeError):
        if os.path.isfile(str(path)):
            status = os.stat(str(path))
            return status.st_size, status.st_mtime_ns
    return None


def check_shared(output: str, written: tuple[int, int] | None, place: str) -> None:
    """Raises OutputError where a file that a worker has written is not to be seen from here."""
    deadline = time.monotonic() + _PATIENCE
    while written is not None and look_of(output) != written:
        if time.monotonic() > deadline:
            raise OutputError(
                f"{output}: a worker has written it to a disk of its own machine; with --on {place}, outputs "
                "must be on storage that all machines share, or in an object store"
            )
        time.sleep(0.1)


def as_seen_here(error: AedetectError, absent: bool, source: Input) -> AedetectError:
    """The error of a worker, for which the input was `absent`, as it is to be told where it may be there."""
    if not absent or not _is_there(source):
        return error
    return DataError(
        f"{source.name}: is on this machine, but not where the workers are; inputs must be on storage "
        "that all machines share, or in an object store"
    )


def _is_there(source: Input) -> bool:
    if (
        not isinstance(source, FileInput)
        or source.location.filesystem is not None
        or source.spool is not None
    ):
        return True
    return os.path.exists(source.location.path)


def enter_done(run: Run, source: Input, done: Done, side: SideOutput, errors: list[AedetectError]) -> None:
    """Enter what came of an input into the summary, and its rows of the side output into that."""
    run.summary.files.append(done.entry)
    if done.error is not None:
        errors.append(done.error)
        return
    run.summary.counts.update(done.entry.counts)
    run.summary.warnings += done.warnings
    for text in done.warnings:
        run.callback.notice(text)
    with side.of_input(source.name) as take:
        for batch in _side_rows(done):
            take(batch)


def tell(consumers: Sequence[Consumer], source: Input, done: Done, divided: bool = False) -> None:
    """Tell the consumers of an input whose output is in place; `divided`: whether it was done in spans."""
    for consumer, state in zip(consumers, done.states, strict=True):
        if divided and consumer.remote_of_span() is None:
            consumer.done(source, done.entry)
        else:
            consumer.merge(source, done.entry, state)


def _side_rows(done: Done) -> Iterator[pa.RecordBatch]:
    for each in done.side:
        if not isinstance(each, Path):
            yield each
            continue
        with pa.memory_map(str(each)) as stream:
            reader = pa.ipc.open_file(stream)
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)


def failed(entry: FileSummary, error: AedetectError) -> FileSummary:
    """The entry of an input that failed so."""
    return FileSummary(entry.path, None, "failed", error=str(error))
