"""Which rows are looked at more closely, and how much that counts."""

from __future__ import annotations

import numpy as np
import torch

from aedetect.models.evaluation.closer_look import looked_closer, share_between, where_counted

GATE = np.array([2.0, 4.0], np.float32)


def test_scores_have_no_step_at_the_gate() -> None:
    surprise = np.linspace(0, 6, 6001, dtype=np.float32)
    scores = looked_closer(surprise, np.full_like(surprise, 9.0), share_between(surprise, GATE), 5)
    assert np.abs(np.diff(scores)).max() < 0.02
    np.testing.assert_allclose(scores[:2001], 1.2 * surprise[:2001], rtol=1e-6)
    np.testing.assert_allclose(scores[4000:], surprise[4000:] + 9, rtol=1e-6)


def test_a_gate_without_width_is_no_step_either() -> None:
    shares = share_between(np.array([2.0, np.nextafter(np.float32(2), 3)], np.float32), GATE[[0, 0]])
    assert shares[0] == 0
    assert shares[1] < 1e-4


def test_work_is_done_for_rows_that_count_alone() -> None:
    worked = []

    def work(values: np.ndarray) -> np.ndarray:
        worked.append(len(values))
        return 2 * values

    values, share = np.arange(200, dtype=np.float32)[:, None], np.zeros(200, np.float32)
    share[[3, 70, 199]] = 0.5
    results = where_counted(work, share, values)
    assert worked == [64]
    assert np.flatnonzero(results).tolist() == [3, 70, 199]
    assert results[70] == 140


def test_where_none_counts_nothing_comes_out() -> None:
    results = where_counted(lambda values: values + 1, np.zeros(5, np.float32), np.ones((5, 3), np.float32))
    assert np.array_equal(results, np.zeros((5, 3)))


def test_tensors_are_worked_on_as_a_whole() -> None:
    values = torch.ones(5, 3)
    assert where_counted(lambda those: those, torch.zeros(5), values) is values
