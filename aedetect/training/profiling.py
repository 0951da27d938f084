"""The first pass over training inputs: schema and feature encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.config import Config
from aedetect.data import cells
from aedetect.data.arrays import Integers
from aedetect.data.column_facts import ColumnFacts, column_facts
from aedetect.data.date_columns import clocks_given, notice_of, settle_dates
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.categorical import MOST_SERIES_CATEGORIES
from aedetect.data.label_names import LABEL_REASON, label_notice, may_name_label
from aedetect.data.labels import LabelReader, known_anomalies, label_reader
from aedetect.data.missing_marks import marks_in_words, missing_marks
from aedetect.data.moving import IN_ORDER, MOVES_ON
from aedetect.data.never import dates_of_never
from aedetect.data.profile import ColumnProfile
from aedetect.data.roles import UNREAD, infer_schema, number_writings, uncounted
from aedetect.data.row_sample import RowSample
from aedetect.data.schema import Schema
from aedetect.data.time_hint import time_hint
from aedetect.data.written_numbers import Writing
from aedetect.errors import DataError
from aedetect.io.source import Input, Reader, batch_rows
from aedetect.training.joint_columns import joint_profiles
from aedetect.training.joint_inputs import absence_notice, absent_columns, unlabelled_notice
from aedetect.training.partitions import moving_partitions
from aedetect.training.planned_rows import name_of_all, opened_pass

if TYPE_CHECKING:
    import pyarrow as pa

LEAST_ROWS = 8


@dataclass(frozen=True)
class TrainingProfile:
    """What the first pass found: `rows` are those to learn from, `labelled` the known anomalies.

    `hint`: of a table that may be a time series, what to give for it. `facts`: what the columns hold, by
    name; empty where that was not looked at.
    """

    schema: Schema
    encoder: FeatureEncoder
    rows: int
    labelled: int
    notices: tuple[str, ...]
    hint: str | None = None
    facts: Mapping[str, ColumnFacts] = field(default_factory=dict)

    def fingerprint(self, config: Config) -> str:
        """A digest of the settings of a training and of what the first pass found."""
        settings = config.model_dump_json(exclude={"threshold", "scoring"})
        state = self.encoder.state.model_dump_json()
        parts = (settings, self.schema.model_dump_json(), str(self.rows), state)
        digest = hashlib.sha256("\n".join(parts).encode())
        for values in self.encoder.statistics().values():
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Chunk:
    """Rows of one input to learn from, their numbers in it (from 1), and of how many read.

    Rows that a calendar names are none of either.
    """

    source: Input
    batch: pa.RecordBatch
    numbers: Integers
    read: int

    def locate(self, index: int) -> str:
        """Where the row with that index stands: 'a.csv: row 7 (line 8)'."""
        return f"{self.source.name}: {self.source.locate(int(self.numbers[index]))}"


def chunks(
    inputs: Sequence[Input], config: Config, anomalies: bool = False, labels: LabelReader | None = None
) -> Iterator[Chunk]:
    """All rows of the inputs but the labelled anomalies, in order; or only these, where there is a label.

    Raises DataError at the end of the pass for labels that cannot be read, unless the caller gave `labels`
    to read them, and checks those.
    """
    column, reader = config.data.label, labels or label_reader(config.data)
    for source in inputs:
        first = 1
        planned_pass = opened_pass(source)
        for batch in _open(source, config).batches():
            numbers = np.arange(first, first + len(batch))
            first += len(batch)
            if planned_pass is not None:
                learned = ~planned_pass.planned(batch, numbers)
                batch, numbers = batch.filter(_mask(learned)), numbers[learned]
            read = len(batch)
            if column is not None and column in batch.schema.names:
                locate = partial(Chunk.locate, Chunk(source, batch, numbers, read))
                keep = known_anomalies(batch.column(column), reader, locate) == anomalies
                batch, numbers = batch.filter(_mask(keep)), numbers[keep]
            yield Chunk(source, batch, numbers, read)
        if planned_pass is not None:
            planned_pass.end()
    if labels is None:
        reader.check_read()


def _open(source: Input, config: Config) -> Reader:
    return source.open(batch_rows(config, len(source.open(1024).schema)))


def profile_inputs(inputs: Sequence[Input], config: Config) -> TrainingProfile:
    """Profile every column, decide its role and fit the feature encoder.

    Raises DataError where the inputs do not belong together or cannot be learned from.
    """
    name = name_of_all(inputs)
    counting = {column for column, role in config.data.roles.items() if role in ("categorical", "boolean")}
    counting |= set(config.data.group)
    profiles, rows, total, seen = _profile_columns(inputs, config, counting)
    if rows < LEAST_ROWS:
        raise DataError(f"{name}: {rows} usable row{'s' * (rows != 1)}; training needs at least {LEAST_ROWS}")
    marks = missing_marks(profiles, config.data)
    if marks:
        config = _with_marks(config, marks)
        profiles, rows, total, seen = _profile_columns(inputs, config, counting)
    settle_dates(profiles, config.data, config.series, name)
    never = {} if config.series.time else dates_of_never(profiles, config.data)
    if never:
        marks, config = {**marks, **never}, _with_marks(config, never)
        profiles, rows, total, seen = _profile_columns(inputs, config, counting)
        settle_dates(profiles, config.data, config.series, name)
    writings = number_writings(profiles, config.data, name, config.series)
    if writings:
        profiles, rows, total, seen = _profile_columns(inputs, config, counting, writings)
        # Beside amounts of money a dash shows only once these are read as numbers.
        further = missing_marks(profiles, config.data)
        if further:
            marks, config = {**marks, **further}, _with_marks(config, further)
            profiles, rows, total, seen = _profile_columns(inputs, config, counting, writings)
    schema = infer_schema(profiles, config.data, name, config.series, seen)
    recount = uncounted(profiles, schema)
    if recount:
        profiles, rows, total, seen = _profile_columns(inputs, config, counting | recount, writings)
        schema = infer_schema(profiles, config.data, name, config.series, seen)
    absent = absent_columns(inputs)
    schema = schema.with_optional(absent)
    most = config.data.max_categories
    if config.series.time_columns:
        most = min(most, MOST_SERIES_CATEGORIES)
    encoder = FeatureEncoder.fit(schema, profiles, most)
    lacked = (
        absence_notice(absent, schema.optional, len(inputs)),
        unlabelled_notice(absent, config.data.label, len(inputs)),
    )
    dashes = (marks_in_words(column, texts) for column, texts in marks.items())
    notices = [*filter(None, lacked), *dashes, *_notices(schema, encoder, profiles, most)]
    hint = None if config.series.time_columns else time_hint(schema, profiles)
    facts = column_facts(profiles)
    return TrainingProfile(schema, encoder, rows, total - rows, tuple(notices), hint, facts)


def _with_marks(config: Config, marks: Mapping[str, Mapping[str, int]]) -> Config:
    """The settings with further texts that mean 'missing'."""
    further = dict.fromkeys(mark for texts in marks.values() for mark in texts)
    data = config.data.model_copy(update={"na_values": [*config.data.na_values, *further]})
    return config.model_copy(update={"data": data})


def _profile_columns(
    inputs: Sequence[Input], config: Config, counting: set[str], writings: Mapping[str, Writing] | None = None
) -> tuple[dict[str, ColumnProfile], int, int, RowSample]:
    given = clocks_given(config.data, config.series)
    rules = cells.CellRules(
        config.data.decimal, tuple(config.data.na_values), writings=writings or {}, dates=given
    )
    counted = counting | set(filter(may_name_label, inputs[0].open(1024).schema.names))
    profiles = joint_profiles(inputs, counted, config, rules)
    for column, reason in moving_partitions(inputs).items():
        profiles[column].left_out = reason
    sample = RowSample([column for column, profile in profiles.items() if profile.readable])
    rows = total = 0
    labels = label_reader(config.data)
    for place, source in enumerate(inputs):
        for chunk in chunks([source], config, labels=labels):
            sample.take((source.name, place), chunk.batch, chunk.numbers)
            for column, profile in profiles.items():
                profile.update(chunk.batch.column(column), partial(Chunk.locate, chunk))
            rows += len(chunk.batch)
            total += chunk.read
    labels.check_read()
    if config.data.label in profiles:
        labels.check_matched(name_of_all(inputs))
    return profiles, rows, total, sample


def _notices(
    schema: Schema, encoder: FeatureEncoder, profiles: dict[str, ColumnProfile], most: int
) -> Iterator[str]:
    for column in schema.columns:
        moves = column.role == "id" and column.reason.endswith(MOVES_ON)
        date = profiles[column.name].date
        if column.reason == LABEL_REASON:
            yield label_notice(column.name, profiles[column.name])
        elif date is not None:
            notice = notice_of(column.name, column.role, column.reason, date)
            if notice is not None:
                yield notice
        elif (moves or column.role in ("ignored", "text")) and column.reason not in (
            "excluded",
            "not among the columns asked for",
            "set by hand",
        ):
            reason = profiles[column.name].left_out or column.reason.removeprefix("left out, ")
            yield f"column {column.name!r} is left out: {reason}"
        elif column.role == "constant":
            yield f"column {column.name!r} is left out: {column.reason}; a change will be noticed"
        elif IN_ORDER in column.reason:
            yield f"column {column.name!r}: {column.reason.partition('; ')[2]}"
        elif "; " in column.reason and column.reason.endswith(UNREAD):
            yield f"column {column.name!r} is learned as categories: {column.reason.partition('; ')[2]}"
        elif column.name in schema.writings and "; " in column.reason:
            yield f"column {column.name!r}: {column.reason.partition('; ')[2]}"
    for vocabulary in encoder.state.categorical:
        distinct = len(profiles[vocabulary.column].counts)
        if distinct > most:
            yield (
                f"column {vocabulary.column!r}: {distinct:,} distinct values, of which the "
                f"{len(vocabulary.values):,} most frequent are kept; the rest count as rare"
            )


def _mask(keep: np.ndarray[Any, Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array(keep)
