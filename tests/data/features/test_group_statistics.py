from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.features.feature_statistics import feature_of, statistics_of
from aedetect.data.features.group_statistics import (
    LEAST_ROWS,
    MOST_CELLS,
    MOST_GROUPS,
    GroupDigests,
    Shrunk,
    largest_groups,
    shrunk_scaling,
)
from aedetect.data.profile import NumberProfile


def shrunk(*groups: np.ndarray) -> Shrunk:  # type: ignore[type-arg]
    """Of one column, the numbers of each group; groups are called by their places."""
    values = np.concatenate(groups)
    numbers = np.repeat(np.arange(1, len(groups) + 1), [len(group) for group in groups])
    counts = Counter({f"{place:03d}": max(len(group), LEAST_ROWS) for place, group in enumerate(groups)})
    names = largest_groups(counts, ["g"], len(values), 1)
    # By size, so that the order of the groups is the one they were given in.
    order = [int(name[0]) for name in names.names]
    places = np.empty(len(groups) + 1, dtype=np.int64)
    places[np.array(order) + 1] = np.arange(1, len(groups) + 1)
    digests = GroupDigests(len(names), [0])
    digests.take(values[:, None], places[numbers])
    whole = NumberProfile()
    whole.update(values)
    result = shrunk_scaling(names, digests, statistics_of([feature_of(whole)]))
    back = [0, *places[1:].tolist()]
    scaling = result.scaling
    return Shrunk(
        type(scaling)(scaling.names, scaling.location[back], scaling.ratio[back], scaling.decimals),
        result.shrinkage,
    )


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_groups_that_differ_by_chance_alone_are_left_as_they_are(random: np.random.Generator) -> None:
    for values in (random.normal(5, 2, (8, 400)), random.poisson(3.5, (8, 400)).astype(float)):
        result = shrunk(*values)
        assert not result.scaling.relative.any()
        assert not result.shrinkage


def test_groups_far_apart_stand_for_themselves(random: np.random.Generator) -> None:
    levels = [10.0, 1000.0, 100_000.0]
    result = shrunk(*(random.normal(level, level / 20, 2000) for level in levels))
    np.testing.assert_allclose(result.scaling.location[1:, 0], levels, rtol=0.01)
    spread = result.scaling.ratio[1:, 0]
    np.testing.assert_allclose(spread / spread[0], [1, 100, 10_000], rtol=0.1)
    assert result.shrinkage[0].k < 1e-2


def test_a_small_group_is_drawn_towards_all_and_a_large_one_hardly(random: np.random.Generator) -> None:
    # Levels vary as much as the rows of a group do: k is about 1.2 rows.
    levels = random.normal(0, 1, 60)
    sizes = np.where(np.arange(60) < 30, 12, 3000)
    result = shrunk(*(random.normal(level, 1, size) for level, size in zip(levels, sizes, strict=True)))
    k = result.shrinkage[0].k
    assert 0.7 < k < 2
    location = result.scaling.location[1:, 0]
    small, large = (np.polyfit(levels[part], location[part], 1)[0] for part in (slice(30), slice(30, 60)))
    assert small == pytest.approx(12 / (12 + k), abs=0.12)
    assert large == pytest.approx(1, abs=0.02)
    # What is not known of a small group's level widens what is normal for it.
    assert result.scaling.ratio[1:31].mean() > result.scaling.ratio[31:].mean()


def test_of_one_level_groups_may_spread_differently(random: np.random.Generator) -> None:
    result = shrunk(random.normal(0, 1, 2000), random.normal(0, 5, 2000))
    assert (result.scaling.location[:, 0] == result.scaling.location[0, 0]).all()
    assert result.scaling.ratio[2, 0] / result.scaling.ratio[1, 0] == pytest.approx(5, rel=0.1)
    assert result.shrinkage[0].k == np.inf


def test_outliers_move_neither_middle_nor_spread(random: np.random.Generator) -> None:
    clean = [random.normal(level, 1, 1000) for level in (0, 50)]
    spoilt = [clean[0], np.concatenate([clean[1][:950], np.full(50, 1e6)])]
    before, after = shrunk(*clean).scaling, shrunk(*spoilt).scaling
    assert after.location[2, 0] == pytest.approx(before.location[2, 0], abs=0.2)
    widths = [scaling.ratio[2, 0] / scaling.ratio[1, 0] for scaling in (before, after)]
    assert widths[1] == pytest.approx(widths[0], rel=0.2)


