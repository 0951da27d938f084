"""From scores of normal rows to thresholds and p-values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.scoring.calibration import Calibration

finite = st.floats(-1e12, 1e12, allow_subnormal=False)
samples = st.lists(finite | st.sampled_from([0.0, 1.0]), min_size=1, max_size=60)
rates = st.floats(1e-9, 0.999)


def calibration(values: list[float]) -> Calibration:
    return Calibration(np.sort(np.array(values, dtype=np.float64)))


@given(samples, st.lists(finite, min_size=2, max_size=20))
def test_p_values_lie_in_0_to_1_and_fall_with_the_score(values: list[float], scores: list[float]) -> None:
    p = calibration(values).p_values(np.sort(np.array(scores)))
    assert ((p > 0) & (p <= 1)).all()
    assert (np.diff(p) <= 0).all()


@given(samples, st.lists(rates, min_size=2, max_size=10))
def test_thresholds_rise_as_the_rate_falls(values: list[float], asked: list[float]) -> None:
    thresholds = [calibration(values).threshold(rate) for rate in sorted(asked)]
    assert np.isfinite(thresholds).all()
    assert (np.diff(thresholds) <= 0).all()


@given(samples, st.floats(0.001, 0.999), st.data())
def test_a_score_exceeds_the_threshold_of_r_if_and_only_if_its_p_value_is_at_most_r(
    values: list[float], rate: float, data: st.DataObject
) -> None:
    found = calibration(values)
    limit = found.threshold(rate)
    spread = max(abs(limit), 1.0)
    score = data.draw(
        st.sampled_from([*values, limit - 0.01 * spread, limit + 0.01 * spread, limit + 9 * spread])
    )
    # On the tail, threshold and p-value are inverse to each other only up to rounding.
    if rate >= found.smallest_rate or abs(score - limit) > 1e-6 * spread:
        assert (score > limit) == (found.p_values(np.array([score]))[0] <= rate * (1 + 1e-9))


def test_p_values_count_the_rows_at_least_as_strange() -> None:
    p = calibration([1, 2, 2, 3]).p_values(np.array([0.0, 1.0, 2.0, 2.5, 3.0]))
    assert p.tolist() == [1.0, 1.0, 0.8, 0.4, 0.4]


@given(samples)
def test_the_tail_begins_where_the_rows_end(values: list[float]) -> None:
    found = calibration(values)
    beyond = found.p_values(np.array([np.nextafter(found.scores[-1], np.inf)]))[0]
    assert beyond == pytest.approx(found.smallest_rate, rel=1e-3)


@pytest.mark.parametrize("values", [[1.0], [1.0] * 20, [0.0], [1.0, 2.0], list(np.linspace(0, 1, 500))])
def test_extremes_differ(values: list[float]) -> None:
    found = calibration(values)
    scores = found.scores[-1] + np.array([0.0, 1.0, 2.0, 10.0, 1e3, 1e6])
    assert (np.diff(found.p_values(scores)) < 0).all()


@pytest.mark.parametrize("score", [1e300, np.finfo(np.float64).max, np.inf])
def test_no_score_is_too_large_for_a_p_value(score: float) -> None:
    assert 0 < calibration(list(np.linspace(0, 1, 50))).p_values(np.array([score]))[0] < 1e-9


def test_an_unscorable_row_has_no_p_value() -> None:
    assert np.isnan(calibration([1, 2, 3]).p_values(np.array([np.nan, 2.0]))).tolist() == [True, False]


@pytest.mark.parametrize("values", [[], [np.nan], [1.0, np.inf]])
def test_calibration_needs_finite_scores(values: list[float]) -> None:
    with pytest.raises(ValueError, match="calibration needs finite scores"):
        Calibration(np.array(values))


@pytest.mark.parametrize("rate", [0.1, 0.01, 0.001])
@pytest.mark.parametrize("kind", ["exponential", "lognormal", "normal"])
def test_fresh_normal_rows_are_flagged_at_the_rate_asked_for(rate: float, kind: str) -> None:
    random = np.random.default_rng(7)
    flagged = []
    for _ in range(100):
        found = Calibration(np.sort(getattr(random, kind)(size=400)))
        flagged.append((getattr(random, kind)(size=4000) > found.threshold(rate)).mean())
    # On average the rate, and where it rests on a fitted tail, its order of magnitude.
    slack = 1.25 if rate >= found.smallest_rate else 4
    assert rate / slack < np.mean(flagged) < rate * slack


@pytest.mark.parametrize(("rows", "rate"), [(1, 0.5), (99, 0.01), (999, 0.001)])
def test_the_smallest_rate_that_rests_on_rows(rows: int, rate: float) -> None:
    assert calibration(list(range(rows))).smallest_rate == rate
