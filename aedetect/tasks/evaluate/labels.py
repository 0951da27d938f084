"""The labels that scores are held against: a column that is there, and was not learned."""

from __future__ import annotations

import shlex

import pyarrow as pa

from aedetect.config.names import no_column
from aedetect.errors import UsageError
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.scored_rows import ScoredBatch


def check_not_learned(fitted: FittedModel, label: str, model: str = "the model") -> None:
    """Raises UsageError where the labels are a column that the model learned.

    Its scores then tell the labels, and figures of any data would be those of a perfect detector.
    """
    if label in fitted.columns:
        word = shlex.quote(label)
        raise UsageError(
            f"--label: {model} learned column {label!r}, so its scores already tell the labels; "
            f"retrain with --label {word} or --exclude {word}, or name another column"
        )


def column_of(batch: ScoredBatch, name: str, option: str) -> pa.Array:
    """A column of a batch. Raises UsageError, with the option that named it, where there is none."""
    names = batch.rows.schema.names
    if name not in names:
        raise UsageError(no_column(option, name, names, f"in {batch.source.name}"))
    return batch.rows.column(name)
