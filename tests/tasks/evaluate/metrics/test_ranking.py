"""Ranking figures against scikit-learn's, and what their intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from aedetect.tasks.evaluate.metrics import ranking
from aedetect.tasks.evaluate.metrics.ranking import ScoreTable, auroc, average_precision, with_interval

ROWS = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


@given(ROWS)
def test_figures_are_those_of_scikit_learn(rows):
    """With many ties, too."""
    scores = np.array([score for score, _ in rows], dtype=float)
    labels = np.array([label for _, label in rows])
    table = ScoreTable.of(scores, labels)
    assert auroc(table.anomalies, table.normal) == pytest.approx(roc_auc_score(labels, scores))
    assert average_precision(table.anomalies, table.normal) == pytest.approx(
        average_precision_score(labels, scores)
    )


def test_counts_come_by_falling_score():
    table = ScoreTable.of(np.array([1.0, 3.0, 3.0, -2.0]), np.array([False, True, False, True]))
    assert table.scores.tolist() == [3.0, 1.0, -2.0]
    assert (table.anomalies.tolist(), table.normal.tolist()) == ([1, 0, 1], [1, 1, 0])


def test_scores_must_be_finite():
    with pytest.raises(ValueError, match="^scores must be finite$"):
        ScoreTable.of(np.array([1.0, np.nan]), np.array([True, False]))


def test_one_kind_of_rows_has_no_ranking():
    table = ScoreTable.of(np.array([1.0, 2.0]), np.array([False, False]))
    assert not table.has_both
    assert np.isnan(auroc(table.anomalies, table.normal))
    assert np.isnan(average_precision(table.anomalies, table.normal))


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Of scores N(1, 1) and N(0, 1) the AUROC is Φ(1/√2) = 0.7602."""
    random = np.random.default_rng(0)
    held = 0
    for _ in range(100):
        labels = np.arange(200) < 60
        found = with_interval(auroc, ScoreTable.of(random.normal(size=200) + labels, labels), draws=300)
        assert found.low <= found.value <= found.high
        held += found.low <= 0.7602 <= found.high
    assert 88 <= held <= 100


def test_intervals_of_long_tables_rest_on_groups(monkeypatch):
    random = np.random.default_rng(0)
    labels = random.random(5000) < 0.02
    table = ScoreTable.of(random.normal(size=5000) + 2 * labels, labels)
    full = with_interval(average_precision, table, draws=400)
    monkeypatch.setattr(ranking, "_MOST_GROUPS", 1000)
    coarse = with_interval(average_precision, table, draws=400)
    assert coarse.value == full.value
    assert (coarse.low, coarse.high) == pytest.approx((full.low, full.high), abs=0.04)
