"""The one pass: inputs opened one after the other, batches processed by threads, results in order."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from aedetect.engine.callbacks import Callback
from aedetect.engine.outputs import (
    SideOutput,
    conformed,
    is_typed,
    joint_fields,
    open_output,
    output_schema,
)
from aedetect.engine.plan import Plan
from aedetect.engine.spool import Spool
from aedetect.engine.summary import RunSummary
from aedetect.engine.task import (
    BatchResult,
    Consumer,
    Consumers,
    FileSummary,
    OutputFields,
    Processed,
    Task,
    TaskRun,
)
from aedetect.engine.workers import ordered
from aedetect.errors import AedetectError, DataError, ExitCode, ModelError
from aedetect.io.files import FileInput, fetched_ahead
from aedetect.io.row_estimate import rows_about
from aedetect.io.source import Input, no_rows

# Each thread gets an input in at least so many batches, so that all are done at about the same time; but
# below so many rows what a batch costs by itself would show. Their sizes are multiples of the second.
_BATCHES_EACH, _FEWEST_ROWS, _ROWS_STEP = 2, 4096, 1024


@dataclass(frozen=True)
class Run:
    """A run of a task: where its results are entered, and who looks on."""

    task: Task
    summary: RunSummary
    consumers: Consumer = field(default_factory=Consumers)
    callback: Callback = field(default_factory=Callback)


def run_in_process(run: Run, plan: Plan) -> None:
    """Run a task from each input to its output. A bad input does not stop the others.

    Data and model errors of an input end up in the summary; where no input could be used they are
    raised. OutputError is raised at once: where one output cannot be written, others would fare no better.
    """
    side = SideOutput(plan.side, run.task.side_fields, len(plan.inputs) > 1)
    plan = plan if plan.rows_elsewhere else plan.surveyed()
    try:
        with side.opened():
            errors = (_together if plan.together else _apart)(run, plan, side) if plan.inputs else []
            conclude(run.summary, errors, plan)
        run.consumers.finish()
    finally:
        run.summary.seconds = run.summary.clock.seconds


def conclude(summary: RunSummary, errors: Sequence[AedetectError], plan: Plan) -> None:
    """Settle the exit code. Raises the failure of a run of which no input could be used."""
    if errors and len(errors) == len(plan.inputs) and not plan.skipped:
        raise _failure(errors)
    if errors:
        summary.exit_code = int(ExitCode.PARTIAL)


def read_inputs(run: Run, inputs: Sequence[Input]) -> None:
    """Run a task for what its consumers see; nothing is written.

    Raises the DataError or ModelError of the first input that cannot be used, and DataError for files
    none of which has a row.
    """
    for source in inputs:
        run.callback.stage(source.name)
        entry = FileSummary(source.name, None, run.task.counts.done)
        warnings: list[str] = []
        for batch in processed(run, run.task.start(source, True), source, entry, warnings):
            run.consumers.see(batch)
        count_none(source, entry, warnings, True)
        enter(run, entry, warnings)
    # A table in memory may well be empty: whoever made it knows.
    if not run.summary.counts["rows"] and all(isinstance(source, FileInput) for source in inputs):
        raise no_rows(inputs[0])


def run_to_table(
    task: Task, inputs: Sequence[Input], callback: Callback | None = None
) -> tuple[pa.Table, RunSummary]:
    """All inputs through a task as one table; with several, a last column names each row's.

    Raises the DataError or ModelError of the first input that cannot be used.
    """
    summary = RunSummary(task.name, task.counts, {})
    fields = joint_fields([task.start(source, True).fields() for source in inputs])
    schema = output_schema(fields, inputs[0].name, len(inputs) > 1)
    batches: list[pa.RecordBatch] = []

    class Gather(Consumer):
        def see(self, batch: Processed) -> None:
            if batch.result.rows is not None:
                batches.append(conformed(batch.result.rows, schema, batch.source.name))

    read_inputs(Run(task, summary, Gather(), callback or Callback()), inputs)
    return pa.Table.from_batches(batches, schema), summary


def _apart(run: Run, plan: Plan, side: SideOutput) -> list[AedetectError]:
    if len(plan.inputs) > 1:
        # A clash of names is found before the first output is written.
        for source, output in zip(fetched_ahead(plan.inputs), plan.outputs, strict=True):
            fields_of(run.task, source, output)
    errors: list[AedetectError] = []
    for source, output in zip(fetched_ahead(plan.inputs), plan.outputs, strict=True):
        with entered(run, source, output, errors) as (entry, warnings):
            run.consumers.begin(source)
            task_run = run.task.start(source, is_typed(output))
            schema = output_schema(task_run.fields(), source.name)
            with side.of_input(source.name) as list_side, open_output(output, schema, source) as write:
                for batch in processed(run, task_run, source, entry, warnings):
                    if batch.result.rows is not None and len(batch.result.rows):
                        write(batch.result.rows)
                    list_side(batch.result.side)
                    run.consumers.see(batch)
                count_none(source, entry, warnings, plan.rows_elsewhere)
                run.consumers.check(source)
        if entry.error is None:
            run.consumers.done(source, entry)
    return errors


def _together(run: Run, plan: Plan, side: SideOutput) -> list[AedetectError]:
    output = plan.outputs[0]
    each = [fields_of(run.task, source, output) for source in fetched_ahead(plan.inputs)]
    known = joint_fields([fields for fields in each if fields is not None])
    schema = output_schema(known, plan.inputs[0].name, True)
    errors: list[AedetectError] = []
    good: list[tuple[Input, FileSummary]] = []
    first = next((source for source, fields in zip(plan.inputs, each, strict=True) if fields), None)
    with contextlib.suppress(NoGoodInput), open_output(output, schema, first) as write:
        for source in fetched_ahead(plan.inputs):
            with (
                contextlib.closing(Spool(schema)) as spool,
                entered(run, source, output, errors) as (entry, warnings),
                side.of_input(source.name) as list_side,
            ):
                run.consumers.begin(source)
                task_run = run.task.start(source, is_typed(output))
                for batch in processed(run, task_run, source, entry, warnings):
                    if batch.result.rows is not None and len(batch.result.rows):
                        spool.write(conformed(batch.result.rows, schema, source.name))
                    list_side(batch.result.side)
                    run.consumers.see(batch)
                count_none(source, entry, warnings, plan.rows_elsewhere)
                run.consumers.check(source)
                for rows in spool.read():
                    write(rows)
            if entry.error is None:
                good.append((source, entry))
        if not good:
            raise NoGoodInput
    for source, entry in good:
        run.consumers.done(source, entry)
    return errors


def fields_of(task: Task, source: Input, output: str | None) -> OutputFields | None:
    """The columns of an output; None for an input that cannot be used, which is met again and named."""
    with contextlib.suppress(DataError, ModelError):
        return task.start(source, is_typed(output)).fields()
    return None


def processed(
    run: Run, task_run: TaskRun, source: Input, entry: FileSummary, warnings: list[str]
) -> Iterator[Processed]:
    """The batches of an input in order; its counts and warnings are entered as it goes."""
    warnings += task_run.warnings
    rows = rows_about(source)
    run.callback.expected(rows)
    for batch in batches_of(run, task_run, source, source, rows):
        entry.counts.update(batch.result.counts)
        run.callback.rows(entry.counts["rows"])
        yield batch
    warnings += task_run.conclude(entry.counts["rows"])


def batches_of(
    run: Run, task_run: TaskRun, source: Input, part: Input, about: int | None, before: int = 0
) -> Iterator[Processed]:
    """The batches of `part`, which is all of `source` or what follows its first `before` rows, in order.

    `about`: how many rows it has, as far as that is known.
    """

    def numbered(batch_rows: int) -> Iterator[tuple[pa.RecordBatch, int]]:
        first = 1 + before
        for rows in run.task.completed(part).open(batch_rows).batches():
            yield rows, first
            first += len(rows)

    def work(item: tuple[pa.RecordBatch, int]) -> tuple[pa.RecordBatch, int, BatchResult]:
        return *item, task_run.process(*item)

    with run.task.threads() as workers:
        batches = numbered(_batch_rows(run.task, about, workers))
        for rows, first, result in ordered(work, batches, workers):
            task_run.account(result, first)
            yield Processed(source, first, rows, result)


def _batch_rows(task: Task, about: int | None, workers: int) -> int:
    """The rows of a batch: no more than the task's, and so few that all threads get some of an input."""
    if about is None or workers < 2 or not task.independent:
        return task.batch_rows
    share = -(-about // (_BATCHES_EACH * workers))
    return min(task.batch_rows, max(_FEWEST_ROWS, -(-share // _ROWS_STEP) * _ROWS_STEP))


def count_none(source: Input, entry: FileSummary, warnings: list[str], rows_elsewhere: bool) -> None:
    """Say that an input has no rows. Raises DataError where no other has any."""
    if entry.counts["rows"]:
        return
    if not rows_elsewhere:
        raise no_rows(source)
    warnings.append(f"{source.name}: holds no rows")


@contextlib.contextmanager
def entered(
    run: Run, source: Input, output: str | None, errors: list[AedetectError]
) -> Iterator[tuple[FileSummary, list[str]]]:
    """Enters what becomes of one input into the summary; data and model errors go to `errors`."""
    run.callback.stage(source.name)
    entry, warnings = FileSummary(source.name, output, run.task.counts.done), list[str]()
    try:
        yield entry, warnings
    except (DataError, ModelError) as error:
        errors.append(error)
        entry.counts.clear()
        entry.output, entry.status, entry.error = None, "failed", str(error)
        run.summary.files.append(entry)
    else:
        enter(run, entry, warnings)


def enter(run: Run, entry: FileSummary, warnings: Sequence[str]) -> None:
    """Enter an input that was good into the summary, and say what is to be said of it."""
    run.summary.counts.update(entry.counts)
    run.summary.warnings += warnings
    run.summary.files.append(entry)
    for text in warnings:
        run.callback.notice(text)


class NoGoodInput(Exception):
    """Keeps an output without a single good input from being put in place."""


def _failure(errors: Sequence[AedetectError]) -> AedetectError:
    """The error of a run of which no input could be used."""
    if len(errors) == 1:
        return errors[0]
    reasons = "; ".join(str(error) for error in errors[:3])
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    return type(errors[0])(f"none of {len(errors)} inputs can be used: {reasons}{more}")
