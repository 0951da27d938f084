"""Verdicts at thresholds: counts add up, intervals are the textbook's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from aedetect.tasks.evaluate.metrics.at_threshold import at_best_f1, at_threshold, f1_interval, share_interval
from aedetect.tasks.evaluate.metrics.ranking import ScoreTable

SCORES = np.array([5.0, 4.0, 4.0, 3.0, 2.0, 1.0])
LABELS = np.array([True, True, False, True, False, False])


def test_scores_above_the_threshold_are_flagged_and_those_at_it_are_not():
    at = at_threshold(ScoreTable.of(SCORES, LABELS), 4.0)
    assert (at.caught, at.missed, at.false_alarms, at.passed) == (1, 2, 0, 3)
    assert (at.precision, at.recall, at.f1, at.false_alarm_rate) == (1.0, 1 / 3, 0.5, 0.0)


def test_nothing_flagged_has_no_precision():
    at = at_threshold(ScoreTable.of(SCORES, LABELS), 9.0)
    assert np.isnan(at.precision)
    assert (at.recall, at.f1) == (0.0, 0.0)


# Up to 40 calls of scikit-learn for one example: no deadline.
@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1e3, 1e3), st.booleans()), min_size=1, max_size=40).filter(
        lambda rows: any(label for _, label in rows)
    )
)
def test_no_threshold_beats_the_best_f1(rows):
    scores = np.array([score for score, _ in rows])
    labels = np.array([label for _, label in rows])
    best = at_best_f1(ScoreTable.of(scores, labels))
    highest = max(f1_score(labels, scores >= score, zero_division=0) for score in scores)
    assert best.f1 == pytest.approx(highest)
    assert int((scores > best.threshold).sum()) == best.flagged


@pytest.mark.parametrize(("hits", "of"), [(0, 30), (3, 30), (30, 30), (18, 3000)])
def test_share_intervals_are_exact(hits, of):
    found = share_interval(hits, of)
    exact = binomtest(hits, of).proportion_ci(0.95, method="exact")
    assert (found.value, found.low, found.high) == pytest.approx((hits / of, exact.low, exact.high))


def test_of_no_rows_no_share_is_known():
    assert np.isnan(share_interval(0, 0).value)


def test_f1_lies_in_its_interval():
    found = f1_interval(at_threshold(ScoreTable.of(SCORES, LABELS), 3.5))
    assert found.low <= found.value <= found.high
