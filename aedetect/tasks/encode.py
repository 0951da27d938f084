"""Rows to codes and back: the tasks behind `encode` and `decode`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data.arrays import Floats, Mask, Matrix
from aedetect.data.features import Encoded
from aedetect.data.features.decoder import restored, restored_types
from aedetect.engine.task import BatchResult, OutputFields
from aedetect.errors import DataError, ModelError
from aedetect.io.source import Input
from aedetect.models.ensemble import in_blocks
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.table import TableScorer
from aedetect.tasks.input_warnings import InputCounts, InputWarnings
from aedetect.tasks.rows_task import RowsTask

CODE_PREFIX = "z"


def code_names(size: int) -> list[str]:
    return [f"{CODE_PREFIX}{index}" for index in range(size)]


class Encode(RowsTask):
    """Each row's id columns and its code, z0, z1, …; null where a row cannot be read.

    The columns that tell groups apart are carried through as id columns are: a code says how a row lies in
    its group, and not in which. With `scored`, each batch's scores are what consumers look at, for a map of
    the rows. Raises ModelError for a model that has no code member.
    """

    name = "encode"

    def __init__(self, fitted: FittedModel, scored: bool = False):
        super().__init__(fitted)
        self.scorer = TableScorer(fitted) if scored else None
        self.codes = fitted.auxiliary.codes
        self.columns = sum(column.is_learned for column in fitted.schema.columns)

    def start(self, source: Input, typed: bool) -> _Encoding:
        return _Encoding(self, source)


@dataclass(frozen=True)
class EncodedRows:
    """Codes [rows, size] of a batch, NaN where a row cannot be read, and what is flagged [rows].

    `errors` [rows]: how far off the values of a row are when rebuilt from its code, in standard deviations
    (root mean square); NaN where a row cannot be read.
    """

    encoded: Encoded
    codes: Matrix
    flagged: Mask
    errors: Floats


class _Encoding:
    def __init__(self, task: Encode, source: Input):
        arriving = source.open(1024).schema
        schema = task.fitted.schema
        self.warnings = schema.check(source.name, arriving)
        self._task = task
        carried = dict.fromkeys([*schema.names("id"), *schema.groups])
        self._ids = [arriving.field(name) for name in carried if name in arriving.names]
        names = code_names(task.codes.size)
        self._schema = pa.schema([*self._ids, *(pa.field(name, pa.float32()) for name in names)])
        self._watch = InputWarnings(source, task.fitted)

    def fields(self) -> OutputFields:
        return OutputFields(list(self._schema))

    def process(self, rows: pa.RecordBatch, first: int) -> BatchResult:
        task = self._task
        if task.scorer is None:
            encoded, flagged = task.fitted.encoder.transform(rows), np.zeros(len(rows), np.bool_)
        else:
            scores = task.scorer.score_batch(rows)
            encoded, flagged = scores.encoded, scores.flagged
        codes = in_blocks(task.codes.encode, encoded.matrix, task.fitted.device)
        ids = [rows.column(item.name) for item in self._ids]
        code_columns = [pa.array(column, mask=encoded.unscorable) for column in codes.T]
        out = pa.RecordBatch.from_arrays([*ids, *code_columns], schema=self._schema)
        known = np.where(encoded.unscorable[:, None], np.float32(np.nan), codes)
        counts = Counter(rows=len(rows), unusable=int(encoded.unscorable.sum()))
        squared = in_blocks(task.codes.errors, encoded.matrix, task.fitted.device).astype(np.float64)
        errors = np.where(encoded.unscorable, np.nan, np.sqrt(squared.mean(axis=1)))
        return BatchResult(out, counts, EncodedRows(encoded, known, flagged, errors))

    def account(self, result: BatchResult, first: int) -> None:
        self._watch.see(result.detail.encoded, first - 1)

    def conclude(self, rows: int) -> list[str]:
        return self._watch.conclude(rows)

    def state(self) -> InputCounts:
        return self._watch.counts

    def absorb(self, state: InputCounts) -> None:
        self._watch.counts.add(state)


class Decode(RowsTask):
    """Rows rebuilt from codes: what stands beside z0, z1, … and then the model's columns.

    Raises ModelError for a model that has no code member.
    """

    name = "decode"

    def __init__(self, fitted: FittedModel):
        super().__init__(fitted)
        self.codes = fitted.auxiliary.codes

    def start(self, source: Input, typed: bool) -> _Decoding:
        return _Decoding(self, source)


class _Decoding:
    def __init__(self, task: Decode, source: Input):
        arriving = source.open(1024).schema
        self._names = code_names(task.codes.size)
        lacking = [name for name in self._names if name not in arriving.names]
        if lacking:
            raise ModelError(
                f"{source.name}: has no column {lacking[0]!r}; this model's codes are "
                f"{_span(self._names)}: decode what its own `aedetect encode` wrote"
            )
        groups = task.fitted.schema.groups
        absent = [name for name in groups if name not in arriving.names]
        if absent:
            raise ModelError(
                f"{source.name}: has no column {absent[0]!r}, which says whose numbers the codes stand for: "
                "decode what `aedetect encode` wrote, with that column"
            )
        self.warnings: list[str] = []
        self._task = task
        self._source = source
        types = restored_types(task.fitted.encoder)
        # What group a row is of is known, and need not be told from its code.
        self._types = {name: type_ for name, type_ in types.items() if name not in groups}
        self._beside = [item for item in arriving if item.name not in (*self._names, *self._types)]
        rebuilt = (pa.field(name, type_) for name, type_ in self._types.items())
        self._schema = pa.schema([*self._beside, *rebuilt])

    def fields(self) -> OutputFields:
        return OutputFields(list(self._schema))

    def process(self, rows: pa.RecordBatch, first: int) -> BatchResult:
        # Codes are written with the decimal mark of the rows; one with a point is read all the same.
        rules = cells.CellRules(self._task.fitted.schema.decimal)
        read = [cells.numbers(rows.column(name), rules) for name in self._names]
        codes = np.column_stack([column.values for column in read])
        usable = np.asarray((np.abs(codes) <= cells.LARGEST).all(axis=1))
        bad = np.column_stack([column.bad for column in read]).any(axis=1)
        if bad.any():
            where = self._source.locate(first + int(bad.argmax()))
            raise DataError(f"{self._source.name}: {where}: a code is no number; was the file changed?")
        filled = np.where(usable[:, None], codes, 0.0).astype(np.float32)
        matrix = in_blocks(self._task.codes.decode, filled, self._task.fitted.device)
        encoder = self._task.fitted.encoder
        columns = restored(encoder, matrix, groups=encoder.groups_of(rows)[0])
        keep = pa.array(usable)
        rebuilt = [
            pc.if_else(keep, columns[name], pa.scalar(None, type_)) for name, type_ in self._types.items()
        ]
        other_columns = [rows.column(item.name) for item in self._beside]
        out = pa.RecordBatch.from_arrays([*other_columns, *rebuilt], schema=self._schema)
        return BatchResult(out, Counter(rows=len(rows), unusable=int((~usable).sum())))

    def account(self, result: BatchResult, first: int) -> None:
        return

    def conclude(self, rows: int) -> list[str]:
        return []

    def state(self) -> None:
        return

    def absorb(self, state: None) -> None:
        return


def _span(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
