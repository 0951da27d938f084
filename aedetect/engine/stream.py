"""Rows in, rows out: the pass behind encode, decode, clean and impute, from inputs to outputs."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import torch

from aedetect._version import __version__
from aedetect.engine.callbacks import Monitor
from aedetect.engine.spool import SOURCE_COLUMN, Spool, union_fields
from aedetect.engine.workers import ordered
from aedetect.errors import AedetectError, DataError, ExitCode, ModelError, UsageError
from aedetect.io.locate import STDIN
from aedetect.io.source import Input
from aedetect.io.write import TEXT_FORMATS, open_sink, output_format
from aedetect.models.ensemble import single_threaded
from aedetect.tasks.change_log import Changes, changes_schema

if TYPE_CHECKING:
    import pyarrow as pa
    import torch


SUMMARY_VERSION = 1


@dataclass
class Converted:
    """What became of one batch. `unusable`: rows in which cells could not be read.

    `changes` lists cells that were changed; `cells` counts them.
    """

    batch: pa.RecordBatch
    unusable: int = 0
    cells: int = 0
    changes: Changes | None = None


class Pass(Protocol):
    """One pass of a job over one input; batches are converted by several threads at once."""

    @property
    def warnings(self) -> list[str]:
        """What is to be said of the input from its columns alone."""
        ...

    def fields(self) -> list[pa.Field]:
        """The columns of the output."""
        ...

    def convert(self, batch: pa.RecordBatch, first: int) -> Converted:
        """One batch, whose first row is row `first` (from 1) of the input."""
        ...

    def conclude(self, rows: int) -> list[str]:
        """What is to be said of the input at its end. Raises DataError where it was unusable."""
        ...


class Job(Protocol):
    """What is done to rows, whichever input they come from."""

    name: str

    @property
    def device(self) -> torch.device: ...

    @property
    def batch_rows(self) -> int: ...

    def start(self, source: Input, typed: bool) -> Pass:
        """A pass over `source`; `typed`: text cells of learned columns become numbers.

        Raises DataError, ModelError or UsageError where the input does not fit.
        """
        ...


@dataclass
class FileOutcome:
    """One input's entry in the summary."""

    path: str
    output: str | None
    status: str = "done"
    rows: int = 0
    unusable: int = 0
    cells: int = 0
    error: str | None = None


@dataclass
class ConversionSummary:
    """What a run came to; `as_dict` is the contract of `--json`."""

    command: str
    model: dict[str, str | None]
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    rows: int = 0
    unusable: int = 0
    cells: int = 0
    files: list[FileOutcome] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    exit_code: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "schema_version": SUMMARY_VERSION,
            "aedetect_version": __version__,
            "command": self.command,
            "model": self.model,
            "rows": self.rows,
            "unusable": self.unusable,
            "changed_cells": self.cells,
            "files": [asdict(entry) for entry in self.files],
            "warnings": self.warnings,
            "started": self.started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "exit_code": self.exit_code,
        }


def convert_files(
    job: Job,
    model: dict[str, str | None],
    inputs: Sequence[Input],
    outputs: Sequence[str],
    monitor: Monitor,
    changes: str | None = None,
) -> ConversionSummary:
    """Run `job` from each input to its output; changed cells are listed in the file `changes`.

    A bad input does not stop the others: its error goes to the summary (with a single input it is
    raised). OutputError is raised.
    """
    summary = ConversionSummary(job.name, model)
    clock = time.monotonic()
    together = len(inputs) > 1 and len(set(outputs)) == 1
    errors: list[AedetectError] = []
    with _Listing(changes, len(inputs) > 1).opened() as listing:
        if together:
            _together(job, inputs, outputs[0], summary, monitor, listing, errors)
        else:
            _apart(job, inputs, outputs, summary, monitor, listing, errors)
        if errors and len(errors) == len(inputs):
            raise _failure(errors)
    summary.seconds = time.monotonic() - clock
    if errors:
        summary.exit_code = int(ExitCode.PARTIAL)
    return summary


def convert_to_table(job: Job, inputs: Sequence[Input]) -> pa.Table:
    """All inputs through `job` as one Arrow table; with several, a column names each row's."""
    import pyarrow as pa

    several = len(inputs) > 1
    fields = union_fields([job.start(source, typed=True).fields() for source in inputs])
    schema = _schema(fields, several, inputs[0].name)
    batches: list[pa.RecordBatch] = []
    for source in inputs:
        entry = FileOutcome(source.name, None)
        for converted in _converted(job, source, True, entry, [], Monitor()):
            batches.append(_conformed(converted.batch, schema, source.name))
    return pa.Table.from_batches(batches, schema)


def _apart(
    job: Job,
    inputs: Sequence[Input],
    outputs: Sequence[str],
    summary: ConversionSummary,
    monitor: Monitor,
    listing: _Listing,
    errors: list[AedetectError],
) -> None:
    for source, output in zip(inputs, outputs, strict=True):
        with _gathered(summary, source, output, errors, monitor) as (entry, warnings):
            typed = output_format(output) not in TEXT_FORMATS
            schema = _schema(job.start(source, typed).fields(), False, source.name)
            with listing.of_input(source.name) as note, _sink(output, schema) as write:
                for converted in _converted(job, source, typed, entry, warnings, monitor):
                    write(converted.batch)
                    note(converted)


