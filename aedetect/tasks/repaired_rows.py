"""What cleaning and imputing have in common: columns in, the same columns out, some cells replaced."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data.arrays import Mask
from aedetect.data.features.decoder import as_type, restored_types
from aedetect.engine.task import BatchResult, OutputFields
from aedetect.io.cell_text import as_text
from aedetect.io.jsonl import nested_mark
from aedetect.io.source import Input
from aedetect.tasks.expected import ConditionalExpectation
from aedetect.tasks.input_warnings import InputCounts, InputWarnings

_EXACT = 2.0**53


class RepairedRows:
    """One pass over one input whose rows are repaired."""

    def __init__(self, expectation: ConditionalExpectation, source: Input, typed: bool):
        arriving = source.open(1024).schema
        self._expectation = expectation
        schema = expectation.fitted.schema
        self.warnings = schema.check(source.name, arriving)
        self._watch = InputWarnings(source, expectation.fitted)
        completed = schema.completed(source).open(1024).schema
        self._fields = [_output_field(item, expectation, typed and source.is_text) for item in completed]

    def fields(self) -> OutputFields:
        return OutputFields(self._fields)

    def account(self, result: BatchResult, first: int) -> None:
        self._watch.see(result.detail, first - 1)

    def conclude(self, rows: int) -> list[str]:
        return self._watch.conclude(rows)

    def state(self) -> InputCounts:
        return self._watch.counts

    def absorb(self, state: InputCounts) -> None:
        self._watch.counts.add(state)

    def merged(
        self, batch: pa.RecordBatch, values: dict[str, pa.Array], masks: dict[str, Mask]
    ) -> list[pa.Array]:
        """The input's columns, with `values` where `masks` are set, in their output types."""
        rules = self._expectation.encoder.schema.rules
        return [
            _merge(
                batch.column(item.name),
                item.type,
                values.get(item.name),
                masks.get(item.name),
                rules.of(item.name),
            )
            for item in self._fields
        ]


def _output_field(item: pa.Field, expectation: ConditionalExpectation, typed: bool) -> pa.Field:
    """A column of the output: as it came, dictionaries undone; text as numbers where that is asked for."""
    columns = {column.column: column for column in expectation.encoder.state.numeric}
    type_ = cells.value_type(item.type)
    column = columns.get(item.name)
    if typed and column is not None and pa.types.is_string(type_) and column.role == "numeric":
        # Numbers that float64 cannot hold to the digit stay text.
        exact = not column.whole or expectation.encoder.largest(column.column) <= _EXACT
        return pa.field(item.name, pa.float64() if exact else type_)
    if pa.types.is_null(type_):
        # Of a column without any value only the model knows what it should hold.
        return pa.field(item.name, restored_types(expectation.encoder).get(item.name, type_))
    return pa.field(item.name, type_, metadata=nested_mark(item))


def _merge(
    column: pa.Array, type_: pa.DataType, values: pa.Array | None, mask: Mask | None, rules: cells.CellRules
) -> pa.Array:
    column = cells.plain(column) if pa.types.is_dictionary(column.type) else column
    if pa.types.is_null(column.type):
        column = pa.nulls(len(column), type_)
    elif column.type != type_:
        column = pa.array(cells.numbers(column, rules).values, from_pandas=True).cast(type_)
    if values is None or mask is None or not mask.any():
        return column
    if cells.is_text(type_):
        now = as_text(values)
        if rules.writing is not None:
            now = rules.writing.written(now)
        elif rules.decimal == "," and pa.types.is_floating(values.type):
            now = pc.replace_substring(now, ".", ",")
        values = pc.if_else(values.is_null(), None, now).cast(type_)
    return pc.if_else(pa.array(mask), as_type(values, type_), column)
