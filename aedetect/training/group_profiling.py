"""Further passes over the training rows of a table whose rows belong to groups: how their numbers lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from aedetect.config import Config
from aedetect.data.arrays import Floats, Integers
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.feature_statistics import feature_of
from aedetect.data.features.group_statistics import (
    LEAST_ROWS,
    GroupDigests,
    Shrunk,
    largest_groups,
    shrunk_scaling,
)
from aedetect.data.features.groups import GroupNames, GroupScaling, group_keys
from aedetect.data.labels import label_reader
from aedetect.data.profile import NumberProfile
from aedetect.data.schema import Schema
from aedetect.engine.cluster import Here, Workers
from aedetect.io.source import Input
from aedetect.training.passes import Part, Passes, chunks_of
from aedetect.training.profiling import TrainingProfile


def with_groups(
    profile: TrainingProfile, inputs: Sequence[Input], config: Config, workers: Workers | None = None
) -> TrainingProfile:
    """The profile with an encoder that sees numbers relative to the group of their row.

    Three passes, by `workers` or in this process: rows are counted by group, each group's numbers gathered in
    digests, and the numbers, moved, profiled anew. As it is where no group is asked for.
    """
    if not config.data.group:
        return profile
    encoder = profile.encoder
    features = _numbers_of(encoder)
    passes = Passes(inputs, workers or Here())
    counts, rows = _counted(passes, config, encoder)
    names = largest_groups(counts, config.data.group, rows, len(features))
    numbers = _Numbers(config, encoder, names, features)
    shrunk = _shrunk(passes, numbers)
    ranges = {feature: NumberProfile() for feature in np.flatnonzero(shrunk.scaling.relative).tolist()}
    for of_part in passes.map(_Ranging(numbers, shrunk.scaling)) if ranges else ():
        for feature, seen in ranges.items():
            seen.add(of_part[feature])
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


def _counted(passes: Passes, config: Config, encoder: FeatureEncoder) -> tuple[Counter[str], int]:
    """Rows by the key of their group, and all rows."""
    counts: Counter[str] = Counter()
    rows = 0
    for counted, of_part in passes.map(_Counting(config, encoder)):
        counts.update(counted)
        rows += of_part
    return counts, rows


def _shrunk(passes: Passes, numbers: _Numbers) -> Shrunk:
    digests = GroupDigests(len(numbers.names), list(numbers.features))
    for of_part in passes.map(_Digesting(numbers)) if len(numbers.names) else ():
        digests.add(of_part)
    return shrunk_scaling(numbers.names, digests, numbers.encoder.statistics())


@dataclass(frozen=True)
class _Counting:
    """Counts the rows of a part by the key of their group, and all."""

    config: Config
    encoder: FeatureEncoder

    def __call__(self, part: Part) -> tuple[Counter[str], int]:
        counts: Counter[str] = Counter()
        rows = 0
        rules = self.encoder.schema.rules
        for chunk in chunks_of(part, self.config, label_reader(self.config.data)):
            keys = group_keys(chunk.batch, self.config.data.group, rules).drop_null()
            counts.update({one["values"]: one["counts"] for one in keys.value_counts().to_pylist()})
            rows += len(chunk.batch)
        return counts, rows


@dataclass(frozen=True)
class _Numbers:
    """Reads the numbers of a part, and the groups of its rows. `features`: as of `_numbers_of`."""

    config: Config
    encoder: FeatureEncoder
    names: GroupNames
    features: dict[int, int]

    def of(self, part: Part) -> Iterator[tuple[Floats, Integers]]:
        """Numbers [rows, numeric features] and groups [rows], batch by batch."""
        for chunk in chunks_of(part, self.config, label_reader(self.config.data)):
            groups, _ = self.names.of(chunk.batch, self.encoder.schema.rules)
            yield _read(self.encoder, chunk.batch, self.features), groups


@dataclass(frozen=True)
class _Digesting:
    """Gathers the numbers of each group in a part."""

    numbers: _Numbers

    def __call__(self, part: Part) -> GroupDigests:
        digests = GroupDigests(len(self.numbers.names), list(self.numbers.features))
        for numbers, groups in self.numbers.of(part):
            digests.take(numbers, groups)
        return digests


@dataclass(frozen=True)
class _Ranging:
    """Profiles the numbers in a part, relative to their groups, of those features that are."""

    numbers: _Numbers
    scaling: GroupScaling

    def __call__(self, part: Part) -> dict[int, NumberProfile]:
        ranges = {feature: NumberProfile() for feature in np.flatnonzero(self.scaling.relative).tolist()}
        for numbers, groups in self.numbers.of(part):
            aligned = self.scaling.aligned(numbers, groups)
            for feature, seen in ranges.items():
                seen.update(aligned[:, feature])
        return ranges


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
