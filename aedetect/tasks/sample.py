"""New rows in the user's columns: what `sample` gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from aedetect.config.names import did_you_mean
from aedetect.data.arrays import Integers, Mask, Matrix
from aedetect.data.decision import role_flag
from aedetect.data.features.categorical import FIRST_KNOWN
from aedetect.data.features.decoder import restored, restored_types
from aedetect.errors import UsageError
from aedetect.models.device import on_device, on_host

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.scoring.fitted import FittedModel

_BATCH_ROWS = 4096
# So many normal rows are looked at for the one whose gaps a new row takes.
_PATTERNS = 16


def sample_schema(fitted: FittedModel) -> pa.Schema:
    """The columns of new rows: those that the model learned, and constants."""
    import pyarrow as pa

    return pa.schema(list(restored_types(fitted.encoder).items()))


def sample_batches(
    fitted: FittedModel, count: int, seed: int, where: Mapping[str, str] | None = None
) -> Iterator[pa.RecordBatch]:
    """`count` new rows, as batches of `sample_schema`; the same seed gives the same rows.

    `where` asks for one category in each of some columns. Raises UsageError for a count or seed out of
    range, a column that is no category, a value never learned, or one that no remembered row has.
    """
    if count < 1:
        raise UsageError(f"N = {count}: must be at least 1")
    if not 0 <= seed < 2**63:
        raise UsageError(f"seed = {seed}: must be from 0 to below 2**63")
    _check_groups(fitted)
    return _batches(fitted, count, seed, _among(fitted, where or {}))


def _check_groups(fitted: FittedModel) -> None:
    """Raises UsageError where new rows would have numbers of no group in particular."""
    learned = [vocabulary.column for vocabulary in fitted.encoder.state.categorical]
    unknown = [name for name in fitted.schema.groups if name not in learned]
    if unknown:
        raise UsageError(
            f"the model sees numbers relative to {unknown[0]!r}, which it has not learned: it cannot say "
            f"whose new rows would be; train with {role_flag(unknown[0], 'categorical')}"
        )


def _batches(fitted: FittedModel, count: int, seed: int, among: Integers) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    auxiliary, schema = fitted.auxiliary, sample_schema(fitted)
    random, places = np.random.default_rng(seed), on_device(among, fitted.device)
    for start in range(0, count, _BATCH_ROWS):
        size = min(_BATCH_ROWS, count - start)
        values = auxiliary.sampler.draw(auxiliary.repair.memory, places, size, random)
        matrix = on_host(auxiliary.repair.columns.rows(values))
        gaps = _gaps(fitted, matrix, np.random.default_rng([seed, start]))
        groups = fitted.encoder.groups_in(matrix)
        columns = restored(fitted.encoder, np.where(gaps, np.nan, matrix), groups=groups)
        yield pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _gaps(fitted: FittedModel, matrix: Matrix, random: np.random.Generator) -> Mask:
    """Which numbers of new rows are missing [rows, features]: those of a normal row.

    It is, of a few drawn ones, the most alike in the features that none of the normal rows lacks. Older
    models hold no normal rows: then nothing is missing.
    """
    known, numeric = fitted.normal_rows, fitted.encoder.layout.numeric
    missing = np.isnan(known)
    if not missing.any():
        return np.zeros(matrix.shape, np.bool_)
    drawn = random.integers(len(known), size=(len(matrix), _PATTERNS))
    whole = ~missing.any(axis=0)
    apart = known[:, whole][drawn] - matrix[:, None, whole]
    # Numbers by how far they are apart, categories by whether they differ.
    categories = np.arange(known.shape[1])[whole] >= numeric
    apart = np.where(categories, apart != 0, np.abs(apart)).sum(axis=2)
    alike = drawn[np.arange(len(matrix)), apart.argmin(axis=1)]
    return np.asarray(missing[alike])


def _among(fitted: FittedModel, where: Mapping[str, str]) -> Integers:
    """Indices of the remembered rows that have the categories asked for."""
    repair = fitted.auxiliary.repair
    codes = on_host(repair.columns.rows(repair.memory))[:, repair.layout.numeric :]
    chosen = np.ones(len(codes), np.bool_)
    vocabularies = fitted.encoder.state.categorical
    names = [vocabulary.column for vocabulary in vocabularies]
    for column, value in where.items():
        if column not in names:
            known = ", ".join(repr(name) for name in names) or "there are none"
            hint = did_you_mean(column, names)
            raise UsageError(
                f"--where {column}={value}: {column!r} is no column of categories{hint} ({known})"
            )
        index = names.index(column)
        values = vocabularies[index].values
        if value not in values:
            shown = ", ".join(repr(entry) for entry in values[:5]) + (", …" if len(values) > 5 else "")
            hint = did_you_mean(value, values)
            raise UsageError(
                f"--where {column}={value}: the model knows no such category{hint} (it knows {shown})"
            )
        chosen &= codes[:, index] == values.index(value) + FIRST_KNOWN
    if not chosen.any():
        asked = " ".join(f"--where {column}={value}" for column, value in where.items())
        raise UsageError(f"{asked}: the model remembers no row like this; ask for a more common category")
    return np.flatnonzero(chosen)
