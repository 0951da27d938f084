"""Further passes over the training rows of a table whose rows belong to groups: how their numbers lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from aedetect.config import Config
from aedetect.data.arrays import Floats
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.feature_statistics import feature_of
from aedetect.data.features.group_statistics import (
    LEAST_ROWS,
    GroupDigests,
    Shrunk,
    largest_groups,
    shrunk_scaling,
)
from aedetect.data.features.groups import GroupNames, group_keys
from aedetect.data.profile import NumberProfile
from aedetect.data.schema import Schema
from aedetect.io.source import Input
from aedetect.training.profiling import TrainingProfile, chunks


def with_groups(profile: TrainingProfile, inputs: Sequence[Input], config: Config) -> TrainingProfile:
    """The profile with an encoder that sees numbers relative to the group of their row.

    Three passes: rows are counted by group, each group's numbers gathered in digests, and the numbers, moved,
    profiled anew. As it is where no group is asked for.
    """
    if not config.data.group:
        return profile
    encoder = profile.encoder
    features = _numbers_of(encoder)
    counts, rows = _counted(inputs, config, encoder)
    names = largest_groups(counts, config.data.group, rows, len(features))
    shrunk = _shrunk(inputs, config, encoder, names, features)
    ranges = {feature: NumberProfile() for feature in np.flatnonzero(shrunk.scaling.relative).tolist()}
    for chunk in chunks(inputs, config) if ranges else ():
        groups, _ = names.of(chunk.batch, encoder.schema.rules)
        numbers = shrunk.scaling.aligned(_read(encoder, chunk.batch, features), groups)
        for feature, seen in ranges.items():
            seen.update(numbers[:, feature])
    moved = {feature: feature_of(seen) for feature, seen in ranges.items()}
    encoder = encoder.grouped(shrunk.scaling, moved, _named(encoder.schema, encoder, shrunk))
    notices = (*profile.notices, *_notices(names, counts, bool(features) and not moved))
    return replace(profile, schema=encoder.schema, encoder=encoder, notices=notices)


def _named(schema: Schema, encoder: FeatureEncoder, shrunk: Shrunk) -> Schema:
    """The schema, with reasons that say which columns are relative, and which tell groups apart."""
    by = " and ".join(schema.groups)
    relative = {encoder.owners[place] for place in np.flatnonzero(shrunk.scaling.relative)}
    words = dict.fromkeys(relative, f"seen relative to {by}") | dict.fromkeys(
        schema.groups, "tells groups apart"
    )
    return schema.model_copy(
        update={
            "columns": tuple(
                column.model_copy(update={"reason": f"{column.reason}; {words[column.name]}"})
                if column.name in words
                else column
                for column in schema.columns
            )
        }
    )


def _numbers_of(encoder: FeatureEncoder) -> dict[int, int]:
    """The places of the features that may be relative, with those of their columns among the numeric ones."""
    places, start = {}, 0
    for index, column in enumerate(encoder.state.numeric):
        if column.role == "numeric" and column.column not in encoder.schema.groups:
            places[start] = index
        start += column.width
    return places


def _read(encoder: FeatureEncoder, batch: pa.RecordBatch, features: dict[int, int]) -> Floats:
    """The numbers of a batch [rows, numeric features], NaN where there is none that can be read."""
    numbers = np.full((len(batch), len(encoder.center)), np.nan)
    for feature, index in features.items():
        column = encoder.state.numeric[index]
        numbers[:, feature] = column.read(batch.column(column.column), encoder.schema.rules).values
    return numbers


def _counted(inputs: Sequence[Input], config: Config, encoder: FeatureEncoder) -> tuple[Counter[str], int]:
    """Rows by the key of their group, and all rows."""
    counts: Counter[str] = Counter()
    rows = 0
    for chunk in chunks(inputs, config):
        keys = group_keys(chunk.batch, config.data.group, encoder.schema.rules)
        counts.update({one["values"]: one["counts"] for one in keys.drop_null().value_counts().to_pylist()})
        rows += len(chunk.batch)
    return counts, rows


def _shrunk(
    inputs: Sequence[Input],
    config: Config,
    encoder: FeatureEncoder,
    names: GroupNames,
    features: dict[int, int],
) -> Shrunk:
    digests = GroupDigests(len(names), list(features))
    for chunk in chunks(inputs, config) if len(names) else ():
        groups, _ = names.of(chunk.batch, encoder.schema.rules)
        digests.take(_read(encoder, chunk.batch, features), groups)
    return shrunk_scaling(names, digests, encoder.statistics())


def _notices(names: GroupNames, counts: Counter[str], alike: bool) -> Iterator[str]:
    """Which rows take the whole; `alike`: whether no number differs between groups."""
    by = " and ".join(repr(name) for name in names.columns)
    small = sum(count < LEAST_ROWS for count in counts.values())
    beyond = len(counts) - len(names) - small
    if alike:
        yield (
            f"no numbers differ between the groups of {by} by more than chance: they are learned as they "
            "are, and the thresholds alone are those of groups"
        )
    for count, what in (
        (small, f"with fewer than {LEAST_ROWS} rows"),
        (beyond, f"beyond the {len(names):,} largest"),
    ):
        if count:
            are = "is" if count == 1 else "are"
            yield f"{count:,} group{'s' * (count != 1)} of {by} {what} {are} judged against all rows"
    missing = names.other_rows + sum(names.rows) - sum(counts.values())
    if missing:
        are = "is" if missing == 1 else "are"
        yield f"{missing:,} row{'s' * (missing != 1)} without a value of {by} {are} judged against all rows"
