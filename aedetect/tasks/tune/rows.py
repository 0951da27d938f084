"""One pass over the inputs before anything is learned: labels, and of series the times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from aedetect.config import Config
from aedetect.data.arrays import Floats, Integers
from aedetect.data.cells import CellRules
from aedetect.data.labels import ANOMALY, NO_LABEL, NORMAL, LabelReader, label_rules
from aedetect.data.named_columns import OF_CHANNELS, are_named, named_columns
from aedetect.data.series.clock_detection import find_clock
from aedetect.data.series.entities import Entities
from aedetect.data.series.timestamps import TimeReader, joined
from aedetect.errors import DataError
from aedetect.io.source import Input, batch_rows


@dataclass(frozen=True)
class Rows:
    """What is known of all rows, those of one input after the other; [rows] each.

    `marks`: ANOMALY, NORMAL or NO_LABEL, which all are without a label column. `seconds`: since 1970, NaN
    where there is no time; `series`: numbers of the series; both None for tables. `firsts`, `counts`
    [inputs]: where each input begins, and how many rows it has.
    """

    marks: Integers
    seconds: Floats | None
    series: Integers | None
    firsts: Sequence[int]
    counts: Sequence[int]


def settled(config: Config, inputs: Sequence[Input]) -> Config:
    """The settings with the columns that they name, patterns resolved. Raises UsageError for none such."""
    if not are_named(config):
        return config
    columns = list(dict.fromkeys(name for source in inputs for name in source.open(1024).schema.names))
    long = config.series.series_name is not None
    return named_columns(config, columns, OF_CHANNELS if long else ())


def read_rows(inputs: Sequence[Input], config: Config, labelled: bool) -> Rows:
    """Read what all rows are; `labelled`: whether both kinds of labels are needed.

    Raises DataError for labels and times that cannot be read, and for labels of one kind.
    """
    pass_ = _Pass(config)
    counts = []
    for source in inputs:
        before = pass_.rows
        size = batch_rows(config, len(source.open(1024).schema))
        for batch in source.open(size).batches():
            pass_.take(source, batch, before)
        counts.append(pass_.rows - before)
    rows = pass_.result(counts)
    if pass_.labels is not None:
        pass_.labels.check_read()
        pass_.labels.check_matched(inputs[0].name)
    if labelled:
        _check_both(rows, config, inputs[0].name)
    return rows


class _Pass:
    """Takes in batch after batch."""

    def __init__(self, config: Config):
        data, self._series = config.data, config.series
        self._rules = CellRules(data.decimal, tuple(data.na_values))
        self._label = data.label
        self.labels = (
            LabelReader(data.label, data.positive, label_rules(data)) if data.label is not None else None
        )
        self._entities = Entities(self._series.entity)
        self._times: TimeReader | None = None
        self.rows = 0
        self._marks = [np.empty(0, dtype=np.int8)]
        self._seconds = [np.empty(0)]
        self._numbers = [np.empty(0, dtype=np.int64)]

    def take(self, source: Input, batch: object, first: int) -> None:
        """The next rows of an input, whose first row is number `first` among all."""
        import pyarrow as pa

        assert isinstance(batch, pa.RecordBatch)
        if not len(batch):
            return
        locate = partial(_place, source, self.rows - first + 1)
        marks = np.full(len(batch), NO_LABEL, dtype=np.int8)
        if self.labels is not None and self._label in batch.schema.names:
            marks = self.labels.read(batch.column(self._label), locate)
        self._marks.append(marks)
        if self._series.time_columns:
            numbers = self._entities.number(batch, self._rules)
            self._numbers.append(numbers)
            if self._times is None:
                columns = self._series.time_columns
                array = joined([batch.column(name) for name in columns], self._rules)
                given, zone = self._series.time_format, self._series.time_zone
                self._times = TimeReader(find_clock(columns, array, self._rules, given, zone, locate))
            self._seconds.append(self._times.read(batch, numbers, self._rules, locate).seconds)
        self.rows += len(batch)

    def result(self, counts: Sequence[int]) -> Rows:
        """All that was read."""
        is_series = bool(self._series.time_columns)
        return Rows(
            np.concatenate(self._marks),
            np.concatenate(self._seconds) if is_series else None,
            np.concatenate(self._numbers) if is_series else None,
            np.cumsum([0, *counts[:-1]]).tolist(),
            counts,
        )


def _place(source: Input, first: int, index: int) -> str:
    return f"{source.name}: {source.locate(first + index)}"


def _check_both(rows: Rows, config: Config, name: str) -> None:
    anomalies, normal = int((rows.marks == ANOMALY).sum()), int((rows.marks == NORMAL).sum())
    if anomalies and normal:
        return
    label = config.data.label
    if not anomalies and not normal:
        raise DataError(f"{name}: column {label!r} holds no label; tuning needs anomalies and normal rows")
    kind, count = ("anomalies", anomalies) if anomalies else ("normal", normal)
    raise DataError(
        f"{name}: all {count:,} labels in column {label!r} say {kind}; tuning needs anomalies and normal rows"
        + ("" if anomalies else ", or --unsupervised")
    )
