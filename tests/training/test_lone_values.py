"""Rows that alone keep a column from being constant."""

import numpy as np
import pandas as pd
import pytest

from aedetect import Detector
from aedetect.config import Config
from aedetect.training.lone_values import LoneValues, with_changed_constants

GAP = np.nan


def test_a_value_that_one_row_alone_has_is_met() -> None:
    matrix = np.array(
        [
            # alone, first, twice, all, gaps, too few
            [0, 9, 1, 3, 5, GAP],
            [0, 1, 1, 3, 5, 1],
            [7, 1, 0, 3, 6, GAP],
            [0, 1, 0, 3, GAP, 2],
        ],
        dtype=np.float32,
    )
    lone = LoneValues.of(matrix)
    assert lone.columns.tolist() == [0, 1, 4]
    assert lone.values.tolist() == [7, 9, 6]
    scores, beyond = lone.counted(np.array([1.0, 2.0, 3.0, 4.0]), matrix)
    assert beyond == 8
    assert scores.tolist() == [9, 2, 19, 4]


def test_where_no_row_has_such_a_value_nothing_changes() -> None:
    matrix = np.array([[0.0], [0.0], [1.0], [1.0]])
    scores = np.array([1.0, 2.0, 3.0, 4.0])
    unchanged, beyond = LoneValues.of(matrix).counted(scores, matrix)
    assert beyond is None
    assert np.array_equal(unchanged, scores)
    assert LoneValues.none().counted(scores, matrix)[1] is None


def test_each_changed_constant_counts() -> None:
    scores, beyond = with_changed_constants(np.array([1.0, 3.0]), np.array([2, 0]))
    assert (scores.tolist(), beyond) == ([13, 3], 6)


def sparse(rows: int, seed: int) -> pd.DataFrame:
    """A number, and many marks that hardly any row has."""
    generator = np.random.default_rng(seed)
    marks = (generator.random((rows, 200)) < 0.0005).astype(int)
    frame = pd.DataFrame(marks, columns=[f"mark_{index}" for index in range(200)])
    return frame.assign(size=generator.normal(size=rows).round(3))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::aedetect.errors.AedetectWarning")
def test_marks_that_hardly_any_row_has_do_not_break_the_promise() -> None:
    detector = Detector(Config.build(overrides={"threshold.alert_rate": 0.02}))
    detector.fit(sparse(800, 1))
    fresh = sparse(2000, 2)
    constant = detector.fitted.schema.names("constant")
    changed = (fresh[list(constant)] != 0).any(axis=1)
    # Far more rows than were asked for change a constant.
    assert changed.mean() > 0.04
    flagged = detector.score(fresh)["is_anomaly"]
    assert flagged.mean() < 0.035
    # Calibrated anew, the promise goes on.
    assert detector.calibrated(sparse(1000, 3)).score(fresh)["is_anomaly"].mean() < 0.035


@pytest.mark.slow
def test_one_mark_that_never_moved_is_still_beyond_all() -> None:
    frame = sparse(500, 1)[["mark_0", "size"]].assign(mark_0=0, other=range(500))
    detector = Detector()
    with pytest.warns(match="always 0"):
        detector.fit(frame)
    assert detector.fitted.beyond is None
    with pytest.warns(match="always '0' in training"):
        scored = detector.score(frame.head(20).assign(mark_0=[1] + [0] * 19))
    assert bool(scored["is_anomaly"].iloc[0])
    assert scored["anomaly_score"].iloc[0] > detector.fitted.out_of_range_score
