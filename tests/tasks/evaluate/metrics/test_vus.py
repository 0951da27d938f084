"""VUS-PR against figures of the published implementation, and what it should reward."""

from __future__ import annotations

import numpy as np
import pytest

from aedetect.tasks.evaluate.metrics.vus import benchmark_tolerance, vus_pr

# Seed, steps, window, and the figure that the benchmark's own code gives for the series below.
PUBLISHED = [
    (1, 300, 20, 0.6011773398163002),
    (2, 500, 0, 0.37787852839569125),
    (3, 400, 35, 0.6416639893468588),
    (4, 251, 50, 0.8141432838519045),
    (5, 1000, 100, 0.3984742165435752),
]


@pytest.mark.parametrize(("seed", "steps", "window", "figure"), PUBLISHED)
def test_figures_are_the_published_implementations(seed, steps, window, figure):
    random = np.random.default_rng(seed)
    labels = np.zeros(steps, bool)
    for start in random.integers(0, steps, 4):
        labels[start : start + int(random.integers(2, 25))] = True
    scores = random.normal(size=steps) + 1.5 * labels
    if seed == 3:
        scores = np.round(scores, 1)
    assert vus_pr(scores, labels, window) == pytest.approx(figure, abs=1e-9)


def test_a_near_miss_is_worth_more_than_a_far_one():
    labels = np.zeros(500, bool)
    labels[200:220] = True
    scores = [np.exp(-(((np.arange(500) - middle) / 10) ** 2)) for middle in (210, 225, 300)]
    exact, near, far = (vus_pr(values, labels, 40) for values in scores)
    assert exact > near > far


@pytest.mark.parametrize("length", [24, 60, 125])
def test_the_period_of_a_noisy_wave_is_found(length):
    steps = np.arange(3000)
    noise = 0.1 * np.random.default_rng(length).normal(size=3000)
    assert benchmark_tolerance(np.sin(2 * np.pi * steps / length) + noise) == pytest.approx(length, abs=2)


def test_without_a_period_it_is_the_usual_one():
    assert benchmark_tolerance(np.ones(100)) == 125
    assert benchmark_tolerance(np.arange(1000.0)) == 125


def test_series_without_events_or_scores_are_refused():
    with pytest.raises(ValueError, match="^there is no labelled event$"):
        vus_pr(np.ones(5), np.zeros(5, bool), 2)
    with pytest.raises(ValueError, match="^scores must be finite$"):
        vus_pr(np.array([1.0, np.inf]), np.array([True, False]), 2)
