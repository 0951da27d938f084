"""Putting rows right: the jobs behind `clean` and `impute`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.data import cells
from aedetect.data.arrays import Mask, Matrix
from aedetect.data.features.decoder import as_type, restored, restored_types
from aedetect.data.sampling import uniform
from aedetect.engine.stream import Converted
from aedetect.errors import UsageError
from aedetect.io.source import Input, batch_rows
from aedetect.io.write import as_text
from aedetect.models.auxiliary.imputer import HIGHEST_NOISE
from aedetect.scoring.result_columns import LEAST_SHARE
from aedetect.tasks.change_log import Changes
from aedetect.tasks.expected import Repairer
from aedetect.tasks.input_warnings import Watch

if TYPE_CHECKING:
    import pyarrow as pa
    import torch

    from aedetect.detector import Detector, Verdicts

DEFAULT_NOISE = 0.5
IMPUTED_COLUMN, DRAW_COLUMN = "imputed", "draw"
MOST_DRAWS = 1000
_SAME = 1e-6
_EXACT = 2.0**53
_SEED_STEP = 1_000_003


@dataclass(frozen=True)
class CleanOptions:
    """`noise`: standard deviation of the noise to be removed, in the columns' own; `threshold`: repair
    only what is to blame for rows scoring above it; `listed`: whether changed cells are listed."""

    noise: float = DEFAULT_NOISE
    threshold: float | None = None
    listed: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.noise <= HIGHEST_NOISE:
            raise UsageError(f"noise = {self.noise}: must lie between 0 and {HIGHEST_NOISE:g}")


class Clean:
    """Rows without the noise on their numbers, and without values that no row can have."""

    name = "clean"

    def __init__(self, detector: Detector, options: CleanOptions):
        self.repairer = Repairer(detector)
        self.options = options
        self.device: torch.device = detector.device
        self.batch_rows = batch_rows(detector.config, len(detector.encoder.owners))

    def start(self, source: Input, typed: bool) -> _Cleaning:
        return _Cleaning(self, source, typed)


class Impute:
    """Rows with their missing cells filled; observed ones stay as they are.

    `mark` adds a column that names the cells filled; `draws` asks for so many plausible fills of
    each row instead of the expected one.
    """

    name = "impute"

    def __init__(self, detector: Detector, mark: bool = False, draws: int | None = None, seed: int = 0):
        if draws is not None and not 1 <= draws <= MOST_DRAWS:
            raise UsageError(f"draws = {draws}: must be from 1 to {MOST_DRAWS:,}")
        self.repairer = Repairer(detector)
        self.mark = mark
        self.draws = draws
        self.seed = seed
        self.device: torch.device = detector.device
        # A batch of the output is to be no larger than one of the input.
        self.batch_rows = max(batch_rows(detector.config, len(detector.encoder.owners)) // (draws or 1), 1)

    def start(self, source: Input, typed: bool) -> _Imputing:
        return _Imputing(self, source, typed)


class _Repairing:
    """What cleaning and imputing of one input have in common: columns in, the same columns out."""

    def __init__(self, repairer: Repairer, source: Input, typed: bool):
        arriving = source.open(1024).schema
        self._repairer = repairer
        schema = repairer.detector.schema
        self.warnings = schema.check(source.name, arriving)
        self._watch = Watch(source, schema)
        self._fields = [_output_field(item, repairer, typed and source.is_text) for item in arriving]

    def fields(self) -> list[pa.Field]:
        return self._fields

    def conclude(self, rows: int) -> list[str]:
        return self._watch.conclude(rows)

    def _merged(
        self, batch: pa.RecordBatch, values: dict[str, pa.Array], masks: dict[str, Mask]
    ) -> list[pa.Array]:
        """The input's columns, with `values` where `masks` are set, in their output types."""
        rules = self._repairer.encoder.schema.rules
        return [
            _merge(batch.column(item.name), item.type, values.get(item.name), masks.get(item.name), rules)
            for item in self._fields
        ]


