"""The first pass over training inputs: schema and feature encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from aedetect.config import Config
from aedetect.data import cells
from aedetect.data.column_facts import ColumnFacts, column_facts
from aedetect.data.date_columns import clocks_given, notice_of, settle_dates
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.categorical import MOST_SERIES_CATEGORIES
from aedetect.data.label_names import LABEL_REASON, label_notice, may_name_label
from aedetect.data.labels import LabelReader, label_reader
from aedetect.data.missing_marks import marks_in_words, missing_marks
from aedetect.data.moving import IN_ORDER, MOVES_ON
from aedetect.data.never import dates_of_never
from aedetect.data.profile import ColumnProfile
from aedetect.data.roles import UNREAD, infer_schema, number_writings, uncounted
from aedetect.data.row_sample import RowSample
from aedetect.data.schema import Schema
from aedetect.data.time_hint import time_hint
from aedetect.data.written_numbers import Writing
from aedetect.engine.cluster import Here, Workers
from aedetect.errors import DataError
from aedetect.io.source import Input
from aedetect.training.joint_columns import joint_profiles
from aedetect.training.joint_inputs import absence_notice, absent_columns, unlabelled_notice
from aedetect.training.partitions import moving_partitions
from aedetect.training.passes import Chunk, Part, Passes, chunks_of
from aedetect.training.planned_rows import (
    PlannedCounts,
    keep_counts,
    name_of_all,
    planned_counts,
    settle_clock,
)

LEAST_ROWS = 8
# Of the first part, which tell what it is no use to look for in the others.
_PILOT_ROWS = 4096


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


def profile_inputs(
    inputs: Sequence[Input], config: Config, workers: Workers | None = None
) -> TrainingProfile:
    """Profile every column, decide its role and fit the feature encoder.

    `workers` read the rows; None for this process. Raises DataError where the inputs do not belong together
    or cannot be learned from.
    """
    name = name_of_all(inputs)
    counting = {column for column, role in config.data.roles.items() if role in ("categorical", "boolean")}
    counting |= set(config.data.group)
    passes = Passes(inputs, workers or Here())
    seen = _profile_columns(passes, config, counting)
    if seen.rows < LEAST_ROWS:
        raise DataError(
            f"{name}: {seen.rows} usable row{'s' * (seen.rows != 1)}; training needs at least {LEAST_ROWS}"
        )
    marks = missing_marks(seen.profiles, config.data)
    if marks:
        config = _with_marks(config, marks)
        seen = _profile_columns(passes, config, counting)
    settle_dates(seen.profiles, config.data, config.series, name)
    never = {} if config.series.time else dates_of_never(seen.profiles, config.data)
    if never:
        marks, config = {**marks, **never}, _with_marks(config, never)
        seen = _profile_columns(passes, config, counting)
        settle_dates(seen.profiles, config.data, config.series, name)
    writings = number_writings(seen.profiles, config.data, name, config.series)
    if writings:
        seen = _profile_columns(passes, config, counting, writings)
        # Beside amounts of money a dash shows only once these are read as numbers.
        further = missing_marks(seen.profiles, config.data)
        if further:
            marks, config = {**marks, **further}, _with_marks(config, further)
            seen = _profile_columns(passes, config, counting, writings)
    schema = infer_schema(seen.profiles, config.data, name, config.series, seen.sample)
    recount = uncounted(seen.profiles, schema)
    if recount:
        seen = _profile_columns(passes, config, counting | recount, writings)
        schema = infer_schema(seen.profiles, config.data, name, config.series, seen.sample)
    absent = absent_columns(inputs)
    schema = schema.with_optional(absent)
    most = config.data.max_categories
    if config.series.time_columns:
        most = min(most, MOST_SERIES_CATEGORIES)
    encoder = FeatureEncoder.fit(schema, seen.profiles, most)
    lacked = (
        absence_notice(absent, schema.optional, len(inputs)),
        unlabelled_notice(absent, config.data.label, len(inputs)),
    )
    dashes = (marks_in_words(column, texts) for column, texts in marks.items())
    notices = [*filter(None, lacked), *dashes, *_notices(schema, encoder, seen.profiles, most)]
    hint = None if config.series.time_columns else time_hint(schema, seen.profiles)
    facts = column_facts(seen.profiles)
    labelled = seen.total - seen.rows
    return TrainingProfile(schema, encoder, seen.rows, labelled, tuple(notices), hint, facts)


def _with_marks(config: Config, marks: Mapping[str, Mapping[str, int]]) -> Config:
    """The settings with further texts that mean 'missing'."""
    further = dict.fromkeys(mark for texts in marks.values() for mark in texts)
    data = config.data.model_copy(update={"na_values": [*config.data.na_values, *further]})
    return config.model_copy(update={"data": data})


@dataclass
class _Seen:
    """What one pass sees of all rows, or of those of one part. `planned`: counts, by the place of the input.

    `rows` are those to learn from, of so many in `total`.
    """

    profiles: dict[str, ColumnProfile]
    sample: RowSample
    labels: LabelReader
    rows: int = 0
    total: int = 0
    planned: dict[int, PlannedCounts] = field(default_factory=dict)

    @classmethod
    def nothing(
        cls, empty: Mapping[str, ColumnProfile], config: Config, pilot: Mapping[str, ColumnProfile]
    ) -> _Seen:
        """Nothing yet, of the columns that `empty` are profiles of; `pilot`: as in `ColumnProfile.fresh`."""
        return cls(
            {column: profile.fresh(pilot.get(column)) for column, profile in empty.items()},
            RowSample([column for column, profile in empty.items() if profile.readable]),
            label_reader(config.data),
        )

    def take(self, chunk: Chunk) -> None:
        """See further rows."""
        self.sample.take((chunk.source.name, chunk.place), chunk.batch, chunk.numbers)
        for column, profile in self.profiles.items():
            profile.update(chunk.batch.column(column), partial(Chunk.locate, chunk))
        self.rows += len(chunk.batch)
        self.total += chunk.read

    def add(self, later: _Seen) -> None:
        """Take in what was seen of the rows behind these."""
        for column, profile in self.profiles.items():
            profile.add(later.profiles[column])
        self.sample.add(later.sample)
        self.labels.add(later.labels)
        self.rows += later.rows
        self.total += later.total
        self.planned |= later.planned


@dataclass(frozen=True)
class _Seeing:
    """Sees the rows of a part. `empty`: profiles of the columns; `pilot`: those of the first rows of all."""

    empty: Mapping[str, ColumnProfile]
    pilot: Mapping[str, ColumnProfile]
    config: Config

    def __call__(self, part: Part) -> _Seen:
        begins = part[0].place == 0 and part[0].before == 0
        seen = _Seen.nothing(self.empty, self.config, {} if begins else self.pilot)
        for chunk in chunks_of(part, self.config, seen.labels):
            seen.take(chunk)
        seen.planned = planned_counts((piece.place, piece.source) for piece in part)
        return seen


def _profile_columns(
    passes: Passes, config: Config, counting: set[str], writings: Mapping[str, Writing] | None = None
) -> _Seen:
    inputs = passes.inputs
    given = clocks_given(config.data, config.series)
    rules = cells.CellRules(
        config.data.decimal, tuple(config.data.na_values), writings=writings or {}, dates=given
    )
    counted = counting | set(filter(may_name_label, inputs[0].open(1024).schema.names))
    empty = joint_profiles(inputs, counted, config, rules)
    for column, reason in moving_partitions(inputs).items():
        empty[column].left_out = reason
    for column in counting & set(empty):
        empty[column].must_count = True
    settle_clock(inputs, config)
    pilot = _pilot(empty, passes, config) if len(passes.parts) > 1 else {}
    seen = _Seen.nothing(empty, config, {})
    for of_part in passes.map(_Seeing(empty, pilot, config)):
        seen.add(of_part)
    keep_counts(inputs, seen.planned)
    seen.labels.check_read()
    if config.data.label in seen.profiles:
        seen.labels.check_matched(name_of_all(inputs))
    return seen


def _pilot(empty: Mapping[str, ColumnProfile], passes: Passes, config: Config) -> Mapping[str, ColumnProfile]:
    """Profiles of the first rows of all, which tell the other parts what not to look for."""
    seen = _Seen.nothing(empty, config, {})
    for chunk in chunks_of(passes.parts[0][:1], config, seen.labels, most=_PILOT_ROWS):
        seen.take(chunk)
        if seen.total:
            break
    return seen.profiles


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
