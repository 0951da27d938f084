"""Expected cells of record batches: what the jobs that put rows right ask the repair member for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.data import cells
from aedetect.data.arrays import Mask, Matrix
from aedetect.data.features.categorical import MISSING, OTHER
from aedetect.models.ensemble import in_blocks
from aedetect.models.evaluation.arrays import Array
from aedetect.models.evaluation.imputer import LOWEST_NOISE

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.data.features.encoder import Encoded
    from aedetect.scoring.fitted import FittedModel


# Below this share of the training rows, a category that was never seen is a fault, not a rarity.
_RARE_SHARE = 0.005


class ConditionalExpectation:
    """Expected cells of record batches, given the cells that are known; shared by the jobs.

    Raises ModelError for a model that has no repair member.
    """

    def __init__(self, fitted: FittedModel):
        self.fitted = fitted
        self.encoder = fitted.encoder
        self.repair = fitted.auxiliary.repair
        self.owners = self.encoder.owners[: len(self.encoder.center) + len(self.encoder.state.categorical)]

    def expected(self, matrix: Matrix, unknown: Mask, noise: float = LOWEST_NOISE) -> Matrix:
        """Expected encoded rows [rows, features], not knowing the cells in `unknown` [rows, features].

        `noise`: standard deviation of the noise on known numbers.
        """
        given = matrix.copy()
        given[unknown] = np.nan

        def expect(values: Array, missing: Array) -> Array:
            return self.repair.expected(values, missing, noise)

        return self._by_gaps(given, expect)

    def drawn(self, matrix: Matrix, unknown: Mask, chances: np.ndarray[Any, Any]) -> Matrix:
        """One plausible row for each, instead of the expected one; `chances` [rows] lie in [0, 1)."""

        def draw(values: Array, missing: Array, chances: Array) -> Array:
            return self.repair.drawn(values, missing, chances[:, 0])

        given = matrix.copy()
        given[unknown] = np.nan
        return self._by_gaps(given, draw, chances.astype(np.float32)[:, None])

    def _by_gaps(self, given: Matrix, work: Any, extra: Matrix | None = None) -> Matrix:
        """`work` on rows with gaps and on those without, apart: each in blocks of its own kind."""
        beside = np.empty((len(given), 0), np.float32) if extra is None else extra
        width = given.shape[1]
        estimates = np.empty_like(given)

        def step(block: Array) -> Array:
            values, missing = self.repair.values(block[:, :width])
            rest = (block[:, width:],) if extra is not None else ()
            return self.repair.columns.rows(self.repair.known_only(work(values, missing, *rest)))

        gaps = np.isnan(given).any(axis=1)
        for chosen in (gaps, ~gaps):
            if chosen.any():
                both = np.concatenate([given[chosen], beside[chosen]], axis=1)
                estimates[chosen] = in_blocks(step, both, self.fitted.device)
        return estimates

    def faults(self, batch: pa.RecordBatch, encoded: Encoded) -> dict[str, tuple[Mask, np.ndarray[Any, Any]]]:
        """Per column, which cells hold what none can hold [rows], and why.

        They are unreadable, infinite, far beyond all learned numbers, or of a category never seen.
        """
        faults: dict[str, tuple[Mask, np.ndarray[Any, Any]]] = {}
        rules = self.encoder.schema.rules
        start = 0
        for column in self.encoder.state.numeric:
            read = column.read(batch.column(column.column), rules)
            infinite = np.abs(read.values) > cells.LARGEST
            beyond = encoded.out_of_range[:, start : start + column.width].any(axis=1) & ~infinite
            start += column.width
            why = np.where(infinite, "infinite", np.where(beyond, "beyond all learned", "unreadable"))
            faults[column.column] = (read.bad | infinite | beyond, why.astype(object))
        width = len(self.encoder.center)
        for index, vocabulary in enumerate(self.encoder.state.categorical):
            rare = vocabulary.other / max(sum(vocabulary.counts) + vocabulary.other, 1)
            unseen = (encoded.matrix[:, width + index] == OTHER) & (rare < _RARE_SHARE)
            faults[vocabulary.column] = (unseen, np.full(len(batch), "never seen", dtype=object))
        return faults

    def empty(self, batch: pa.RecordBatch, matrix: Matrix) -> dict[str, Mask]:
        """Per column, which cells are missing [rows]; dates that stand for none are not."""
        rules = self.encoder.schema.rules
        as_written = replace(rules, na_values=(), na_rule="0.1.0")
        missing = {}
        for column in self.encoder.state.numeric:
            array = batch.column(column.column)
            absent = column.read(array, rules).missing
            if column.cycles and absent.any():
                absent = absent & np.isnan(column.read(array, as_written).values)
            missing[column.column] = absent
        width = len(self.encoder.center)
        for index, vocabulary in enumerate(self.encoder.state.categorical):
            missing[vocabulary.column] = matrix[:, width + index] == MISSING
        for name in self.encoder.state.constant:
            missing[name] = cells.empty(batch.column(name), rules)
        return missing

    def features(self, columns: dict[str, Mask]) -> Mask:
        """Cells by column as cells by feature [rows, features]."""
        return np.column_stack([columns[name] for name in self.owners])
