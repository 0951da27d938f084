"""How far flagged rows are more frequent inside, and how seldom by chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from aedetect.tasks.explain.segments import contrast


@given(st.integers(1, 300), st.integers(1, 4000), st.floats(0, 1), st.floats(0, 1))
def test_the_chance_is_that_of_fishers_exact_test(hits: int, others: int, part: float, rest: float) -> None:
    inside, around = round(part * hits), round(rest * others)
    expected = hypergeom.sf(inside - 1, hits + others, hits, inside + around)
    assert contrast.chance(inside, around, hits, others) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_parts_of_events_are_counted_down() -> None:
    assert contrast.chance(2.9, 5, 9.9, 1000) == contrast.chance(2, 5, 9, 1000)


def test_the_likelihood_ratio_is_that_of_two_rates_against_one() -> None:
    inside = 2 * (8 * np.log(8 / 1) + 2 * np.log(2 / 9) + 2 * np.log(2 / 9) + 88 * np.log(88 / 81))
    ratio = contrast.likelihood_ratio(np.array([8.0, 1.0, 0.0]), np.array([2.0, 9.0, 10.0]), 10, 90)
    assert ratio.tolist() == pytest.approx([inside, 0, 0])


@pytest.mark.parametrize(
    ("hits", "others", "stands_out"),
    [(30, 70, True), (10, 90, False), (19, 81, False), (99, 900, False)],
    ids=["three times as often", "as often as all", "less than three times", "all rows but one"],
)
def test_rows_stand_out_that_are_flagged_far_more_often(hits: int, others: int, stands_out: bool) -> None:
    assert bool(contrast.stands_out(np.array(hits), np.array(others), 100, 900)) is stands_out
