"""Rows that alone keep a column from being constant: what watched constants cost in false alarms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.scoring.fitted import OUT_OF_RANGE


@dataclass(frozen=True)
class LoneValues:
    """Values [values] that one training row alone has, in `columns` [values] where all others agree.

    Without that row the column would be a constant, and the row, as a new one, would have changed it. In a
    table of many columns that hardly ever move, such rows are no exception among normal ones, and
    calibration has to know of them.
    """

    columns: Integers
    values: Floats

    @classmethod
    def of(cls, matrix: Matrix) -> LoneValues:
        """Those of encoded rows [rows, features]; missing cells do not count."""
        columns, values = [], []
        for index in range(matrix.shape[1]):
            column = matrix[:, index]
            known = column[~np.isnan(column)]
            if len(known) < 3:
                continue
            differing = np.flatnonzero(known != known[0])
            # Either one row differs from the first, or the first from all others, which agree.
            if len(differing) == 1:
                columns.append(index)
                values.append(known[differing[0]])
            elif len(differing) == len(known) - 1 and (known[1:] == known[1]).all():
                columns.append(index)
                values.append(known[0])
        return cls(np.array(columns, dtype=np.int64), np.array(values, dtype=matrix.dtype))

    @classmethod
    def none(cls) -> LoneValues:
        return cls(np.empty(0, dtype=np.int64), np.empty(0))

    def counted(self, scores: Floats, rows: Matrix) -> tuple[Floats, float | None]:
        """`scores` [rows] of calibration rows [rows, features], as if each alone had not been learned.

        Beside them, what a changed constant adds to a score; None where no row has such a value: then
        there is nothing to be said about it.
        """
        changed = (rows[:, self.columns] == self.values).sum(axis=1)
        return with_changed_constants(scores, changed) if changed.any() else (scores, None)


def with_changed_constants(scores: Floats, changed: Integers) -> tuple[Floats, float]:
    """Unscaled `scores` [rows] of normal rows that have `changed` so many constants [rows].

    Beside them, what each changed constant adds to a score.
    """
    beyond = OUT_OF_RANGE * float(scores.max())
    return scores + changed * beyond, beyond
