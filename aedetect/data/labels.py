"""The one reader of a label column: which rows are anomalies, which are normal, which have no label."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.config import DataConfig
from aedetect.data import any_type, cells
from aedetect.data.arrays import Mask
from aedetect.errors import DataError

ANOMALY, NORMAL, NO_LABEL = 1, 0, -1
# Beside true and false, yes and no: words that can mean but one of both.
ANOMALY_WORDS = ("anomaly", "anomalous", "abnormal", "outlier", "fraud", "fraudulent", "attack", "malicious")
NORMAL_WORDS = ("normal", "benign", "legit", "legitimate", "genuine", "inlier")
_SHOWN = 5
_LONGEST_SHOWN = 40
_MOST_COUNTED = 10_000
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")

Marks = np.ndarray[Any, np.dtype[np.int8]]


@dataclass
class LabelReader:
    """Reads the label column called `column`, batch by batch.

    Without `positive`, labels are booleans: 0/1, true/false, yes/no, normal/anomaly; what `rules` take for
    missing is no label. With it, that value marks an anomaly and every other one a normal row: 'None' is a
    label as others are, and only empty cells and `rules.na_values` are none.
    `counts`: how many cells hold each value, of the first thousands of values; `matches`: how many are
    `positive`; `unread`: where the first label stands that is not a boolean, and what it is.
    """

    column: str
    positive: str | None
    rules: cells.CellRules
    counts: Counter[str] = field(default_factory=Counter)
    matches: int = 0
    unread: tuple[str, str] | None = None

    def read(self, array: pa.Array, locate: Callable[[int], str]) -> Marks:
        """ANOMALY, NORMAL or NO_LABEL for each cell; int8 [rows].

        `locate` gives the place of the cell with an index. What cannot be read is NO_LABEL, until a check
        raises for it.
        """
        readable = any_type.as_readable(array)
        names = cells.categories(readable, replace(self.rules, na_rule="0.1.0"))
        if self.positive is None:
            return self._booleans(readable, names, locate)
        counted = self._count(names)
        positive = [name for name in counted if self._is_positive(name, pa.types.is_boolean(readable.type))]
        self.matches += sum(counted[name] for name in positive)
        marks = pc.cast(pc.is_in(names, pa.array(positive, pa.string())), pa.int8())
        marks = pc.fill_null(pc.if_else(names.is_valid(), marks, None), NO_LABEL)
        return np.asarray(marks.to_numpy(zero_copy_only=False), dtype=np.int8)

    def add(self, later: LabelReader) -> None:
        """Take in what was counted in rows behind these."""
        self._enter(later.counts)
        self.matches += later.matches
        self.unread = self.unread or later.unread

    def check_read(self) -> None:
        """Raises DataError, with the values there are, where a label that was read is not a boolean."""
        if self.unread is not None:
            place, value = self.unread
            raise DataError(
                f"{place}, column {self.column!r}: {_short(value)!r} is not a boolean; the labels are "
                f"{self.values_in_words}; say with --positive which value marks an anomaly"
            )

    def check_matched(self, name: str) -> None:
        """Raises DataError, with the values there are, where no cell that was read is `positive`.

        `name` is that of the input. No cell read at all is no fault.
        """
        if self.positive is None or self.matches:
            return
        asked = f"{name}: no row has {self.positive!r} (--positive) in column {self.column!r}"
        if not self.counts:
            raise DataError(f"{asked}: it holds no label")
        alike = [value for value in self.counts if value.casefold() == self.positive.strip().casefold()]
        remedy = f"; did you mean --positive {shlex.quote(alike[0])}?" if alike else ""
        raise DataError(f"{asked}; the labels are {self.values_in_words}{remedy}")

    @property
    def values_in_words(self) -> str:
        """The values seen, the most frequent first, as a message lists them; empty where none were."""
        ranked = sorted(self.counts.items(), key=lambda entry: (-entry[1], entry[0]))
        listed = [f"{_short(value)!r} ({count:,})" for value, count in ranked[:_SHOWN]]
        if len(ranked) > _SHOWN:
            return f"{', '.join(listed)} and {len(ranked) - _SHOWN:,} more"
        return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)

    def _booleans(self, readable: pa.Array, names: pa.Array, locate: Callable[[int], str]) -> Marks:
        read = cells.booleans(readable, self.rules)
        lowered = pc.utf8_lower(names)
        anomalous, normal = (
            np.asarray(pc.is_in(lowered, pa.array(words)).to_numpy(zero_copy_only=False), dtype=np.bool_)
            for words in (ANOMALY_WORDS, NORMAL_WORDS)
        )
        values = np.where(read.bad & anomalous, ANOMALY, np.where(read.bad & normal, NORMAL, read.values))
        bad = read.bad & ~anomalous & ~normal
        self._count(names.filter(pa.array(~read.missing)))
        if bad.any() and self.unread is None:
            index = int(bad.argmax())
            self.unread = locate(index), names[index].as_py()
        return np.asarray(np.nan_to_num(values, nan=NO_LABEL), dtype=np.int8)

    def _count(self, names: pa.Array) -> dict[str, int]:
        """How often each name is there, entered into the counts."""
        counted = {entry["values"]: entry["counts"] for entry in names.drop_null().value_counts().to_pylist()}
        self._enter(counted)
        return counted

    def _enter(self, counted: Mapping[str, int]) -> None:
        room = _MOST_COUNTED - len(self.counts)
        for name, count in counted.items():
            if name in self.counts:
                self.counts[name] += count
            elif room > 0:
                self.counts[name] = count
                room -= 1

    def _is_positive(self, name: str, is_boolean: bool) -> bool:
        positive = unicodedata.normalize("NFC", (self.positive or "").strip())
        if is_boolean:
            tokens = cells.TRUE_TOKENS if name == "true" else cells.FALSE_TOKENS
            return positive.lower() in tokens
        if _NUMBER.fullmatch(positive) and _NUMBER.fullmatch(name):
            return float(positive) == float(name)
        return name == positive


def label_rules(config: DataConfig) -> cells.CellRules:
    """How the cells of a label column are read under the settings of a configuration."""
    return cells.CellRules(config.decimal, tuple(config.na_values))


def label_reader(config: DataConfig) -> LabelReader:
    """A reader of the label column that a configuration names."""
    return LabelReader(config.label or "", config.positive, label_rules(config))


def known_anomalies(array: pa.Array, reader: LabelReader, locate: Callable[[int], str]) -> Mask:
    """Which rows a label column marks as anomalies; [rows]. No label counts as normal."""
    return np.asarray(reader.read(array, locate) == ANOMALY)


def marked_anomalies(batch: pa.RecordBatch, config: DataConfig) -> Mask:
    """Which rows of any batch the configured label column marks as anomalies; [rows].

    None where there is no such column, which a batch that is scored need not have.
    """
    place = -1 if config.label is None else batch.schema.get_field_index(config.label)
    if place < 0:
        return np.zeros(len(batch), np.bool_)
    reader = label_reader(config)
    assert reader is not None
    return np.asarray(reader.read(batch.column(place), str) == ANOMALY)


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_SHOWN else value[: _LONGEST_SHOWN - 1] + "…"
