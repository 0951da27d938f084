"""Columns of which an input holds nothing, though training had values: nothing is known of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from aedetect.data import cells
from aedetect.data.arrays import Floats, Mask, Matrix
from aedetect.data.features.encoder import FeatureEncoder
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel

# Of each row, the nearest among so many normal ones stands in; for so many rows at a time.
_DONORS, _ROWS_AT_A_TIME = 512, 2048
_ROWS_READ = 1024


def empty_columns(fitted: FittedModel, source: Input) -> list[str]:
    """The learned and watched columns that hold no value in any row of `source`, more than chance explains.

    None where no other column is left to judge by. Reads on only as long as there is such a column.
    Raises DataError where the input cannot be read.
    """
    settings = fitted.config.drift
    shares = dict(_missing_shares(fitted.encoder))
    empty, rows = list(shares), 0
    for batch in source.open(_ROWS_READ).batches():
        rows += len(batch)
        rules = fitted.schema.rules
        empty = [name for name in empty if bool(cells.empty(batch.column(name), rules.of(name)).all())]
        if not empty:
            return []
    if rows < settings.least_rows or set(empty) >= set(fitted.encoder.owners):
        return []
    return [name for name in empty if shares[name] ** rows < settings.significance]


def filled_in(matrix: Matrix, fitted: FittedModel, columns: Collection[str]) -> Matrix:
    """Encoded rows [rows, features] with the cells of `columns` as the nearest normal row has them.

    So they tell for no row, nor against it.
    """
    donors = fitted.normal_rows[:_DONORS]
    owners = fitted.encoder.owners[: matrix.shape[1]]
    unknown = np.array([owner in columns for owner in owners], np.bool_)
    filled = matrix.copy()
    if not len(donors) or not unknown.any():
        return filled
    numeric = len(fitted.encoder.center)
    for start in range(0, len(matrix), _ROWS_AT_A_TIME):
        part = slice(start, start + _ROWS_AT_A_TIME)
        nearest = _distances(matrix[part], donors, ~unknown, numeric).argmin(axis=1)
        filled[part, unknown] = donors[nearest][:, unknown]
    return filled


def _distances(rows: Matrix, donors: Matrix, known: Mask, numeric: int) -> Floats:
    """Squared distances [rows, donors] over the `known` features, of which the first are numeric."""
    numbers = known[:numeric]
    one, other = (np.nan_to_num(part[:, :numeric][:, numbers].astype(np.float64)) for part in (rows, donors))
    distances = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    for feature in np.flatnonzero(known[numeric:]) + numeric:
        distances += rows[:, feature, None] != donors[:, feature]
    return np.asarray(distances)


def _missing_shares(encoder: FeatureEncoder) -> Iterator[tuple[str, float]]:
    """Of each learned or watched column, the share of the training rows without a value."""
    for column in encoder.state.numeric:
        yield column.column, column.missing_rate
    for vocabulary in encoder.state.categorical:
        filled = sum(vocabulary.counts) + vocabulary.other
        yield vocabulary.column, vocabulary.missing / max(filled + vocabulary.missing, 1)
    for name in encoder.state.constant:
        yield name, 0.0
