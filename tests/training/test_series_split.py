"""Which steps of time series a network learns from, and which calibrate it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.errors import DataError
from aedetect.training.series_split import (
    TrainingSegments,
    is_folded,
    single_time_split,
    time_splits,
    whole,
)

WINDOW = 6


def segments(*lengths: int, window: int = WINDOW) -> TrainingSegments:
    values = [np.random.default_rng(length).random((length, 2), dtype=np.float32) for length in lengths]
    return TrainingSegments.of(values, window, "in.csv")


def covered(found: TrainingSegments, starts: np.ndarray) -> set[int]:
    return {step for start in starts.tolist() for step in range(start, start + found.window)}


def test_no_window_spans_two_segments() -> None:
    assert segments(8, 3, 7).window_starts().tolist() == [0, 1, 2, 11, 12]


def test_windows_without_marked_steps() -> None:
    found = segments(20)
    marked = np.zeros(20, dtype=np.bool_)
    marked[8] = True
    assert found.window_starts(marked).tolist() == [0, 1, 2, *range(9, 15)]


@given(st.lists(st.integers(7, 60), min_size=1, max_size=4), st.integers(2, 5))
def test_folds_calibrate_every_step_once_and_learn_none_of_theirs(lengths: list[int], folds: int) -> None:
    found = segments(300, *lengths)
    splits = time_splits(found, folds)
    assert np.sum([split.calibration for split in splits], axis=0).tolist() == [1] * len(found.steps)
    for split in splits:
        assert not covered(found, split.learned) & set(np.flatnonzero(split.calibration).tolist())
        assert set(split.validation.tolist()) <= set(found.window_starts().tolist())


@pytest.mark.parametrize("total", [200, 5_000, 2_000_000])
def test_one_network_is_calibrated_on_spans_spread_evenly(total: int) -> None:
    (split,) = single_time_split(segments(total))
    share = min(0.2, 100_000 / total)
    assert split.calibration.sum() == pytest.approx(share * total, rel=0.1)
    ends = np.flatnonzero(np.diff(np.r_[split.calibration, False].astype(int)) == -1)
    assert np.ptp(np.diff(ends)) <= 1
    assert len(split.validation) <= 256


def test_validation_windows_lie_around_the_calibration_set() -> None:
    found = segments(300)
    for split in time_splits(found, 3):
        assert split.calibration[split.validation + WINDOW // 2].all()


def test_the_whole_learns_all_windows_and_calibrates_nothing() -> None:
    found = segments(30, 20)
    split = whole(found, 5)
    assert split.index == 5
    assert split.learned.tolist() == found.window_starts().tolist() == split.validation.tolist()
    assert not split.calibration.any()


@pytest.mark.parametrize(
    ("steps", "trained", "folded"),
    [(299, True, True), (300, True, False), (1499, False, True), (1500, False, False)],
)
def test_short_series_are_folded_those_that_train_quickly_sooner(
    steps: int, trained: bool, folded: bool
) -> None:
    assert is_folded(segments(steps), trained) is folded


def test_folds_that_leave_nothing_to_learn_are_left_out() -> None:
    # Of two folds of 15 steps, one segment lies wholly in the first.
    splits = time_splits(segments(11, 4), 3)
    assert [split.index for split in splits] == [2]


@pytest.mark.parametrize(
    ("lengths", "window", "said"),
    [
        (
            (5, 3),
            6,
            "in.csv: the longest segment without a gap has 5 steps, and a window 6; "
            "give more rows or a shorter --window",
        ),
        ((6,), 6, "in.csv: only one window of 6 rows; give more rows or a shorter --window"),
    ],
)
def test_too_few_rows_for_windows(lengths: tuple[int, ...], window: int, said: str) -> None:
    with pytest.raises(DataError) as caught:
        segments(*lengths, window=window)
    assert str(caught.value) == said


def test_too_few_rows_for_others_to_judge_by() -> None:
    with pytest.raises(DataError) as caught:
        time_splits(segments(8), 2)
    assert str(caught.value) == (
        "too few rows for a window of 6 and others to judge it by; give more rows or a shorter --window"
    )


def test_the_fingerprint_knows_values_lengths_and_window() -> None:
    same, other = segments(20, 10), segments(20, 10)
    assert same.fingerprint() == other.fingerprint()
    other.steps[3, 1] += 1
    prints = {same.fingerprint(), other.fingerprint(), segments(20, 10, window=5).fingerprint()}
    cut = TrainingSegments.of([same.steps[:19], same.steps[19:]], WINDOW, "in.csv")
    assert len(prints | {cut.fingerprint()}) == 4


def test_windows_of_another_length_share_the_segments() -> None:
    one = segments(40, 30)
    shorter = one.with_windows(5, "in.csv")
    assert shorter.steps is one.steps
    assert len(shorter.window_starts()) == 36 + 26
    assert [len(part) for part in one.parts] == [40, 30]
    assert all(np.shares_memory(part, one.steps) for part in one.parts)
    with pytest.raises(DataError, match="the longest segment without a gap has 40 steps, and a window 41"):
        one.with_windows(41, "in.csv")
