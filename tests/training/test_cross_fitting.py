"""Learning from all rows, and judging each by what has not learned it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aedetect import Detector
from aedetect.config import TrainingConfig
from aedetect.training.cross_fitting import CrossFit
from aedetect.training.feed import Feed, MemoryFeed
from aedetect.training.folds import Part
from aedetect.training.loop import train

CPU = torch.device("cpu")
QUICK = {
    "model.architecture": "evidence",
    "model.width": 16,
    "training.epochs": 20,
    "training.device": "cpu",
}


def numbered(rows: int) -> np.ndarray:
    """A matrix whose first column numbers its rows."""
    numbers = np.arange(rows, dtype=np.float32)
    return np.column_stack([numbers, numbers % 7]).astype(np.float32)


def fed(feed: Feed) -> np.ndarray:
    return torch.cat(list(feed.epoch(0))).numpy()


def crossed(rows: int, **training: Any) -> CrossFit:
    return CrossFit.of_matrix(numbered(rows), TrainingConfig(**training), CPU)


def noise(rows: int, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).standard_normal((rows, 4)), columns=list("abcd"))


def fitted(frame: pd.DataFrame, **training: Any) -> Detector:
    return Detector({**QUICK, **{f"training.{name}": value for name, value in training.items()}}).fit(frame)


def unscaled(detector: Detector, frame: pd.DataFrame) -> np.ndarray:
    return detector.score(frame).anomaly_score.to_numpy() * float(detector.fitted.scale)


@given(st.integers(8, 400), st.sampled_from([None, 2, 3, 7]), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_of_a_small_table_each_row_is_left_out_by_one_network(
    rows: int, folds: int | None, seed: int
) -> None:
    plan = crossed(rows, folds=folds, seed=seed)
    assert plan.networks == (folds or 3)
    assert sorted(plan.rows[:, 0]) == list(range(rows))
    assert set(plan.folds) == set(range(plan.networks))
    assert np.ptp(np.bincount(plan.folds)) <= 1
    assert len(plan.calibration) == 0
    assert sorted(fed(plan.feed)[:, 0]) == list(range(rows))
    fold_of = dict(zip(plan.rows[:, 0], plan.folds, strict=True))
    batches = fed(plan.batches)
    assert sorted(batches[:, 0]) == list(range(rows))
    for number, *learners in np.delete(batches, 1, axis=1):
        assert learners == [float(fold != fold_of[number]) for fold in range(plan.networks)]


def test_of_a_small_table_networks_stop_early_by_rows_that_they_have_not_learned() -> None:
    plan = crossed(1500)
    fold_of = dict(zip(plan.rows[:, 0], plan.folds, strict=True))
    assert len(plan.validation) == 1024
    for number, *judges in np.delete(plan.validation, 1, axis=1):
        assert judges == [float(fold == fold_of[number]) for fold in range(3)]


def test_there_are_no_more_networks_than_rows() -> None:
    assert crossed(5, folds=9).networks == 5


def test_a_seed_repeats_who_learns_from_what_and_another_does_not() -> None:
    first, again, other = crossed(50, seed=1), crossed(50, seed=1), crossed(50, seed=2)
    np.testing.assert_array_equal(first.rows, again.rows)
    np.testing.assert_array_equal(fed(first.batches), fed(again.batches))
    assert not np.array_equal(first.rows, other.rows)


@given(st.integers(30, 3000), st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_of_many_rows_those_that_calibrate_are_not_learned(rows: int, seed: int) -> None:
    plan = crossed(rows, fold_below=0, seed=seed)
    learned = set(fed(plan.batches)[:, 0])
    validation = set(plan.validation[:, 0])
    calibrating = set(plan.rows[plan.folds == 0, 0])
    assert plan.networks == 1
    assert set(plan.folds) == {0, -1}
    assert len(calibrating) == (plan.folds == 0).sum() == round(0.2 * rows)
    assert not calibrating & (learned | validation)
    assert not validation & learned
    assert set(plan.rows[plan.folds == -1, 0]) == learned | validation
    assert fed(plan.batches).shape[1] == 2


def test_of_many_rows_a_sample_is_looked_at_in_random_order() -> None:
    matrix = numbered(9500)
    feed = MemoryFeed(matrix[:9000], 256, 0, CPU)
    plan = CrossFit.of_part(
        Part(feed, matrix[9000:9200], matrix[9200:], np.zeros(len(matrix) - 9200, np.int64)), TrainingConfig()
    )
    assert (plan.folds == 0).sum() == 300
    assert (plan.folds == -1).sum() == 8192
    assert plan.batches is plan.feed is feed
    assert set(plan.rows[plan.folds == 0, 0]) == set(range(9200, 9500))
    places = np.flatnonzero(plan.folds == 0)
    assert places.mean() == pytest.approx(len(plan.rows) / 2, rel=0.15)


def test_same_seed_same_scores_and_another_seed_others() -> None:
    frame, fresh = noise(120), noise(50, seed=1)
    first, again, other = (fitted(frame, epochs=3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.fitted.calibration.scores, again.fitted.calibration.scores)
    np.testing.assert_array_equal(unscaled(first, fresh), unscaled(again, fresh))
    assert not np.array_equal(unscaled(first, fresh), unscaled(other, fresh))


@pytest.mark.parametrize(("fold_below", "calibrating", "description"), [
    (2000, 400, "cross-conformal"),
    (0, 80, "split-conformal"),
])  # fmt: skip
def test_rows_calibrate_as_if_they_had_not_been_learned(
    fold_below: int, calibrating: int, description: str
) -> None:
    frame = noise(400)
    detector = fitted(frame, fold_below=fold_below)
    calibration = detector.fitted.calibration.scores * float(detector.fitted.scale)
    assert len(calibration) == calibrating
    assert detector.fitted.training.calibration == description
    fresh = unscaled(detector, noise(2000, seed=1))
    error = 4 * fresh.std() / np.sqrt(calibrating)
    assert calibration.mean() == pytest.approx(fresh.mean(), abs=error)


def test_rows_taken_for_anomalies_do_not_vouch_for_one_another() -> None:
    frame = noise(200)
    frame.loc[:9] = 6 + 0.05 * frame.loc[:9]
    kin, normal = 6 + 0.05 * noise(20, seed=1), noise(200, seed=2)
    ratios = []
    for contamination in (0.0, "auto"):
        detector = fitted(frame, contamination=contamination)
        ratios.append(unscaled(detector, kin).mean() / unscaled(detector, normal).mean())
    assert ratios[1] > 1.5 * ratios[0]


def test_every_training_has_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines: list[float] = []

    def recorded(*given: Any, deadline: float | None = None, **named: Any) -> Any:
        assert deadline is not None
        deadlines.append(deadline)
        return train(*given, deadline=deadline, **named)

    for module in ("members", "cross_fitting", "fit_auxiliary"):
        monkeypatch.setattr(f"aedetect.training.{module}.train", recorded)
    begin = time.monotonic()
    fitted(noise(200), max_time="1h")
    # Two networks that tell anomalies, and two for other jobs.
    assert [round((deadline - begin) / 3600, 1) for deadline in deadlines] == [0.5, 0.5, 0.5, 1.0]
    assert begin < max(deadlines) <= begin + 3600 + time.monotonic() - begin
