"""Runs of marked steps."""

from __future__ import annotations

import numpy as np

from aedetect.data.series.order import places_in_runs, runs


def test_runs_begin_and_end_where_marks_do() -> None:
    marked = np.array([True, True, False, False, True, False, True])
    assert runs(marked).tolist() == [[0, 2], [4, 5], [6, 7]]
    assert places_in_runs(marked).tolist() == [1, 2, 0, 0, 1, 0, 1]
    assert runs(np.zeros(3, dtype=np.bool_)).tolist() == []
    assert runs(np.zeros(0, dtype=np.bool_)).tolist() == []
