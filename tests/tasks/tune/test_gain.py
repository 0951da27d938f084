"""Gains over the default, and how often noise passes for one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aedetect.tasks.tune.gain import BY_CHANCE, Gain


def test_the_standard_error_counts_that_parts_share_their_rows() -> None:
    gain = Gain([0.5, 0.5, 0.5, 0.5, 0.5], [0.6, 0.7, 0.5, 0.6, 0.6])
    variance = np.var([0.1, 0.2, 0.0, 0.1, 0.1], ddof=1)
    assert gain.value == pytest.approx(0.1)
    assert gain.standard_error == pytest.approx(math.sqrt(variance * (1 / 5 + 1 / 4)))
    assert gain.needed == pytest.approx(2.131847 * gain.standard_error)
    assert not gain.is_real
    assert Gain(gain.default, [one + 0.01 for one in gain.tuned]).is_real
    assert gain.in_words == "+0.100 (standard error 0.047)"


def test_parts_without_a_figure_do_not_count() -> None:
    gain = Gain([0.5, math.nan, 0.4], [0.7, 0.9, 0.5])
    assert gain.value == pytest.approx(0.15)
    assert gain.as_dict()["parts"][1] == {"default": None, "tuned": 0.9}


@pytest.mark.parametrize(
    ("default", "tuned"), [([0.5], [0.9]), ([math.nan] * 2, [0.5] * 2), ([1.0] * 3,) * 2]
)
def test_what_nothing_is_known_of_is_no_gain(default: list[float], tuned: list[float]) -> None:
    assert not Gain(default, tuned).is_real


def test_a_loss_is_no_gain() -> None:
    assert not Gain([0.5, 0.5, 0.5], [0.4, 0.4, 0.4]).is_real


def test_noise_passes_as_seldom_as_is_said() -> None:
    random = np.random.default_rng(0)
    passed = 0
    for _ in range(2000):
        shared = random.normal(size=5)
        passed += Gain(shared + random.normal(size=5), shared + random.normal(size=5)).is_real
    assert passed / 2000 < BY_CHANCE
