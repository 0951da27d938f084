"""What chance alone explains: against exact laws, and against draws."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from aedetect.data.chance import (
    Sampled,
    expected_rare,
    groups_chance,
    ks_chance,
    largest_ks,
    largest_outside,
    largest_psi,
    largest_share,
    outside_chance,
    share_chance,
)

CHANCE = 1e-3


@given(
    st.integers(1, 500).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows))),
    st.integers(1, 500).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows))),
)
def test_shares_are_judged_as_by_fishers_exact_test(before: tuple[int, int], now: tuple[int, int]) -> None:
    table = [[now[0], now[1] - now[0]], [before[0], before[1] - before[0]]]
    exact = fisher_exact(table, alternative="greater").pvalue
    chance = share_chance(Sampled(*before), Sampled(*now))
    if 1e-9 < exact < 1e-2:
        assert exact / 2 < chance < 5 * exact
    elif exact > 0.05:
        assert chance > 0.01


@given(st.integers(0, 200), st.integers(200, 4000), st.integers(1, 3000))
def test_the_largest_share_is_the_last_that_is_chance(hits: int, rows: int, now: int) -> None:
    before = Sampled(hits, rows)
    largest = largest_share(before, now, CHANCE)
    count = round(largest * now)
    assert count == 0 or share_chance(before, Sampled(count, now)) >= CHANCE
    assert count == now or share_chance(before, Sampled(count + 1, now)) < CHANCE


def test_a_share_of_no_rows_says_nothing() -> None:
    assert share_chance(Sampled(0, 0), Sampled(3, 5)) == 1.0
    assert share_chance(Sampled(1, 5), Sampled(0, 0)) == 1.0
    assert largest_share(Sampled(1, 5), 0, CHANCE) == 0.0


@pytest.mark.parametrize(("training", "now"), [(5, 40), (50, 20), (30, 300)])
def test_values_beyond_those_of_training_follow_their_law(training: int, now: int) -> None:
    random = np.random.default_rng(0)
    values = random.random((20_000, training + now))
    before, after = values[:, :training], values[:, training:]
    low, high = before.min(axis=1, keepdims=True), before.max(axis=1, keepdims=True)
    outside = ((after < low) | (after > high)).sum(axis=1)
    for count in np.quantile(outside, [0.3, 0.6, 0.9, 0.99]).astype(int):
        seen = (outside >= count).mean()
        assert outside_chance(training, int(count), now) == pytest.approx(seen, abs=0.02)
    largest = round(largest_outside(training, now, CHANCE) * now)
    assert largest == now or outside_chance(training, largest + 1, now) < CHANCE
    assert (outside > largest).mean() <= 3 * CHANCE


def test_one_value_of_training_has_no_range() -> None:
    assert outside_chance(1, 5, 5) == 1.0
    assert outside_chance(10, 0, 5) == 1.0


@pytest.mark.parametrize("one_sided", [False, True])
def test_the_largest_distance_is_just_as_likely_as_asked(one_sided: bool) -> None:
    largest = largest_ks(CHANCE, 400, 900, one_sided)
    assert ks_chance(largest, 400, 900, one_sided) == pytest.approx(CHANCE)


@pytest.mark.parametrize("shares", [[0.9, 0.1], [0.5, 0.3, 0.1, 0.1], [0.1] * 10])
def test_groups_of_one_source_differ_as_seldom_as_asked(shares: list[float]) -> None:
    random = np.random.default_rng(1)
    before, now = random.multinomial(200, shares, 4000), random.multinomial(60, shares, 4000)
    chances = np.array([groups_chance(*pair) for pair in zip(before, now, strict=True)])
    for level in (0.1, 0.01):
        assert (chances < level).mean() < 1.5 * level
    assert np.median(chances) == pytest.approx(0.5, abs=0.1)


def test_groups_that_are_one_do_not_differ() -> None:
    assert groups_chance(np.array([5]), np.array([9])) == 1.0
    assert groups_chance(np.array([5, 5]), np.array([0, 0])) == 1.0


def test_the_stability_index_goes_with_chi_squared() -> None:
    random = np.random.default_rng(2)
    shares = np.full(10, 0.1)
    before, now = (random.multinomial(rows, shares, 4000) / rows for rows in (2000, 1000))
    psi = ((now - before) * np.log(now / before)).sum(axis=1)
    largest = largest_psi(9, 0.01, 2000, 1000)
    assert largest is not None
    assert (psi > largest).mean() == pytest.approx(0.01, abs=0.005)
    assert largest_psi(0, 0.01, 5, 5) is None
    assert largest_psi(3, 0.01, 0, 5) is None


@pytest.mark.parametrize("least", [2, 4])
@pytest.mark.parametrize("kind", ["zipf", "alike"])
def test_rare_categories_are_to_be_expected_as_often_as_fresh_rows_have_them(kind: str, least: int) -> None:
    random = np.random.default_rng(3)
    shares = 1 / np.arange(1, 301) if kind == "zipf" else np.ones(400)
    shares = shares / shares.sum()
    beyond, gaps = [], []
    for _ in range(300):
        training = random.choice(len(shares), 1500, p=shares)
        counts = Counter(training.tolist())
        known = sorted((count for count in counts.values() if count >= least), reverse=True)
        expected = expected_rare(1500 - sum(known), known, least, 1500)
        fresh = random.choice(len(shares), 1500, p=shares)
        rare = int(sum(counts[category] < least for category in fresh.tolist()))
        gaps.append(rare / 1500 - expected.share)
        beyond.append(rare / 1500 > largest_share(expected, 1500, 0.01))
    assert abs(np.mean(gaps)) < 0.002
    assert np.mean(beyond) <= 0.03
