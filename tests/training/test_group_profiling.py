from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from support.tables import regions_frame

from aedetect.config import Config
from aedetect.io.source import TableInput
from aedetect.training.group_profiling import with_groups
from aedetect.training.profiling import TrainingProfile, profile_inputs

FRAME = regions_frame(1000, regions=4)


def grouped(frame: pd.DataFrame, *columns: str, **settings: Any) -> TrainingProfile:
    named = {name.replace("__", "."): value for name, value in settings.items()}
    config = Config.build(overrides={"data.group": list(columns), **named})
    inputs = [TableInput(pa.Table.from_pandas(frame), "t.csv")]
    return with_groups(profile_inputs(inputs, config), inputs, config)


def test_without_groups_nothing_changes() -> None:
    profile = grouped(FRAME)
    assert profile.encoder.groups is None
    assert not profile.schema.groups


def test_numbers_that_differ_between_groups_are_seen_relative_to_them() -> None:
    profile = grouped(FRAME, "region")
    encoder = profile.encoder
    assert encoder.relative_columns == {"orders", "revenue"}
    assert {column.name: column.reason.rpartition("; ")[2] for column in profile.schema.columns} == {
        "region": "tells groups apart",
        "orders": "seen relative to region",
        "revenue": "seen relative to region",
        "waiting": "numbers from 1.3 to 26",
    }
    assert profile.notices == ()
    # Each group lies where the whole does, and no value is far from it.
    matrix = encoder.transform(pa.RecordBatch.from_pandas(FRAME)).matrix
    middles = pd.DataFrame(matrix[:, :2]).groupby(FRAME["region"]).median()
    assert np.abs(middles.to_numpy()).max() < 0.2
    assert not encoder.transform(pa.RecordBatch.from_pandas(FRAME)).out_of_range.any()


@pytest.mark.parametrize(
    ("settings", "role", "reason"),
    [
        ({}, "id", "not learned"),
        ({"data__id": ["region"]}, "id", "named as id; carried through, never learned"),
        ({"data__exclude": ["region"]}, "ignored", "excluded"),
        ({"data__columns": ["orders", "revenue"]}, "ignored", "not among the columns asked for"),
        ({"data__roles": {"region": "categorical"}}, "categorical", "set by hand"),
        ({"data__columns": ["orders", "revenue", "region"]}, "categorical", "whole numbers from 100 to 103"),
    ],
)
def test_a_column_that_tells_groups_apart_is_learned_where_that_is_asked_for(
    settings: dict[str, Any], role: str, reason: str
) -> None:
    frame = FRAME.assign(region=FRAME["region"].str.slice(1).astype(int) + 100)
    profile = grouped(frame, "region", **settings)
    region = profile.schema.columns[0]
    assert (region.role, region.reason) == (role, f"{reason}; tells groups apart")
    assert profile.encoder.relative_columns == {"orders", "revenue"}
    assert ("region" in profile.encoder.owners) == (role == "categorical")
    assert "region" in [column.name for column in profile.schema.inputs]


def test_what_takes_the_whole_is_said() -> None:
    odd = FRAME.assign(region=["new", *["rare"] * 3, *[None] * 2, *FRAME["region"][6:]])
    assert grouped(odd, "region").notices == (
        "2 groups of 'region' with fewer than 10 rows are judged against all rows",
        "2 rows without a value of 'region' are judged against all rows",
    )
    alike = FRAME.assign(orders=np.random.default_rng(0).permutation(FRAME["orders"]))[["region", "orders"]]
    assert grouped(alike, "region").notices == (
        "no numbers differ between the groups of 'region' by more than chance: they are learned as they "
        "are, and the thresholds alone are those of groups",
    )


def test_of_several_columns_each_combination_is_a_group() -> None:
    frame = FRAME.assign(weekend=np.arange(len(FRAME)) % 2 == 0)
    names = grouped(frame, "region", "weekend").encoder.state.groups
    assert names is not None
    assert len(names) == 8
    assert {name[1] for name in names.names} == {"true", "false"}
    assert sum(names.rows) == len(frame)
