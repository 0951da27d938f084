"""Rows without impossible values, or without noise, too: the task behind `clean`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from aedetect.data import cells
from aedetect.data.arrays import Mask, Matrix
from aedetect.data.features.decoder import restored
from aedetect.data.features.encoder import Encoded
from aedetect.engine.task import BatchResult
from aedetect.errors import UsageError
from aedetect.io.source import Input
from aedetect.models.evaluation.imputer import HIGHEST_NOISE
from aedetect.scoring.base import Scores
from aedetect.scoring.blame import LEAST_SHARE
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.table import TableScorer
from aedetect.tasks.change_log import CHANGE_FIELDS, Changes
from aedetect.tasks.expected import ConditionalExpectation
from aedetect.tasks.repaired_rows import RepairedRows
from aedetect.tasks.rows_task import RowsTask

# What noise is taken to be where nobody says, in standard deviations.
USUAL_NOISE = 0.5
_SAME = 1e-6


@dataclass(frozen=True)
class CleanOptions:
    """`noise`: standard deviation of the noise to be removed, in the columns' own, or 0; `flagged_only`:
    replace only the cells that flagged rows are blamed on; `listed`: whether changed cells are listed."""

    noise: float = 0.0
    flagged_only: bool = False
    listed: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.noise <= HIGHEST_NOISE:
            raise UsageError(f"noise = {self.noise}: must lie between 0 and {HIGHEST_NOISE:g}")


class Clean(RowsTask):
    """Rows without values that no row can have, and without the noise on their numbers."""

    name = "clean"

    def __init__(self, fitted: FittedModel, options: CleanOptions):
        super().__init__(fitted)
        self.expectation = ConditionalExpectation(fitted)
        self.options = options

    @property
    def side_fields(self) -> Sequence[pa.Field]:
        return CHANGE_FIELDS

    def start(self, source: Input, typed: bool) -> _Cleaning:
        return _Cleaning(self, source, typed)


class _Cleaning(RepairedRows):
    def __init__(self, task: Clean, source: Input, typed: bool):
        super().__init__(task.expectation, source, typed)
        self._options = task.options
        self._scorer = TableScorer(task.fitted)

    def process(self, rows: pa.RecordBatch, first: int) -> BatchResult:
        expectation = self._expectation
        if self._options.flagged_only:
            scores = self._scorer.score_batch(rows)
            encoded = scores.encoded
            masks, why, expected = self._blamed(scores)
            values = restored(expectation.encoder, expected, groups=encoded.groups)
        else:
            encoded = expectation.encoder.transform(rows)
            masks, why, values = self._denoised(rows, encoded)
        out = pa.RecordBatch.from_arrays(self.merged(rows, values, masks), schema=pa.schema(self._fields))
        changes = Changes(first, self._options.listed)
        for name, mask in masks.items():
            changes.add(name, mask, rows.column(name), out.column(name), why[name])
        counts = Counter(rows=len(rows), unusable=int(encoded.unscorable.sum()), cells=changes.count)
        return BatchResult(out, counts, encoded, changes.batch())

    def _denoised(
        self, batch: pa.RecordBatch, encoded: Encoded
    ) -> tuple[dict[str, Mask], dict[str, np.ndarray[Any, Any]], dict[str, pa.Array]]:
        """Which cells change, why, and to what: numbers without noise, faults put right."""
        expectation, matrix = self._expectation, encoded.matrix
        faults = expectation.faults(batch, encoded)
        faulty = {name: mask for name, (mask, _) in faults.items()}
        unknown = expectation.features(faulty) | np.isnan(matrix)
        expected = expectation.expected(matrix, unknown, self._options.noise)
        masks, why = dict(faulty), {name: reasons for name, (_, reasons) in faults.items()}
        # A true value beyond all learned ones stays there when noise is taken from it.
        values = restored(expectation.encoder, expected, bounded=False, groups=encoded.groups)
        if self._options.noise:
            for index, column in enumerate(expectation.encoder.state.numeric):
                if column.words or column.cycles:
                    continue
                read = column.read(batch.column(column.column), expectation.encoder.schema.rules).values
                now = cells.numbers(values[column.column], expectation.encoder.schema.rules).values
                spread = expectation.encoder.deviations(self._place(index), encoded.groups)
                with np.errstate(invalid="ignore"):
                    noisy = np.abs(now - read) > _SAME * spread
                if column.role == "boolean":
                    # Of truth values written as 0 and 1, those that are either are left alone.
                    noisy &= (read != 0) & (read != 1)
                why[column.column] = np.where(faulty[column.column], why[column.column], "noise")
                masks[column.column] = faulty[column.column] | noisy
        return masks, why, values

    def _blamed(self, scores: Scores) -> tuple[dict[str, Mask], dict[str, np.ndarray[Any, Any]], Matrix]:
        """The same for flagged rows alone: the cells to blame, one after the other until none is.

        The next one is replaced only where a row would still be flagged without the first.
        """
        expectation, fitted = self._expectation, self._expectation.fitted
        thresholds = fitted.thresholds(scores.encoded.groups)
        shares, matrix = scores.attribution, scores.encoded.matrix
        rank = (-shares).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
        suspect = (rank == 0) | (shares >= LEAST_SHARE)
        replaced = np.zeros(shares.shape, np.bool_)
        flagged = scores.flagged.copy()
        expected = matrix.copy()
        for place in range(fitted.config.scoring.top_features):
            rows = np.flatnonzero(flagged)
            if not len(rows):
                break
            replaced[rows] |= (rank[rows] == place) & suspect[rows]
            blamed = expectation.features(_by_column(replaced, fitted.columns))[rows]
            unknown = blamed | np.isnan(matrix[rows])
            expected[rows] = expectation.expected(matrix[rows], unknown)
            mended = np.where(unknown, expected[rows], matrix[rows])
            flagged[rows] = self._scorer.score_rows(mended) > thresholds[rows]
        masks = _by_column(replaced, fitted.columns)
        return masks, {name: np.full(len(replaced), "blamed", dtype=object) for name in masks}, expected

    def _place(self, index: int) -> int:
        return sum(column.width for column in self._expectation.encoder.state.numeric[:index])


def _by_column(cells: Mask, columns: Sequence[str]) -> dict[str, Mask]:
    """Cells [rows, columns] by the names of the columns."""
    return {name: cells[:, index] for index, name in enumerate(columns)}
