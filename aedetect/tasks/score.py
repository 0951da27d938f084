"""The streaming pass: one input after the other, a batch at a time, to verdicts and outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data import cells
from aedetect.engine.callbacks import Monitor
from aedetect.engine.spool import SOURCE_COLUMN, union_fields
from aedetect.engine.summary import Counts
from aedetect.engine.workers import ordered
from aedetect.io.source import Input, batch_rows
from aedetect.models.ensemble import single_threaded
from aedetect.scoring.result_columns import check_free, result_arrays, result_names, result_schema
from aedetect.scoring.series import Judge, judge_of
from aedetect.tasks.input_warnings import Watch

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.detector import Detector, Verdicts


@dataclass
class InputOutcome:
    """What scoring one input came to."""

    counts: Counts = field(default_factory=Counts)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Shape:
    """What goes to the output beside the verdicts.

    `keep`: which of the input's columns ('all', 'id' or 'none'). `typed`: whether text cells of
    learned columns are written as numbers. `source`: whether a column names the input. `series`:
    whether a column numbers the events.
    """

    keep: str = "all"
    only_anomalies: bool = False
    prefix: str = ""
    typed: bool = True
    source: bool = False
    series: bool = False


Observer = Callable[["pa.RecordBatch", "Verdicts"], None]


def output_fields(detector: Detector, source: Input, shape: Shape) -> list[pa.Field]:
    """The columns of `source` that go to the output, with their output types.

    Raises UsageError where one bears the name of a result column.
    """
    import pyarrow as pa

    arriving = source.open(1024).schema
    added = result_names(shape.prefix, shape.series) + ([SOURCE_COLUMN] if shape.source else [])
    wanted = {"all": list(arriving.names), "id": detector.schema.names("id"), "none": []}[shape.keep]
    check_free(wanted, added, source.name)
    roles = {column.name: column.role for column in detector.schema.columns}
    typed = {"numeric": pa.float64(), "boolean": pa.bool_()} if shape.typed and source.is_text else {}
    fields = []
    for name in wanted:
        if name in arriving.names:
            type_ = arriving.field(name).type
            read_as = typed.get(roles.get(name, "")) if pa.types.is_string(type_) else None
            fields.append(pa.field(name, read_as or type_))
    return fields


def full_schema(fields: Sequence[pa.Field], shape: Shape) -> pa.Schema:
    import pyarrow as pa

    source = [pa.field(SOURCE_COLUMN, pa.string())] if shape.source else []
    return pa.schema([*fields, *result_schema(shape.prefix, shape.series), *source])


def score_input(
    detector: Detector,
    source: Input,
    judge: Judge,
    write: Callable[[pa.RecordBatch], None],
    schema: pa.Schema,
    shape: Shape,
    outcome: InputOutcome,
    monitor: Monitor,
    observe: Observer | None = None,
) -> None:
    """Score one input, handing output batches of `schema` to `write`; `outcome` is filled in.

    Raises DataError or ModelError where the input cannot be used; what was written is then void.
    """
    model = detector.schema
    width = len(detector.encoder.owners)
    reader = source.open(batch_rows(detector.config, width))
    outcome.warnings += model.check(source.name, reader.schema, used=detector.config.data.label)
    watch = Watch(source, model)

    def work(numbered: tuple[int, pa.RecordBatch]) -> tuple[pa.RecordBatch, Verdicts, pa.RecordBatch]:
        first, batch = numbered
        verdicts = judge.verdicts(source, first, batch)
        return batch, verdicts, _output(detector, batch, verdicts, schema, shape, source)

    with single_threaded(detector.device) as workers:
        for batch, verdicts, out in ordered(work, _numbered(reader.batches()), workers):
            watch.see(verdicts.encoded, outcome.counts.rows)
            outcome.counts.add(_count(verdicts))
            if len(out):
                write(out)
            if observe:
                observe(batch, verdicts)
            monitor.rows(outcome.counts.rows)
    outcome.warnings += judge.warnings(source) + watch.conclude(outcome.counts.rows)


def _numbered(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Each batch with the number of its first row, from 0."""
    first = 0
    for batch in batches:
        yield first, batch
        first += len(batch)


def score_to_table(
    detector: Detector,
    inputs: Sequence[Input],
    threshold: float,
    prefix: str,
    history: Sequence[Input] = (),
) -> pa.Table:
    """All inputs scored, as one Arrow table; with several inputs, a column names each row's."""
    import pyarrow as pa

    shape = Shape(prefix=prefix, source=len(inputs) > 1, series=detector.series is not None)
    schema = full_schema(union_fields([output_fields(detector, source, shape) for source in inputs]), shape)
    batches: list[pa.RecordBatch] = []
    judge = judge_of(detector, inputs, threshold, history)
    for source in inputs:
        score_input(detector, source, judge, batches.append, schema, shape, InputOutcome(), Monitor())
    return pa.Table.from_batches(batches, schema)


def _count(verdicts: Verdicts) -> Counts:
    rows, unscorable, flagged = (
        len(verdicts.scores), int(verdicts.unscorable.sum()), int(verdicts.flagged.sum())
    )  # fmt: skip
    warmup = 0 if verdicts.warmup is None else int(verdicts.warmup.sum())
    return Counts(rows, rows - unscorable - flagged, flagged, unscorable, warmup)


def _output(
    detector: Detector,
    batch: pa.RecordBatch,
    verdicts: Verdicts,
    schema: pa.Schema,
    shape: Shape,
    source: Input,
) -> pa.RecordBatch:
    import pyarrow as pa

    results = result_arrays(verdicts, detector.columns, detector.config.scoring.top_features)
    added = len(results) + shape.source
    own = [
        _conform(
            batch.column(item.name) if item.name in batch.schema.names else None,
            item.type,
            len(batch),
            detector,
        )
        for item in list(schema)[: len(schema) - added]
    ]
    if shape.source:
        results.append(pa.repeat(pa.scalar(source.name, pa.string()), len(batch)))
    out = pa.RecordBatch.from_arrays([*own, *results], schema=schema)
    return out.filter(pa.array(verdicts.flagged)) if shape.only_anomalies else out


def _conform(column: pa.Array | None, type_: pa.DataType, rows: int, detector: Detector) -> pa.Array:
    """A column in its output type; text that is no number becomes null in a column of numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from aedetect.io.write import as_text

    if column is None:
        return pa.nulls(rows, type_)
    if column.type == type_:
        return column
    if cells.is_text(column.type) and pa.types.is_floating(type_):
        return pa.array(cells.numbers(column, detector.schema.rules).values, from_pandas=True)
    if cells.is_text(column.type) and pa.types.is_boolean(type_):
        read = cells.booleans(column, detector.schema.rules)
        return pa.array(read.values == 1, mask=np.isnan(read.values))
    if pa.types.is_string(type_):
        return pc.if_else(column.is_null(), None, as_text(column))
    return pc.cast(column, type_, safe=False)