class _Cleaning(_Repairing):
    def __init__(self, job: Clean, source: Input, typed: bool):
        super().__init__(job.repairer, source, typed)
        self._options = job.options

    def convert(self, batch: pa.RecordBatch, first: int) -> Converted:
        import pyarrow as pa

        repairer = self._repairer
        if self._options.threshold is None:
            encoded = repairer.encoder.transform(batch)
            masks, why, values = self._denoised(batch, encoded.matrix)
        else:
            verdicts = repairer.detector.score_batch(batch, self._options.threshold)
            encoded = verdicts.encoded
            masks, why, expected = self._blamed(verdicts, self._options.threshold)
            values = restored(repairer.encoder, expected)
        self._watch.see(encoded, first - 1)
        columns = self._merged(batch, values, masks)
        changes = Changes(first, self._options.listed)
        out = pa.RecordBatch.from_arrays(columns, schema=pa.schema(self._fields))
        for name, mask in masks.items():
            changes.add(name, mask, batch.column(name), out.column(name), why[name])
        return Converted(out, int(encoded.unscorable.sum()), changes.count, changes)

    def _denoised(
        self, batch: pa.RecordBatch, matrix: Matrix
    ) -> tuple[dict[str, Mask], dict[str, np.ndarray[Any, Any]], dict[str, pa.Array]]:
        """Which cells change, why, and to what: numbers without noise, faults put right."""
        repairer = self._repairer
        faults = repairer.faults(batch, matrix)
        faulty = {name: mask for name, (mask, _) in faults.items()}
        unknown = repairer.features(faulty) | np.isnan(matrix)
        expected = repairer.expected(matrix, unknown, self._options.noise)
        masks, why = dict(faulty), {name: reasons for name, (_, reasons) in faults.items()}
        # A true value beyond all learned ones stays there when noise is taken from it.
        values = restored(repairer.encoder, expected, bounded=False)
        if self._options.noise:
            for index, column in enumerate(repairer.encoder.state.numeric):
                if column.words or column.cycles:
                    continue
                read = column.read(batch.column(column.column), repairer.encoder.schema.rules).values
                now = cells.numbers(values[column.column], repairer.encoder.schema.rules).values
                spread = repairer.encoder.deviation[self._place(index)]
                with np.errstate(invalid="ignore"):
                    noisy = np.abs(now - read) > _SAME * spread
                if column.role == "boolean":
                    # Of truth values written as 0 and 1, those that are either are left alone.
                    noisy &= (read != 0) & (read != 1)
                why[column.column] = np.where(faulty[column.column], why[column.column], "noise")
                masks[column.column] = faulty[column.column] | noisy
        return masks, why, values

    def _blamed(
        self, verdicts: Verdicts, threshold: float
    ) -> tuple[dict[str, Mask], dict[str, np.ndarray[Any, Any]], Matrix]:
        """The same for flagged rows alone: the cells to blame, one after the other until none is.

        The next one is replaced only where a row would still be flagged without the first.
        """
        repairer, detector = self._repairer, self._repairer.detector
        shares, matrix = verdicts.shares, verdicts.encoded.matrix
        rank = (-shares).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
        suspect = (rank == 0) | (shares >= LEAST_SHARE)
        guilty = np.zeros(shares.shape, np.bool_)
        flagged = verdicts.flagged.copy()
        expected = matrix.copy()
        for place in range(detector.config.scoring.top_features):
            rows = np.flatnonzero(flagged)
            if not len(rows):
                break
            guilty[rows] |= (rank[rows] == place) & suspect[rows]
            unknown = repairer.features(_by_column(guilty, detector.columns))[rows] | np.isnan(matrix[rows])
            expected[rows] = repairer.expected(matrix[rows], unknown)
            mended = np.where(unknown, expected[rows], matrix[rows])
            flagged[rows] = detector.score_matrix(mended) > threshold
        masks = _by_column(guilty, detector.columns)
        return masks, {name: np.full(len(guilty), "blamed", dtype=object) for name in masks}, expected

    def _place(self, index: int) -> int:
        return sum(column.width for column in self._repairer.encoder.state.numeric[:index])


