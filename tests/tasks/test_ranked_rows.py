"""The strangest rows of a pass: the same however the input is cut, and alike ones told once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from support.tables import tiny_frame

import aedetect
from aedetect import Config
from aedetect.io.inputs import as_inputs
from aedetect.tasks.ranked_rows import TopRows
from aedetect.tasks.scored_rows import score_inputs


def strangest(model: Path, frame: pd.DataFrame, most: int, batch_rows: int, flagged_only: bool = True):
    detector = aedetect.load(model)
    settings = {"scoring.batch_rows": batch_rows, "threshold.value": 1.0}
    detector = detector.adjusted(Config.build(overrides=settings))
    kept = TopRows(most, flagged_only)
    seen = score_inputs(detector.fitted, as_inputs(frame, detector.config.data), kept.see)
    return detector.score(frame, threshold=1.0), kept.ranking(), seen


@pytest.fixture
def frame() -> pd.DataFrame:
    """100 rows, each three times, in three runs."""
    return pd.concat([tiny_frame(100, seed=2)] * 3, ignore_index=True)


@pytest.mark.parametrize("batch_rows", [7, 100, 10_000])
@pytest.mark.parametrize("most", [1, 5, 1000])
def test_they_are_those_that_score_highest(
    tiny_model: Path, frame: pd.DataFrame, most: int, batch_rows: int
) -> None:
    scored, found, seen = strangest(tiny_model, frame, most, batch_rows)
    flagged = scored[scored.is_anomaly].anomaly_score
    best = flagged.drop_duplicates().sort_values(ascending=False)[:most]
    assert [one.score for one in found] == best.tolist()
    assert [one.count for one in found] == [int((flagged == score).sum()) for score in best]
    assert [one.row for one in found] == [int((flagged == score).idxmax()) + 1 for score in best]
    for one in found:
        assert one.cells.to_pylist()[0]["temp"] == frame.temp[one.row - 1]
    assert seen.counts.anomalies == len(flagged)


def test_rows_that_are_not_flagged_count_only_if_asked_for(tiny_model: Path, frame: pd.DataFrame) -> None:
    scored, found, _ = strangest(tiny_model, frame, 1000, 50, flagged_only=False)
    assert sum(one.count for one in found) == 300
    _, found, _ = strangest(tiny_model, frame, 1000, 50)
    assert sum(one.count for one in found) == scored.is_anomaly.sum()


def test_several_inputs_are_one_pass(tiny_model: Path, frame: pd.DataFrame) -> None:
    detector = aedetect.load(tiny_model).adjusted(Config.build(overrides={"scoring.batch_rows": 100}))
    inputs = [*as_inputs(frame, detector.config.data), *as_inputs(frame.tail(5), detector.config.data)]
    seen: list[tuple[int, int]] = []
    passed = score_inputs(detector.fitted, inputs, lambda one: seen.append((one.first, len(one.rows))))
    assert passed.counts.rows == 305
    assert seen == [(1, 100), (101, 100), (201, 100), (1, 5)]
