"""Runs whose inputs, and spans of large ones, are worked on by several processes, of a cluster or here.

A worker takes a file, or a span of one, and runs our own reader, task and writer over it: what comes of a
row does not depend on how the work was cut. All else is this process's: summary, consumers, ledger, locks.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from aedetect.config.settings import ScoringConfig
from aedetect.engine.cluster import Lost, Workers
from aedetect.engine.divided import Divided, divide
from aedetect.engine.outputs import (
    SideOutput,
    conformed,
    is_typed,
    joint_fields,
    open_output,
    output_schema,
)
from aedetect.engine.places import opened_workers
from aedetect.engine.plan import Plan
from aedetect.engine.remote import (
    Done,
    Piece,
    Remote,
    TaskRecipe,
    as_seen_here,
    begin_in,
    check_shared,
    each_of,
    enter_done,
    failed,
    tell,
    work,
)
from aedetect.engine.stream import NoGoodInput, Run, conclude, fields_of
from aedetect.engine.task import FileSummary
from aedetect.errors import AedetectError, DataError, OutputError
from aedetect.io.atomic import remove_abandoned, remove_leftovers
from aedetect.io.files import FileInput
from aedetect.io.locate import STDIN
from aedetect.io.source import Input, no_rows

# Handed out at once: so many bytes of small files, and so many of them.
_BYTES_AT_ONCE, _FILES_AT_ONCE = 8 << 20, 64
# Each worker gets its share in about so many helpings, so that all are done at about the same time.
_HELPINGS = 4


@dataclass(frozen=True)
class Place:
    """Where workers are, as `places.opened_workers` has it; `jobs` of them at most.

    `name`: None for processes of this machine.
    """

    name: str | None
    jobs: int | None = None


def workplace(settings: ScoringConfig) -> Place | None:
    """The place that settings name; None for this machine."""
    capped = "jobs" in settings.model_fields_set
    return None if settings.on is None else Place(settings.on, settings.jobs if capped else None)


@dataclass(frozen=True)
class Distributed:
    """Pieces side by side, each by one worker; outputs and summary are the same as of one process."""

    recipe: TaskRecipe
    place: Place

    def execute(self, run: Run, plan: Plan) -> None:
        plan = plan.surveyed()
        try:
            with opened_workers(self.place.name, self.place.jobs, run.callback.notice) as workers:
                spread = _Spread(run, plan, self.recipe, workers, self.place.name)
                try:
                    spread.run(lambda errors: conclude(run.summary, errors, plan))
                except BaseException:
                    spread.remove_unfinished()
                    raise
                finally:
                    run.summary.workers = workers.taken_part
            run.consumers.finish()
        finally:
            run.summary.seconds = run.summary.clock.seconds


def read_spread(run: Run, inputs: Sequence[Input], recipe: TaskRecipe, place: Place) -> None:
    """As `stream.read_inputs`, by the workers at a place."""
    plan = Plan(inputs, [None] * len(inputs), rows_elsewhere=True)
    with opened_workers(place.name, place.jobs, run.callback.notice) as workers:
        _Spread(run, plan, recipe, workers, place.name).run(_raise_first)
        run.summary.workers = workers.taken_part
    if not run.summary.counts["rows"]:
        raise no_rows(inputs[0])


def _raise_first(errors: Sequence[AedetectError]) -> None:
    if errors:
        raise errors[0]


@dataclass(frozen=True)
class _Outcome:
    """What came of an input, and its rows where they came back."""

    done: Done
    rows: Iterable[pa.RecordBatch] = ()
    schema: pa.Schema | None = None


class _Spread:
    """One run over the workers that are there for it. `place`: None where they are processes here."""

    def __init__(self, run: Run, plan: Plan, recipe: TaskRecipe, workers: Workers, place: str | None):
        self._run, self._plan, self._workers, self._place = run, plan, workers, place
        self._consumers = each_of(run.consumers)
        # Processes here read what they need themselves, and so at the same time.
        recipe = recipe if place is None else recipe.carried()
        self._remote = Remote.of(recipe, self._consumers)
        self._errors: list[AedetectError] = []
        self._side_folder: Path | None = None
        self._side = SideOutput(plan.side, run.task.side_fields, len(plan.inputs) > 1)

    def run(self, settle: Callable[[Sequence[AedetectError]], None]) -> None:
        """Do the plan. `settle` is told the errors of inputs that could not be used, and may raise."""
        is_here = self._place is None
        with contextlib.ExitStack() as stack:
            if is_here and self._plan.side is not None:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="aedetect-"))
                self._side_folder = Path(folder)
            cut: list[Piece | Divided] = []
            for piece in map(self._piece, range(len(self._plan.inputs))):
                joined, workers = is_here or not self._plan.in_folder, self._workers.number
                parts = divide(self._run, piece, joined, workers if is_here else None)
                cut.append(piece if parts is None else stack.enter_context(parts))
            stack.enter_context(self._side.opened())
            results = stack.enter_context(contextlib.closing(self._results(cut)))
            (self._together if self._plan.together else self._apart)(cut, results)
            settle(self._errors)

    def remove_unfinished(self) -> None:
        """Remove what workers that were ended were writing."""
        outputs = [output for output in self._plan.outputs if output is not None and output != STDIN]
        for folder in dict.fromkeys(os.path.dirname(output) or "." for output in outputs):
            remove_abandoned(folder)

    def _piece(self, number: int) -> Piece:
        source, output = self._plan.inputs[number], self._plan.outputs[number]
        returned = output is not None and (self._plan.together or _is_special(output))
        side = None if self._side_folder is None else self._side_folder / f"{number}.arrow"
        typed, elsewhere = is_typed(output), self._plan.rows_elsewhere
        return Piece(source, output, typed, None, returned, side, elsewhere)

    def _results(self, cut: Sequence[Piece | Divided]) -> Generator[Done]:
        """What comes of each piece, in their order; those that no other machine can read are done here."""
        pieces = [piece for each in cut for piece in (each.pieces if isinstance(each, Divided) else [each])]
        sent = [piece for piece in pieces if not _is_here(piece.source)]
        begin = partial(begin_in, remote=self._remote, folder=os.getcwd())
        ahead = 2 * self._workers.number if any(piece.returned for piece in sent) else None
        far = self._workers.map(begin, sent, _helpings(sent, self._workers.number), ahead)
        with contextlib.closing(far):
            for piece in pieces:
                here = _is_here(piece.source)
                result = work(self._run.task, self._remote, piece) if here else next(far)
                yield self._judged(piece, result)

    def _apart(self, cut: Sequence[Piece | Divided], results: Iterator[Done]) -> None:
        for number, each in enumerate(cut):
            source, output = self._plan.inputs[number], self._plan.outputs[number]
            with self._outcome(each, results) as outcome:
                if outcome.schema is not None:
                    with open_output(output, outcome.schema, source) as write:
                        for batch in outcome.rows:
                            write(batch)
                enter_done(self._run, source, outcome.done, self._side, self._errors)
                if outcome.done.error is None:
                    self._tell(each, outcome.done)

    def _together(self, cut: Sequence[Piece | Divided], results: Iterator[Done]) -> None:
        output = self._plan.outputs[0]
        each = [fields_of(self._run.task, source, output) for source in self._plan.inputs]
        known = joint_fields([fields for fields in each if fields is not None])
        schema = output_schema(known, self._plan.inputs[0].name, True)
        first = next((one for one, fields in zip(self._plan.inputs, each, strict=True) if fields), None)
        good: list[tuple[Piece | Divided, Done]] = []
        with contextlib.suppress(NoGoodInput), open_output(output, schema, first) as write:
            for source, piece in zip(self._plan.inputs, cut, strict=True):
                with self._outcome(piece, results) as outcome:
                    for batch in outcome.rows:
                        write(conformed(batch, schema, source.name))
                    done = replace(outcome.done, rows=None, side=())
                    enter_done(self._run, source, outcome.done, self._side, self._errors)
                    good += [(piece, done)] if done.error is None else []
            if not good:
                raise NoGoodInput
        for piece, done in good:
            self._tell(piece, done)

    @contextlib.contextmanager
    def _outcome(self, piece: Piece | Divided, results: Iterator[Done]) -> Iterator[_Outcome]:
        if isinstance(piece, Divided):
            with piece.joined(self._run, results, self._consumers) as (done, spool):
                yield _Outcome(done) if spool is None else _Outcome(done, spool.read(), spool.schema)
            return
        self._run.callback.stage(piece.source.name)
        done = next(results)
        if done.rows is None:
            yield _Outcome(done)
            return
        with pa.ipc.open_stream(done.rows) as rows:
            yield _Outcome(done, rows, rows.schema)

    def _tell(self, piece: Piece | Divided, done: Done) -> None:
        tell(self._consumers, piece.source, done, isinstance(piece, Divided))

    def _judged(self, piece: Piece, result: Done | Lost) -> Done:
        """What came of a piece, as seen from here.

        Raises OutputError where its output is not to be seen, or a process of this machine was ended.
        """
        if self._place is None:
            if isinstance(result, Lost):
                raise OutputError(
                    f"{piece.source.name}: the process that {self._run.task.counts.done} it was ended from "
                    "outside (out of memory?); try fewer --jobs"
                )
            return result
        if isinstance(result, Lost):
            if piece.output is not None and not piece.returned:
                remove_leftovers(piece.output)
            entry = FileSummary(piece.source.name, None, "failed")
            error = DataError(
                f"{piece.source.name}: left out: {result.deaths} workers ended over it, one after the other "
                "(out of memory?)"
            )
            return Done(failed(entry, error), [], [], error)
        if result.error is None:
            check_shared(str(piece.output), result.written, self._place)
            return result
        seen = as_seen_here(result.error, result.absent, piece.source)
        return replace(result, entry=failed(result.entry, seen), error=seen)


def _is_here(source: Input) -> bool:
    """Whether an input is this process's alone: standard input, a table in memory."""
    return not isinstance(source, FileInput) or source.spool is not None


def _is_special(output: str) -> bool:
    """Whether an output is no file that a worker could write: standard output, a pipe, a device."""
    return output == STDIN or (os.path.exists(output) and not os.path.isfile(output))


def _helpings(pieces: Sequence[Piece], workers: int) -> list[int]:
    """How many of the pieces are handed out at once, one helping after the other."""
    most = max(1, min(_FILES_AT_ONCE, len(pieces) // (_HELPINGS * workers)))
    helpings: list[int] = []
    size = _BYTES_AT_ONCE
    for piece in pieces:
        bytes_ = _BYTES_AT_ONCE if piece.span is not None or piece.returned else _size_of(piece.source)
        if size + bytes_ > _BYTES_AT_ONCE or helpings[-1] >= most:
            helpings.append(0)
            size = 0
        helpings[-1] += 1
        size += bytes_
    return helpings


def _size_of(source: Input) -> int:
    """The size of a file; a guess where it costs a request."""
    assert isinstance(source, FileInput)
    if source.location.filesystem is not None:
        return _BYTES_AT_ONCE // 8
    with contextlib.suppress(OSError):
        return os.path.getsize(source.location.path)
    return 0
