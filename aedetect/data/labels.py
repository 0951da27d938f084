"""The one reader of a label column: which rows are anomalies, which are normal, which have no label."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.config import DataConfig
from aedetect.data import cells
from aedetect.data.arrays import Mask
from aedetect.errors import DataError

ANOMALY, NORMAL, NO_LABEL = 1, 0, -1
_SHOWN = 5

Marks = np.ndarray[Any, np.dtype[np.int8]]


@dataclass(frozen=True)
class LabelReader:
    """Reads the label column called `column`, batch by batch.

    Without `positive`, labels are booleans: 0/1, true/false, yes/no; what `rules` take for missing is
    no label. With it, that text marks an anomaly and every other text a normal row: 'None' is a
    label as others are, and only empty cells and `rules.na_values` are none.
    `values_seen`: with `positive`, the first distinct labels met, one more than are shown at most.
    """

    column: str
    positive: str | None
    rules: cells.CellRules
    values_seen: list[str] = field(default_factory=list)

    def read(self, array: pa.Array, locate: Callable[[int], str]) -> Marks:
        """ANOMALY, NORMAL or NO_LABEL for each cell; int8 [rows].

        Raises DataError, with the place that `locate` gives for the index of a cell, for a label that
        is not a boolean where `positive` is not given.
        """
        if self.positive is None:
            return self._booleans(array, locate)
        names = cells.categories(array, replace(self.rules, na_rule="0.1.0"))
        self._note(names)
        marks = pc.fill_null(
            pc.cast(pc.equal(names, unicodedata.normalize("NFC", self.positive)), pa.int8()), NO_LABEL
        )
        return np.asarray(marks.to_numpy(zero_copy_only=False), dtype=np.int8)

    @property
    def values_in_words(self) -> str:
        """The values seen, as a message lists them: 'a', 'b', …; empty where none were."""
        shown = ", ".join(repr(value) for value in self.values_seen[:_SHOWN])
        return shown + (", …" if len(self.values_seen) > _SHOWN else "")

    def _booleans(self, array: pa.Array, locate: Callable[[int], str]) -> Marks:
        read = cells.booleans(array, self.rules)
        if read.bad.any():
            index = int(read.bad.argmax())
            raise DataError(
                f"{locate(index)}, column {self.column!r}: {array[index].as_py()!r} is not a boolean; "
                "say with --positive which value marks an anomaly"
            )
        return np.asarray(np.nan_to_num(read.values, nan=NO_LABEL), dtype=np.int8)

    def _note(self, names: pa.Array) -> None:
        if len(self.values_seen) <= _SHOWN:
            new = [name for name in names.unique().to_pylist() if name not in (None, *self.values_seen)]
            self.values_seen.extend(new[: _SHOWN + 1 - len(self.values_seen)])


def label_rules(config: DataConfig) -> cells.CellRules:
    """How the cells of a label column are read under the settings of a configuration."""
    return cells.CellRules(config.decimal, tuple(config.na_values))


def known_anomalies(array: pa.Array, config: DataConfig, locate: Callable[[int], str]) -> Mask:
    """Which rows the configured label column marks as anomalies; [rows]. No label counts as normal.

    Raises DataError as `LabelReader.read` does.
    """
    reader = LabelReader(config.label or "", config.positive, label_rules(config))
    return np.asarray(reader.read(array, locate) == ANOMALY)


def marked_anomalies(batch: pa.RecordBatch, config: DataConfig) -> Mask:
    """Which rows of any batch the configured label column marks as anomalies; [rows].

    None where there is no such column, or a cell is no label: a batch that is scored need have none.
    """
    place = -1 if config.label is None else batch.schema.get_field_index(config.label)
    if place < 0 or not cells.is_readable(batch.schema.field(place).type):
        return np.zeros(len(batch), np.bool_)
    if config.positive is None:
        return np.asarray(cells.booleans(batch.column(place), label_rules(config)).values == 1)
    reader = LabelReader(str(config.label), config.positive, label_rules(config))
    return np.asarray(reader.read(batch.column(place), str) == ANOMALY)