def _together(
    job: Job,
    inputs: Sequence[Input],
    output: str,
    summary: ConversionSummary,
    monitor: Monitor,
    listing: _Listing,
    errors: list[AedetectError],
) -> None:
    typed = output_format(output) not in TEXT_FORMATS
    each: list[list[pa.Field]] = []
    for source in inputs:
        # Inputs that cannot be used are met again, and named, when their turn comes.
        with contextlib.suppress(DataError, ModelError):
            each.append(job.start(source, typed).fields())
    schema = _schema(union_fields(each), True, inputs[0].name)
    with _sink(output, schema) as write:
        for source in inputs:
            with (
                contextlib.closing(Spool(schema)) as spool,
                _gathered(summary, source, output, errors, monitor) as (entry, warnings),
                listing.of_input(source.name) as note,
            ):
                for converted in _converted(job, source, typed, entry, warnings, monitor):
                    spool.write(_conformed(converted.batch, schema, source.name))
                    note(converted)
                for batch in spool.read():
                    write(batch)
        if len(errors) == len(inputs):
            raise _failure(errors)


def _converted(
    job: Job, source: Input, typed: bool, entry: FileOutcome, warnings: list[str], monitor: Monitor
) -> Iterator[Converted]:
    run = job.start(source, typed)
    warnings += run.warnings

    def numbered() -> Iterator[tuple[pa.RecordBatch, int]]:
        first = 1
        for batch in source.open(job.batch_rows).batches():
            yield batch, first
            first += len(batch)

    with single_threaded(job.device) as workers:
        for (batch, _), converted in ordered(lambda item: (item, run.convert(*item)), numbered(), workers):
            entry.rows += len(batch)
            entry.unusable += converted.unusable
            entry.cells += converted.cells
            monitor.rows(entry.rows)
            yield converted
    warnings += run.conclude(entry.rows)


def _schema(fields: Sequence[pa.Field], source: bool, name: str) -> pa.Schema:
    import pyarrow as pa

    names = [item.name for item in fields] + ([SOURCE_COLUMN] if source else [])
    twice = next((item for item in names if names.count(item) > 1), None)
    if twice is not None:
        raise UsageError(f"{name}: has a column {twice!r} already, which the output would add; rename it")
    return pa.schema([*fields, *([pa.field(SOURCE_COLUMN, pa.string())] if source else [])])


def _conformed(batch: pa.RecordBatch, schema: pa.Schema, name: str) -> pa.RecordBatch:
    """The batch with the columns of `schema`: null where it has none, text where types differ."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from aedetect.io.write import as_text

    columns = []
    for item in schema:
        if item.name == SOURCE_COLUMN and item.name not in batch.schema.names:
            columns.append(pa.repeat(pa.scalar(name, pa.string()), len(batch)))
        elif item.name not in batch.schema.names:
            columns.append(pa.nulls(len(batch), item.type))
        else:
            column = batch.column(item.name)
            if column.type != item.type:
                text = pa.types.is_string(item.type)
                known = column.is_valid()
                column = (
                    pc.if_else(known, as_text(column), None)
                    if text
                    else pc.cast(column, item.type, safe=False)
                )
            columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


@contextlib.contextmanager
def _gathered(
    summary: ConversionSummary, source: Input, output: str, errors: list[AedetectError], monitor: Monitor
) -> Iterator[tuple[FileOutcome, list[str]]]:
    """Enters what becomes of one input into the summary; data and model errors do not escape."""
    monitor.stage(source.name)
    entry, warnings = FileOutcome(source.name, output), list[str]()
    try:
        yield entry, warnings
    except (DataError, ModelError) as error:
        errors.append(error)
        entry = FileOutcome(source.name, None, "failed", error=str(error))
    else:
        summary.rows += entry.rows
        summary.unusable += entry.unusable
        summary.cells += entry.cells
        summary.warnings += warnings
        for text in warnings:
            monitor.notice(text)
    summary.files.append(entry)


@contextlib.contextmanager
def _sink(output: str, schema: pa.Schema) -> Iterator[Any]:
    if output != STDIN and os.path.dirname(output):
        os.makedirs(os.path.dirname(output), exist_ok=True)
    with open_sink(output, schema) as sink:
        yield sink.write


class _Listing:
    """The list of changed cells, where one is asked for: an input's go in once it was good to its end."""

    def __init__(self, path: str | None, several: bool):
        self._path = path
        self._several = several
        self._write: Any = None

    @contextlib.contextmanager
    def opened(self) -> Iterator[_Listing]:
        if self._path is None:
            yield self
            return
        with _sink(self._path, changes_schema(self._several)) as self._write:
            yield self

    @contextlib.contextmanager
    def of_input(self, name: str) -> Iterator[Any]:
        if self._write is None:
            yield lambda _: None
            return
        schema = changes_schema(self._several)
        with contextlib.closing(Spool(schema)) as spool:

            def note(converted: Converted) -> None:
                if converted.changes is not None and len(converted.changes):
                    spool.write(converted.changes.batch(schema, name))

            yield note
            for batch in spool.read():
                self._write(batch)


def _failure(errors: Sequence[AedetectError]) -> AedetectError:
    """The error of a run of which no input could be used."""
    if len(errors) == 1:
        return errors[0]
    told = "; ".join(str(error) for error in errors[:3])
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    return type(errors[0])(f"none of {len(errors)} inputs can be used: {told}{more}")
