"""Rows without gaps: the task behind `impute`."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import Mask
from aedetect.data.features.decoder import restored
from aedetect.data.sampling import uniform
from aedetect.engine.task import BatchResult, OutputFields
from aedetect.errors import UsageError
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.expected import ConditionalExpectation
from aedetect.tasks.repaired_rows import RepairedRows
from aedetect.tasks.rows_task import RowsTask

IMPUTED_COLUMN, DRAW_COLUMN = "imputed", "draw"
MOST_DRAWS = 1000
_SEED_STEP = 1_000_003


class Impute(RowsTask):
    """Rows with their missing cells filled; observed ones stay as they are.

    `mark` adds a column that names the cells filled; `draws` asks for so many plausible fills of
    each row instead of the expected one.
    """

    name = "impute"

    def __init__(self, fitted: FittedModel, mark: bool = False, draws: int | None = None, seed: int = 0):
        if draws is not None and not 1 <= draws <= MOST_DRAWS:
            raise UsageError(f"draws = {draws}: must be from 1 to {MOST_DRAWS:,}")
        if seed < 0:
            raise UsageError(f"seed = {seed}: must be at least 0")
        super().__init__(fitted)
        self.expectation = ConditionalExpectation(fitted)
        self.mark = mark
        self.draws = draws
        self.seed = seed
        # A batch of the output is to be no larger than one of the input.
        self.batch_rows = max(self.batch_rows // (draws or 1), 1)

    def start(self, source: Input, typed: bool) -> _Imputing:
        return _Imputing(self, source, typed)


class _Imputing(RepairedRows):
    def __init__(self, task: Impute, source: Input, typed: bool):
        super().__init__(task.expectation, source, typed)
        self._task = task

    def fields(self) -> OutputFields:
        mark = [pa.field(IMPUTED_COLUMN, pa.string())] if self._task.mark else []
        draw = [pa.field(DRAW_COLUMN, pa.int64())] if self._task.draws else []
        return OutputFields([*self._fields, *mark, *draw])

    def process(self, batch: pa.RecordBatch, first: int) -> BatchResult:
        expectation = self._expectation
        encoded = expectation.encoder.transform(batch)
        masks = expectation.empty(batch, encoded.matrix)
        faults = expectation.faults(batch, encoded)
        faulty = {name: mask for name, (mask, _) in faults.items()}
        unknown = expectation.features(masks) | expectation.features(faulty) | np.isnan(encoded.matrix)
        fills = int(sum(mask.sum() for mask in masks.values()))
        marks = [_marks(masks, len(batch))] if self._task.mark else []
        schema = pa.schema(self.fields().leading)
        counts = Counter(rows=len(batch), unusable=int(encoded.unscorable.sum()), cells=fills)
        if not self._task.draws:
            expected = expectation.expected(encoded.matrix, unknown)
            values = restored(expectation.encoder, expected, groups=encoded.groups)
            columns = self.merged(batch, values, masks)
            filled = pa.RecordBatch.from_arrays([*columns, *marks], schema=schema)
            return BatchResult(filled, counts, encoded)
        parts = []
        for number in range(1, self._task.draws + 1):
            # A row's draw follows from its place in the input, not from how that was cut.
            places = np.arange(first, first + len(batch), dtype=np.uint64)
            chances = uniform(places, (self._task.seed * _SEED_STEP + number) % _SEED_STEP**2)
            drawn = expectation.drawn(encoded.matrix, unknown, chances)
            values = restored(expectation.encoder, drawn, groups=encoded.groups)
            draw_numbers = pa.repeat(pa.scalar(number, pa.int64()), len(batch))
            columns = [*self.merged(batch, values, masks), *marks, draw_numbers]
            parts.append(pa.RecordBatch.from_arrays(columns, schema=schema))
        order = np.arange(len(batch) * self._task.draws).reshape(self._task.draws, -1).T.ravel()
        table = pa.Table.from_batches(parts).combine_chunks()
        batches = table.take(pa.array(order)).combine_chunks().to_batches()
        out = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=schema)
        return BatchResult(out, counts, encoded)


def _marks(masks: dict[str, Mask], rows: int) -> pa.Array:
    """The names of the cells filled in each row, as JSON; null where none was."""
    names: list[list[str]] = [[] for _ in range(rows)]
    for name, mask in masks.items():
        for index in np.flatnonzero(mask):
            names[index].append(name)
    return pa.array([json.dumps(row, ensure_ascii=False) if row else None for row in names], pa.string())