class _Imputing(_Repairing):
    def __init__(self, job: Impute, source: Input, typed: bool):
        super().__init__(job.repairer, source, typed)
        self._job = job

    def fields(self) -> list[pa.Field]:
        import pyarrow as pa

        mark = [pa.field(IMPUTED_COLUMN, pa.string())] if self._job.mark else []
        draw = [pa.field(DRAW_COLUMN, pa.int64())] if self._job.draws else []
        return [*self._fields, *mark, *draw]

    def convert(self, batch: pa.RecordBatch, first: int) -> Converted:
        import pyarrow as pa

        repairer = self._repairer
        encoded = repairer.encoder.transform(batch)
        self._watch.see(encoded, first - 1)
        masks = repairer.empty(batch, encoded.matrix)
        faults = repairer.faults(batch, encoded.matrix)
        faulty = {name: mask for name, (mask, _) in faults.items()}
        unknown = repairer.features(masks) | repairer.features(faulty) | np.isnan(encoded.matrix)
        fills = int(sum(mask.sum() for mask in masks.values()))
        marks = [_marks(masks, len(batch))] if self._job.mark else []
        schema = pa.schema(self.fields())
        unusable = int(encoded.unscorable.sum())
        if not self._job.draws:
            values = restored(repairer.encoder, repairer.expected(encoded.matrix, unknown))
            columns = self._merged(batch, values, masks)
            return Converted(pa.RecordBatch.from_arrays([*columns, *marks], schema=schema), unusable, fills)
        parts = []
        for number in range(1, self._job.draws + 1):
            # A row's draw follows from its place in the input, not from how that was cut.
            places = np.arange(first, first + len(batch), dtype=np.uint64)
            chances = uniform(places, (self._job.seed * _SEED_STEP + number) % _SEED_STEP**2)
            values = restored(repairer.encoder, repairer.drawn(encoded.matrix, unknown, chances))
            told = pa.repeat(pa.scalar(number, pa.int64()), len(batch))
            columns = [*self._merged(batch, values, masks), *marks, told]
            parts.append(pa.RecordBatch.from_arrays(columns, schema=schema))
        order = np.arange(len(batch) * self._job.draws).reshape(self._job.draws, -1).T.ravel()
        table = pa.Table.from_batches(parts).combine_chunks()
        batches = table.take(pa.array(order)).combine_chunks().to_batches()
        out = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=schema)
        return Converted(out, unusable, fills)


def _output_field(item: pa.Field, repairer: Repairer, typed: bool) -> pa.Field:
    """A column of the output: as it came, dictionaries undone; text as numbers where that is asked for."""
    import pyarrow as pa

    columns = {column.column: column for column in repairer.encoder.state.numeric}
    type_ = cells.value_type(item.type)
    column = columns.get(item.name)
    if typed and column is not None and pa.types.is_string(type_) and column.role == "numeric":
        # Numbers that float64 cannot hold to the digit stay text.
        exact = not column.whole or repairer.encoder.largest(column.column) <= _EXACT
        return pa.field(item.name, pa.float64() if exact else type_)
    if pa.types.is_null(type_):
        # Of a column without any value only the model knows what it should hold.
        return pa.field(item.name, restored_types(repairer.encoder).get(item.name, type_))
    return pa.field(item.name, type_)


def _merge(
    column: pa.Array, type_: pa.DataType, values: pa.Array | None, mask: Mask | None, rules: cells.CellRules
) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = cells.plain(column) if pa.types.is_dictionary(column.type) else column
    if pa.types.is_null(column.type):
        column = pa.nulls(len(column), type_)
    elif column.type != type_:
        column = pa.array(cells.numbers(column, rules).values, from_pandas=True).cast(type_)
    if values is None or mask is None or not mask.any():
        return column
    if cells.is_text(type_):
        now = as_text(values)
        if rules.decimal == "," and pa.types.is_floating(values.type):
            now = pc.replace_substring(now, ".", ",")
        values = pc.if_else(values.is_null(), None, now).cast(type_)
    return pc.if_else(pa.array(mask), as_type(values, type_), column)


def _by_column(cells: Mask, columns: Sequence[str]) -> dict[str, Mask]:
    """Cells [rows, columns] by the names of the columns."""
    return {name: cells[:, index] for index, name in enumerate(columns)}


def _marks(masks: dict[str, Mask], rows: int) -> pa.Array:
    """The names of the cells filled in each row, as JSON; null where none was."""
    import json

    import pyarrow as pa

    names: list[list[str]] = [[] for _ in range(rows)]
    for name, mask in masks.items():
        for index in np.flatnonzero(mask):
            names[index].append(name)
    return pa.array([json.dumps(row, ensure_ascii=False) if row else None for row in names], pa.string())
