"""Scoring as a task: the input's columns and what is said of each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aedetect.data import cells
from aedetect.engine.task import BatchResult, OutputFields
from aedetect.io.jsonl import nested_mark
from aedetect.io.source import Input, batch_rows
from aedetect.models.threads import single_threaded
from aedetect.scoring.base import NumberedBatch, PriorRows, Scorer, Scores, ScoringSession
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.result_columns import ROW_COLUMN, check_free, result_arrays, result_schema
from aedetect.scoring.scorers import scorer_of
from aedetect.scoring.suppression import Suppression
from aedetect.tasks.blame_warning import BlameCounts, BlameWarning
from aedetect.tasks.input_warnings import InputCounts, InputWarnings
from aedetect.tasks.score_counts import SCORE_COUNTS, muted_count


@dataclass(frozen=True)
class Shape:
    """What goes to the output beside the scores.

    `keep`: which of the input's columns ('all', 'id' or 'none').
    """

    keep: str = "all"
    only_anomalies: bool = False
    prefix: str = ""


class ScoreTask:
    """Scores the rows of the inputs that it was made for.

    `shape`: what an output holds; None where nothing is written. Raises DataError or ModelError where
    prior rows cannot be used. `suppression` mutes rows; None where nothing may.
    """

    name = "score"
    counts = SCORE_COUNTS
    side_fields: Sequence[pa.Field] = ()

    def __init__(
        self,
        fitted: FittedModel,
        inputs: Sequence[Input],
        shape: Shape | None = None,
        prior: PriorRows | None = None,
        session: ScoringSession | None = None,
        suppression: Suppression | None = None,
    ):
        self.scorer: Scorer = scorer_of(fitted)
        self.fitted = fitted
        self.shape = shape
        self.session = session or self.scorer.open(inputs, prior, suppression)
        self.muting = suppression is not None
        self.batch_rows = batch_rows(fitted.config, len(fitted.encoder.owners))

    @property
    def independent(self) -> bool:
        return self.session.independent

    @property
    def divisible(self) -> bool:
        # What mutes rows may look at all rows of an input.
        return self.session.independent and not self.muting

    def threads(self) -> AbstractContextManager[int]:
        return single_threaded(self.fitted.device)

    def completed(self, source: Input) -> Input:
        return self.fitted.schema.completed(source)

    def start(self, source: Input, typed: bool) -> _Scoring:
        return _Scoring(self, source, typed)


class _Scoring:
    """One pass over one input."""

    def __init__(self, task: ScoreTask, source: Input, typed: bool):
        self._task = task
        self._source = source
        fitted, arriving = task.fitted, source.open(1024).schema
        self._input_fields = _input_fields(fitted, source, arriving, task.shape, typed) if task.shape else []
        self._schema: pa.Schema | None = None
        if task.shape:
            added = list(result_schema(task.shape.prefix, task.scorer.has_events, task.muting))
            if task.shape.only_anomalies:
                added.insert(0, pa.field(task.shape.prefix + ROW_COLUMN, pa.int64()))
            taken = [field.name for field in self._input_fields]
            check_free(taken, [field.name for field in added], source.name)
            self._schema = pa.schema([*self._input_fields, *added])
        self.warnings = fitted.check(source, used=fitted.config.data.label)
        self._watch = InputWarnings(source, fitted)
        self._blame = BlameWarning(fitted.columns, fitted.config.threshold.alert_rate)
        self._said_of_parts: list[str] = []

    def fields(self) -> OutputFields:
        added = list(self._schema)[len(self._input_fields) :] if self._schema is not None else []
        return OutputFields(self._input_fields, added)

    def process(self, rows: pa.RecordBatch, first: int) -> BatchResult:
        scores = self._task.session.score(self._source, NumberedBatch(first - 1, rows))
        out = self._output(rows, scores, first) if self._schema is not None else None
        return BatchResult(out, counted(scores), scores)

    def account(self, result: BatchResult, first: int) -> None:
        self._watch.see(result.detail.encoded, first - 1)
        # Of series one channel is to blame for whole stretches by nature.
        if self._task.fitted.series is None:
            self._blame.see(result.detail)

    def conclude(self, rows: int) -> list[str]:
        said = self._watch.conclude(rows, said_of_empty=self._task.fitted.series is None)
        said = [*self._said_of_parts, *self._task.session.warnings(self._source), *said]
        return said + self._blame.conclude(self._source.name, rows, self._watch.respelled())

    def state(self) -> tuple[InputCounts, BlameCounts, list[str]]:
        # Sessions over series that were judged before know all that is to be said, wherever they are.
        said = [] if self._task.fitted.series else self._task.session.warnings(self._source)
        return self._watch.counts, self._blame.counts, said

    def absorb(self, state: tuple[InputCounts, BlameCounts, list[str]]) -> None:
        counts, blamed, said = state
        self._watch.counts.add(counts)
        self._blame.counts.add(blamed)
        # It is of the columns of the whole input, and the same of each part.
        self._said_of_parts = said

    def _output(self, rows: pa.RecordBatch, scores: Scores, first: int) -> pa.RecordBatch:
        task = self._task
        assert task.shape is not None
        top = task.fitted.config.scoring.top_features
        input_columns = [
            _as_type(rows.column(item.name), item.type, task.fitted.schema.rules.of(item.name))
            for item in self._input_fields
        ]
        results = result_arrays(scores, task.fitted.columns, top, task.muting)
        if not task.shape.only_anomalies:
            return pa.RecordBatch.from_arrays([*input_columns, *results], schema=self._schema)
        numbers = pa.array(np.arange(first, first + len(rows)), pa.int64())
        out = pa.RecordBatch.from_arrays([*input_columns, numbers, *results], schema=self._schema)
        return out.filter(pa.array(scores.flagged))


def counted(scores: Scores) -> Counter[str]:
    """Rows of a batch by outcome; normal, anomalies, unscorable and muted add up to rows."""
    rows, unscorable, flagged = (
        len(scores.scores), int(scores.unscorable.sum()), int(scores.flagged.sum())
    )  # fmt: skip
    counts = Counter(
        rows=rows,
        normal=rows - unscorable - flagged - len(scores.reasons),
        anomalies=flagged,
        unscorable=unscorable,
        muted=len(scores.reasons),
        warmup=int(scores.warmup.sum()),
    )
    counts.update(muted_count(reason.kind, reason.name) for reason in scores.reasons.values())
    return counts


def _input_fields(
    fitted: FittedModel, source: Input, arriving: pa.Schema, shape: Shape, typed: bool
) -> list[pa.Field]:
    """The columns of `source` that go to the output, with their output types."""
    wanted = {"all": list(arriving.names), "id": fitted.schema.names("id"), "none": []}[shape.keep]
    roles = {column.name: column.role for column in fitted.input_schema.columns}
    types = {"numeric": pa.float64(), "boolean": pa.bool_()} if typed and source.is_text else {}
    fields = []
    for name in wanted:
        if name in arriving.names:
            field = arriving.field(name)
            type_ = field.type
            read_as = types.get(roles.get(name, "")) if pa.types.is_string(type_) else None
            fields.append(pa.field(name, read_as or type_, metadata=nested_mark(field)))
    return fields


def _as_type(column: pa.Array, type_: pa.DataType, rules: cells.CellRules) -> pa.Array:
    """A column in its output type; text that cannot be read becomes null in a column of numbers."""
    if column.type == type_:
        return column
    if pa.types.is_floating(type_):
        return pa.array(cells.numbers(column, rules).values, from_pandas=True)
    read = cells.booleans(column, rules)
    return pa.array(read.values == 1, mask=np.isnan(read.values))
