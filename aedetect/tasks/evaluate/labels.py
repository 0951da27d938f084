"""The labels that scores are held against: which column, and how its cells are read."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.config import DataConfig
from aedetect.data import cells
from aedetect.errors import DataError, UsageError
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.scored_rows import ScoredBatch

if TYPE_CHECKING:
    import pyarrow as pa

UNLABELLED = -1
_SHOWN_VALUES = 5

Marks = np.ndarray[Any, np.dtype[np.int8]]


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


@dataclass(frozen=True)
class Labels:
    """Reads the label column: 1 anomaly, 0 normal, -1 no label.

    Without `positive` labels are booleans, as 0/1, true/false and yes/no; with it, any text.
    """

    column: str
    positive: str | None
    settings: DataConfig
    values: Counter[str] = field(default_factory=Counter)

    def read(self, batch: ScoredBatch) -> Marks:
        """The marks of a batch; int8 [rows]. Raises DataError for a label that is not a boolean."""
        array = column_of(batch, self.column, "--label")
        rules = cells.CellRules(self.settings.decimal, tuple(self.settings.na_values))
        if self.positive is not None:
            import pyarrow.compute as pc

            names = cells.categories(array, rules)
            if len(self.values) <= _SHOWN_VALUES:
                self.values.update(str(value) for value in names.unique().to_pylist() if value is not None)
            marked = pc.fill_null(pc.cast(pc.equal(names, self.positive), "int8"), UNLABELLED)
            return np.asarray(marked.to_numpy(zero_copy_only=False), dtype=np.int8)
        read = cells.booleans(array, rules)
        if read.bad.any():
            index = int(read.bad.argmax())
            raise DataError(
                f"{batch.source.name}: {batch.source.locate(batch.first + index)}, column {self.column!r}: "
                f"{array[index].as_py()!r} is not a boolean; "
                "say with --positive which value marks an anomaly"
            )
        return np.asarray(np.nan_to_num(read.values, nan=UNLABELLED), dtype=np.int8)

    @property
    def values_in_words(self) -> str:
        """The first labels met, with `positive`; empty without."""
        shown = ", ".join(repr(value) for value in list(self.values)[:_SHOWN_VALUES])
        return shown + (", …" if len(self.values) > _SHOWN_VALUES else "")


def column_of(batch: ScoredBatch, name: str, option: str) -> pa.Array:
    """A column of a batch. Raises UsageError, with the option that named it, where there is none."""
    names = batch.rows.schema.names
    if name not in names:
        raise UsageError(
            f"{option}: no column named {name!r} in {batch.source.name}; there are: {', '.join(names[:20])}"
        )
    return batch.rows.column(name)
