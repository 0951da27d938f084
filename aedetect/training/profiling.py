"""The first pass over training inputs: schema and feature encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.config import Config
from aedetect.data import cells
from aedetect.data.arrays import Integers
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.categorical import MOST_SERIES_CATEGORIES
from aedetect.data.labels import known_anomalies
from aedetect.data.missing_marks import marks_in_words, missing_marks
from aedetect.data.moving import IN_ORDER, MOVES_ON
from aedetect.data.profile import ColumnProfile, is_usable, kind_of, profile_columns
from aedetect.data.roles import infer_schema, number_writings, uncounted
from aedetect.data.row_sample import RowSample
from aedetect.data.schema import Schema
from aedetect.data.written_numbers import Writing
from aedetect.errors import DataError
from aedetect.io.source import Input, Reader, batch_rows

if TYPE_CHECKING:
    import pyarrow as pa

LEAST_ROWS = 8


@dataclass(frozen=True)
class TrainingProfile:
    """What the first pass found: `rows` are those to learn from, `labelled` the known anomalies."""

    schema: Schema
    encoder: FeatureEncoder
    rows: int
    labelled: int
    notices: tuple[str, ...]

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
    """Rows of one input to learn from, their numbers in it (from 1), and of how many read."""

    source: Input
    batch: pa.RecordBatch
    numbers: Integers
    read: int

    def locate(self, index: int) -> str:
        """Where the row with that index stands: 'a.csv: row 7 (line 8)'."""
        return f"{self.source.name}: {self.source.locate(int(self.numbers[index]))}"


def chunks(inputs: Sequence[Input], config: Config, anomalies: bool = False) -> Iterator[Chunk]:
    """All rows of the inputs but the labelled anomalies, in order; or only these, where there is a label."""
    for source in inputs:
        first = 1
        for batch in _open(source, config).batches():
            read = len(batch)
            numbers = np.arange(first, first + read)
            first += read
            if config.data.label is not None and config.data.label in batch.schema.names:
                locate = partial(Chunk.locate, Chunk(source, batch, numbers, read))
                keep = known_anomalies(batch.column(config.data.label), config.data, locate) == anomalies
                batch, numbers = batch.filter(_mask(keep)), numbers[keep]
            yield Chunk(source, batch, numbers, read)


def _open(source: Input, config: Config) -> Reader:
    return source.open(batch_rows(config, len(source.open(1024).schema)))


def profile_inputs(inputs: Sequence[Input], config: Config) -> TrainingProfile:
    """Profile every column, decide its role and fit the feature encoder.

    Raises DataError where the inputs do not belong together or cannot be learned from.
    """
    name = inputs[0].name if len(inputs) == 1 else f"{inputs[0].name} and {len(inputs) - 1} more"
    counting = {column for column, role in config.data.roles.items() if role in ("categorical", "boolean")}
    profiles, rows, total, seen = _profile_columns(inputs, config, counting)
    if rows < LEAST_ROWS:
        raise DataError(f"{name}: {rows} usable row{'s' * (rows != 1)}; training needs at least {LEAST_ROWS}")
    marks = missing_marks(profiles, config.data)
    if marks:
        further = dict.fromkeys(mark for texts in marks.values() for mark in texts)
        data = config.data.model_copy(update={"na_values": [*config.data.na_values, *further]})
        config = config.model_copy(update={"data": data})
        profiles, rows, total, seen = _profile_columns(inputs, config, counting)
    writings = number_writings(profiles, config.data, name, config.series)
    if writings:
        profiles, rows, total, seen = _profile_columns(inputs, config, counting, writings)
    schema = infer_schema(profiles, config.data, name, config.series, seen)
    recount = uncounted(profiles, schema)
    if recount:
        profiles, rows, total, seen = _profile_columns(inputs, config, counting | recount, writings)
        schema = infer_schema(profiles, config.data, name, config.series, seen)
    most = config.data.max_categories
    if config.series.time_columns:
        most = min(most, MOST_SERIES_CATEGORIES)
    encoder = FeatureEncoder.fit(schema, profiles, most)
    return TrainingProfile(
        schema,
        encoder,
        rows,
        total - rows,
        (
            *(marks_in_words(column, texts) for column, texts in marks.items()),
            *_notices(schema, encoder, profiles, most),
        ),
    )


def _profile_columns(
    inputs: Sequence[Input], config: Config, counting: set[str], writings: Mapping[str, Writing] | None = None
) -> tuple[dict[str, ColumnProfile], int, int, RowSample | None]:
    rules = cells.CellRules(config.data.decimal, tuple(config.data.na_values), writings=writings or {})
    profiles: dict[str, ColumnProfile] = {}
    sample: RowSample | None = None
    rows = total = 0
    for place, source in enumerate(inputs):
        schema = source.open(1024).schema
        if not profiles:
            # Who wrote a typed file of text alone knew no types.
            is_text = source.is_text or all(cells.is_text(cells.value_type(field.type)) for field in schema)
            profiles = profile_columns(schema, is_text, counting, set(config.data.roles), rules)
        _check_same_columns(inputs[0].name, profiles, source.name, schema)
        sample = sample or RowSample([column for column, profile in profiles.items() if profile.readable])
        for chunk in chunks([source], config):
            sample.take((source.name, place), chunk.batch, chunk.numbers)
            for column, profile in profiles.items():
                profile.update(chunk.batch.column(column), partial(Chunk.locate, chunk))
            rows += len(chunk.batch)
            total += chunk.read
    return profiles, rows, total, sample


def _check_same_columns(first: str, profiles: dict[str, ColumnProfile], name: str, schema: pa.Schema) -> None:
    lacking = [column for column in profiles if column not in schema.names]
    extra = [column for column in schema.names if column not in profiles]
    if lacking or extra:
        fault = f"has no column {lacking[0]!r}" if lacking else f"has a column {extra[0]!r} too many"
        raise DataError(f"{name}: {fault}, unlike {first}; train on files with the same columns")
    for column, profile in profiles.items():
        field = schema.field(column)
        if profile.readable and not is_usable(field):
            raise DataError(
                f"{name}: column {column!r} holds {kind_of(field)} values, unlike {first}; "
                "train on files with the same columns"
            )


def _notices(
    schema: Schema, encoder: FeatureEncoder, profiles: dict[str, ColumnProfile], most: int
) -> Iterator[str]:
    for column in schema.columns:
        moves = column.role == "id" and column.reason.endswith(MOVES_ON)
        if (moves or column.role in ("ignored", "text")) and column.reason not in (
            "excluded",
            "not among the columns asked for",
            "set by hand",
        ):
            yield f"column {column.name!r} is left out: {column.reason.removeprefix('left out, ')}"
        elif column.role == "constant":
            yield f"column {column.name!r} is left out: {column.reason}; a change will be noticed"
        elif IN_ORDER in column.reason:
            yield f"column {column.name!r}: {column.reason.partition('; ')[2]}"
        elif "; " in column.reason and column.reason.endswith("would be a number without its marks"):
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
