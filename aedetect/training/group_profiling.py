"""Further passes over the training rows of a table whose rows belong to groups: how each group's numbers lie."""

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
from aedetect.io.source import Input
from aedetect.training.profiling import TrainingProfile, chunks

_SHOWN = 5


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
    notices = (*profile.notices, *_notices(encoder, names, counts, shrunk))
    return replace(profile, encoder=encoder.grouped(shrunk.scaling, moved), notices=notices)


def _numbers_of(encoder: FeatureEncoder) -> dict[int, int]:
    """The places of the features that are numbers, with those of their columns among the numeric ones."""
    places, start = {}, 0
    for index, column in enumerate(encoder.state.numeric):
        if column.role == "numeric":
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


def _notices(
    encoder: FeatureEncoder, names: GroupNames, counts: Counter[str], shrunk: Shrunk
) -> Iterator[str]:
    """What is to be known of the groups: how many there are, and which rows take the whole."""
    by = ", ".join(repr(name) for name in names.columns)
    relative = np.flatnonzero(shrunk.scaling.relative)
    small = sum(count < LEAST_ROWS for count in counts.values())
    beyond = len(counts) - len(names) - small
    columns = _listed([encoder.owners[place] for place in relative])
    what = f"{columns} seen relative to it" if len(relative) else "no column differs between them"
    yield f"{len(names):,} group{'s' * (len(names) != 1)} of {by}: {what}"
    if small:
        one = small == 1
        yield (
            f"{small:,} group{'' if one else 's'} of {by} {'has' if one else 'have'} fewer than {LEAST_ROWS} "
            f"training rows, and {'takes' if one else 'take'} the whole"
        )
    if beyond:
        yield (
            f"of {by} the {len(names):,} largest groups are told apart; {beyond:,} more take the whole"
        )
    missing = names.other_rows + sum(names.rows) - sum(counts.values())
    if missing:
        yield f"{missing:,} training row{'s' * (missing != 1)} without a value of {by} take the whole"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"column{'s' * (len(names) != 1)} {shown}{more} {'is' if len(names) == 1 else 'are'}"
