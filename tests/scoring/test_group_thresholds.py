from __future__ import annotations

import numpy as np
import pytest

from aedetect.config import ThresholdConfig
from aedetect.data.features.groups import GroupNames
from aedetect.scoring.calibration import Calibration
from aedetect.scoring.group_thresholds import GroupCalibration, GroupThresholds

NAMES = GroupNames(columns=("g",), names=(("wild",), ("calm",), ("few",)), rows=(5000, 5000, 60))


def thresholds(rate: float = 0.01, value: float | None = None, seed: int = 0) -> GroupThresholds:
    """One group whose scores are three times those of the others, and one of 50 calibration rows."""
    random = np.random.default_rng(seed)
    scores = [3 * random.exponential(size=1000), random.exponential(size=1000), random.exponential(size=50)]
    groups = GroupCalibration(NAMES, tuple(map(np.sort, scores)))
    pooled = Calibration(np.sort(np.concatenate(scores)))
    settings = ThresholdConfig(alert_rate=rate, value=value)
    return GroupThresholds(settings, pooled, groups, value if value is not None else pooled.threshold(rate))


def test_each_group_has_its_own_threshold_where_its_rows_can_tell() -> None:
    by_group = thresholds()
    assert [one.kind for one in by_group.listed()] == ["own", "own", "pooled"]
    assert by_group.values[0] == by_group.values[3] == by_group.pooled
    assert by_group.values[1] == pytest.approx(3 * by_group.values[2], rel=0.3)
    assert [one.kind for one in thresholds(rate=0.1).listed()] == ["own"] * 3
    assert [one.kind for one in thresholds(rate=0.0001).listed()] == ["pooled"] * 3


def test_it_takes_as_many_rows_as_the_rate_has_parts() -> None:
    for rows, kind in ((98, "pooled"), (99, "own")):
        part = np.sort(np.random.default_rng(0).exponential(size=rows))
        groups = GroupCalibration(GroupNames(columns=("g",), names=(("a",),), rows=(rows,)), (part,))
        by_group = GroupThresholds(ThresholdConfig(alert_rate=0.01), Calibration(part), groups, 4.0)
        assert by_group.kind(1) == kind


def test_the_promise_is_kept_in_every_group_and_not_in_all_together_alone() -> None:
    shares, pooled_shares = [], []
    for seed in range(40):
        by_group = thresholds(0.05, seed=seed)
        fresh = 3 * np.random.default_rng(1000 + seed).exponential(size=2000)
        shares.append((fresh > by_group.values[1]).mean())
        pooled_shares.append((fresh > by_group.pooled).mean())
    assert np.mean(shares) == pytest.approx(0.05, abs=0.005)
    assert np.mean(pooled_shares) > 0.08


@pytest.mark.parametrize("rate", [0.1, 0.01])
def test_a_row_is_flagged_just_where_its_p_value_is_at_most_the_rate(rate: float) -> None:
    by_group = thresholds(rate)
    scores = np.random.default_rng(5).exponential(3, 4000)
    groups = np.arange(4000) % 4
    p_values = by_group.p_values(scores, groups)
    np.testing.assert_array_equal(scores > by_group.values[groups], p_values <= rate)
    alone = np.concatenate(
        [by_group.p_values(scores[part], groups[part]) for part in (slice(7), slice(7, None))]
    )
    np.testing.assert_array_equal(p_values, alone)
    assert np.isnan(by_group.p_values(np.array([np.nan]), np.array([1]))).all()


def test_a_threshold_by_hand_is_that_of_all() -> None:
    by_hand = thresholds(value=2.5)
    assert (by_hand.values == 2.5).all()
    assert {one.kind for one in by_hand.listed()} == {"by hand"}
    assert (by_hand.in_words, by_hand.promise) == ("2.5", "")


def test_in_words() -> None:
    assert thresholds(0.1).promise == "in each of 3 groups"
    assert thresholds(0.01).promise == (
        "in each of 2 of 3 groups, and in all others together, which have fewer than 99 calibration rows"
    )


def test_a_calibration_that_does_not_fit_its_groups_is_refused() -> None:
    tensors = thresholds().groups.tensors()
    whole = GroupCalibration.of_tensors(NAMES, tensors)
    assert whole is not None
    assert [len(part) for part in whole.parts] == [1000, 1000, 50]
    assert GroupCalibration.of_tensors(None, tensors) is None
    for changed in (
        {"groups.sizes": np.array([1000, 1000])},
        {"groups.sizes": np.array([1000, 1000, 49])},
        {"groups.scores": tensors["groups.scores"][::-1]},
    ):
        with pytest.raises(ValueError, match="calibration"):
            GroupCalibration.of_tensors(NAMES, tensors | changed)
