from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.profiles import profile, schema_of

from aedetect.data.cells import CellRules
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.feature_statistics import feature_of
from aedetect.data.features.groups import GroupNames, GroupScaling, group_keys
from aedetect.data.profile import NumberProfile

RULES = CellRules()
NAMES = GroupNames(columns=("site",), names=(("north",), ("7",)), rows=(20, 10), other_rows=1)
# Two numbers, of which the first alone is relative.
SCALING = GroupScaling(
    NAMES,
    np.array([[5.0, 1.0], [100.0, 1.0], [-3.0, 1.0]]),
    np.array([[20.0, 1.0], [4.0, 1.0], [0.25, 1.0]]),
    np.array([2, -1]),
)


def batch(**columns: list[Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def test_a_row_is_of_a_known_group_or_of_the_whole() -> None:
    numbers, unseen = NAMES.of(batch(site=["7", None, "west", "north", "west", ""]), RULES)
    assert numbers.tolist() == [2, 0, 0, 1, 0, 0]
    assert unseen == Counter({"west": 2})


@pytest.mark.parametrize("sevens", [[7, 8], [7.0, 8.0], ["7", "8"], ["7.0", "8"]])
def test_a_number_names_its_group_in_whatever_way_a_file_has_it(sevens: list[Any]) -> None:
    assert NAMES.of(batch(site=sevens), RULES)[0].tolist() == [2, 0]


def test_of_several_columns_the_combination_is_the_group_and_a_gap_in_one_is_none() -> None:
    names = GroupNames(columns=("a", "b"), names=(("x", "true"), ("x", "false")), rows=(9, 9))
    rows = batch(a=["x", "x", "y", None], b=[True, False, True, True])
    assert names.of(rows, RULES) == (pytest.approx([1, 2, 0, 0]), Counter({"y, true": 1}))
    spelled = batch(a=["x"], b=["TRUE"])
    assert names.of(spelled, RULES)[0].tolist() == [1]
    assert (names.label(1), names.label(0)) == ("x, true", "the whole")
    # Values are not run together: 'a' and 'bc' are no other 'ab' and 'c'.
    assert len(set(group_keys(batch(a=["a", "ab"], b=["bc", "c"]), ["a", "b"], RULES).to_pylist())) == 2


@given(
    st.lists(
        st.tuples(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), st.integers(0, 2)), min_size=1, max_size=20
    )
)
def test_numbers_come_back_and_those_that_are_not_relative_stay_to_the_bit(
    rows: list[tuple[float, float, int]],
) -> None:
    numbers, groups = np.array([row[:2] for row in rows]), np.array([row[2] for row in rows])
    aligned = SCALING.aligned(numbers, groups)
    np.testing.assert_allclose(SCALING.original(aligned, groups), numbers, rtol=1e-9, atol=1e-2)
    np.testing.assert_array_equal(aligned[:, 1], numbers[:, 1])


def test_gaps_stay_gaps_and_infinite_numbers_infinite() -> None:
    numbers = np.array([[np.nan, np.nan], [np.inf, 0.0], [-np.inf, 1.0]])
    aligned = SCALING.aligned(numbers, np.array([1, 2, 1]))
    np.testing.assert_array_equal(aligned, numbers)


def encoder() -> FeatureEncoder:
    """Of numbers about 100 in one site and about -3 in another, in steps of a hundredth."""
    random = np.random.default_rng(0)
    sites = np.repeat(["north", "7"], 200)
    x = np.where(sites == "north", random.normal(100, 4, 400), random.normal(-3, 0.25, 400)).round(2)
    columns = {"x": x.tolist(), "y": random.normal(1, 1, 400).tolist(), "site": sites.tolist()}
    profiles = {name: profile(values, is_text=False) for name, values in columns.items()}
    raw = FeatureEncoder.fit(schema_of(profiles), profiles, max_categories=10)
    seen = NumberProfile()
    seen.update(SCALING.aligned(np.stack([x, x], axis=1), np.repeat([1, 2], 200))[:, 0])
    return raw.grouped(SCALING, {0: feature_of(seen)}, raw.schema)


def test_inside_a_group_rows_are_encoded_as_they_are_among_all() -> None:
    grouped = encoder()
    rows = batch(x=[104.0, 96.0, None, 1e9], y=[1.0, 2.0, 3.0, None], site=["north"] * 4)
    among, alone = grouped.transform(rows), grouped.inside(1).transform(rows)
    np.testing.assert_allclose(among.matrix, alone.matrix, rtol=1e-5)
    np.testing.assert_array_equal(among.out_of_range, alone.out_of_range)
    assert among.groups.tolist() == [1] * 4
    np.testing.assert_allclose(
        grouped.inside(1).inverse_transform(among.matrix)["x"].to_numpy(zero_copy_only=False),
        [104.0, 96.0, np.nan, 1e9],
        rtol=1e-5,
    )
    # As far off in its own group, a number of the other site is encoded alike.
    other = grouped.transform(batch(x=[-2.75], y=[1.0], site=[7]))
    assert other.matrix[0, 0] == pytest.approx(among.matrix[0, 0], rel=1e-6)


def test_extremes_inside_a_group_have_the_decimals_of_its_numbers() -> None:
    quantiles = encoder().inside(2).quantiles[0]
    np.testing.assert_array_equal(quantiles, quantiles.round(2))
    assert -4.5 < quantiles[0] < -3 < quantiles[-1] < -1.5


def test_the_group_of_encoded_rows_is_told_from_their_categories() -> None:
    grouped = encoder()
    rows = batch(x=[1.0, 2.0, 3.0], y=[1.0, 2.0, 3.0], site=["7", "north", "elsewhere"])
    groups = grouped.groups_in(grouped.transform(rows).matrix)
    assert groups is not None
    assert groups.tolist() == [2, 1, 0]


def test_what_a_file_says_of_groups_must_fit_them() -> None:
    for location, ratio in (
        (SCALING.location[:2], SCALING.ratio[:2]),
        (SCALING.location, -SCALING.ratio),
        (SCALING.location, SCALING.ratio * np.nan),
    ):
        with pytest.raises(ValueError, match="does not fit them"):
            GroupScaling(NAMES, location, ratio, SCALING.decimals)
    narrow = GroupScaling(NAMES, SCALING.location[:, :1], SCALING.ratio[:, :1], SCALING.decimals[:1])
    grouped = encoder()
    with pytest.raises(ValueError, match="does not fit its columns"):
        FeatureEncoder(grouped.schema, grouped.state, grouped.statistics(), narrow)
