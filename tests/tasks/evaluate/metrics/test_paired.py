"""Tests of one detector against another on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, roc_auc_score

from aedetect.tasks.evaluate.metrics.paired import auroc_difference, mcnemar, precision_difference


def rows(better: float, seed: int = 0, size: int = 400):
    random = np.random.default_rng(seed)
    labels = np.arange(size) < size // 5
    shared = random.normal(size=size)
    first = shared + 0.5 * random.normal(size=size) + labels
    return first, shared + 0.5 * random.normal(size=size) + (1 + better) * labels, labels


def test_differences_are_those_of_scikit_learn():
    first, second, labels = rows(1.0)
    found = auroc_difference(first, second, labels)
    assert found.value == pytest.approx(roc_auc_score(labels, second) - roc_auc_score(labels, first))
    found = precision_difference(first, second, labels, draws=50)
    assert found.value == pytest.approx(
        average_precision_score(labels, second) - average_precision_score(labels, first)
    )


@pytest.mark.parametrize("test", [auroc_difference, precision_difference])
def test_a_real_difference_is_told_from_none(test):
    found = test(*rows(2.0))
    assert found.low > 0
    assert found.p_value < 0.02
    first, _, labels = rows(0.0)
    same = test(first, first, labels)
    assert (same.value, same.p_value) == (0.0, 1.0)


def test_without_a_difference_small_p_values_are_rare():
    small = sum(auroc_difference(*rows(0.0, seed)).p_value < 0.05 for seed in range(200))
    assert 2 <= small <= 20


@pytest.mark.parametrize("test", [auroc_difference, precision_difference])
def test_one_kind_of_rows_tells_nothing(test):
    assert np.isnan(test(np.arange(3.0), np.arange(3.0), np.ones(3, bool)).value)


def test_mcnemar_is_exact():
    labels = np.zeros(20, bool)
    first, second = np.arange(20) < 9, np.arange(20) < 2
    assert mcnemar(first, second, labels) == (0, 7, pytest.approx(binomtest(0, 7).pvalue))
    assert mcnemar(first, first, labels) == (0, 0, 1.0)