def test_a_group_of_one_number_has_the_spread_of_the_others(random: np.random.Generator) -> None:
    result = shrunk(np.full(100, 7.0), random.normal(50, 2, 2000), random.normal(90, 2, 2000)).scaling
    assert result.location[1, 0] == pytest.approx(7, abs=0.01)
    assert result.ratio[1, 0] == pytest.approx(result.ratio[2, 0], rel=0.05)


def test_where_every_group_has_one_number_they_are_seen_in_the_units_of_the_whole() -> None:
    result = shrunk(np.full(50, 0.1), np.full(50, 0.3), np.full(50, 70.0)).scaling
    assert result.location[1:, 0].tolist() == [0.1, 0.3, 70.0]
    assert (result.ratio[1:] == 1).all()
    assert (result.aligned(np.array([[0.3]]), np.array([2])) == result.location[0, 0]).all()


def test_a_column_that_a_group_hardly_ever_fills_is_seen_as_in_the_whole(random: np.random.Generator) -> None:
    few = np.concatenate([random.normal(900, 1, LEAST_ROWS - 1), np.full(500, np.nan)])
    result = shrunk(few, random.normal(50, 2, 1000), random.normal(90, 2, 1000)).scaling
    assert (result.location[1, 0], result.ratio[1, 0]) == (result.location[0, 0], result.ratio[0, 0])


def test_a_group_never_seen_may_lie_wherever_others_do(random: np.random.Generator) -> None:
    levels = np.geomspace(10, 100_000, 9)
    result = shrunk(*(random.normal(level, level / 20, 2000 // rank) for rank, level in enumerate(levels, 1)))
    seen = result.scaling.aligned(levels[:, None], np.zeros(9, dtype=np.int64))
    spread = result.scaling.aligned(np.array([[11.0], [10.0]]), np.ones(2, dtype=np.int64))
    # A tenth of a group's level is two of its spreads: the level of no group is further than three off.
    assert np.abs(seen - result.scaling.location[0, 0]).max() < 1.5 * np.ptp(spread)


def test_small_groups_and_those_beyond_the_most_take_the_whole() -> None:
    counts = Counter({"a": 500, "b": LEAST_ROWS, "c": LEAST_ROWS - 1})
    names = largest_groups(counts, ["g"], 600, 3)
    assert (names.names, names.rows, names.other_rows) == ((("a",), ("b",)), (500, LEAST_ROWS), 90)
    many = Counter({f"{place:04d}": 20 for place in range(MOST_GROUPS + 5)})
    assert len(largest_groups(many, ["g"], many.total(), 1)) == MOST_GROUPS
    assert len(largest_groups(many, ["g"], many.total(), 100)) == MOST_CELLS // 100


def test_where_nearly_all_numbers_are_one_no_group_outweighs_the_others(random: np.random.Generator) -> None:
    groups = [
        np.where(random.random(300) < rare, 7.1, 0.1 * level) for rare, level in ((0.03, 1), (0, 1), (0.3, 3))
    ]
    for few in ([0.7] * 299 + [0.8], [1e-9] * 250 + [5.0] * 50):
        result = shrunk(*groups, np.array(few)).scaling
        assert np.isfinite(result.location).all()
        assert np.isfinite(result.ratio).all()


@given(
    st.lists(
        st.lists(
            st.sampled_from([0.0, 0.1, 1.0, 1e-300, 1e30, -5.0, np.nan, np.inf]), min_size=10, max_size=40
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_the_numbers_groups_have_a_place_and_a_spread(groups: list[list[float]]) -> None:
    result = shrunk(*map(np.array, groups)).scaling
    assert np.isfinite(result.location).all()
    assert (result.ratio > 0).all()
    assert np.isfinite(result.ratio).all()


def test_digests_of_parts_add_up(random: np.random.Generator) -> None:
    numbers, groups = random.normal(size=(3000, 2)), random.integers(0, 3, 3000)
    numbers[random.random(numbers.shape) < 0.1] = np.nan
    whole, total = GroupDigests(2, [0, 1]), GroupDigests(2, [0, 1])
    whole.take(numbers, groups)
    for rows in np.array_split(np.arange(3000), 5):
        part = GroupDigests(2, [0, 1])
        part.take(numbers[rows], groups[rows])
        total.add(part)
    assert (total.counts == whole.counts).all()
    for mine, others in zip(total.figures(), whole.figures(), strict=True):
        np.testing.assert_allclose(mine, others, atol=0.02)
