"""Scores of windows become scores of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.series.window_length import USUAL_WINDOW, period, window_steps
from aedetect.errors import UsageError
from aedetect.scoring.row_scores import over_rows, smoothed


@given(st.integers(1, 9), st.lists(st.floats(0, 100), min_size=1, max_size=30))
def test_a_row_has_the_mean_of_its_windows(window: int, scores: list[float]) -> None:
    found = over_rows(np.array(scores), window, causal=False)
    assert len(found) == len(scores) + window - 1
    for row in range(len(found)):
        own = [score for start, score in enumerate(scores) if start <= row < start + window]
        assert found[row] == pytest.approx(np.mean(own))


@given(
    st.integers(1, 9),
    st.lists(st.one_of(st.just(float("nan")), st.floats(0, 100)), min_size=1, max_size=30),
)
def test_windows_without_a_score_do_not_count(window: int, scores: list[float]) -> None:
    rows = over_rows(np.array(scores), window, causal=False)
    for row in range(len(rows)):
        own = [score for start, score in enumerate(scores) if start <= row < start + window]
        known = [score for score in own if not np.isnan(score)]
        assert rows[row] == pytest.approx(np.mean(known) if known else np.nan, nan_ok=True)


@given(st.integers(0, 40), st.integers(0, 99))
def test_row_scores_do_not_depend_on_where_the_file_begins(begin: int, seed: int) -> None:
    random, window = np.random.default_rng(seed), 7
    scores = np.where(random.random(80) < 0.1, np.nan, random.exponential(size=80))
    whole = over_rows(scores, window, causal=False)
    # From a window on, all windows of a row are there.
    np.testing.assert_array_equal(
        over_rows(scores[begin:], window, causal=False)[window - 1 :], whole[begin + window - 1 :]
    )


def test_causal_rows_have_the_window_that_ends_with_them() -> None:
    found = over_rows(np.array([1.0, 2.0]), 3, causal=True)
    assert np.isnan(found[:2]).all()
    assert found[2:].tolist() == [1.0, 2.0]


def test_smoothing_looks_around_or_back() -> None:
    scores = np.array([np.nan, 0.0, 3.0, 0.0])
    assert smoothed(scores, 3, causal=False).tolist()[1:] == [1.5, 1.0, 1.5]
    assert smoothed(scores, 3, causal=True).tolist()[1:] == [0.0, 1.5, 1.0]
    assert np.isnan(smoothed(scores, 3, causal=True)[0])
    assert smoothed(scores, 1, causal=True) is scores


def test_a_window_is_as_asked_for() -> None:
    rows = [np.zeros((3000, 1), dtype=np.float32)]
    assert window_steps(96, 600, rows) == 96
    assert window_steps("6h", 600, rows) == 36
    assert window_steps(None, 600, rows) == USUAL_WINDOW
    assert window_steps(None, 600, [np.zeros((90, 1), dtype=np.float32)]) == 30


def test_windows_of_many_channels_are_shorter() -> None:
    random = np.random.default_rng(0)
    one, eight = (random.normal(size=(1200, width)).astype(np.float32) for width in (1, 8))
    assert window_steps(None, 600, [one]) == 200
    assert window_steps(None, 600, [eight]) == 60
    constant = np.concatenate([one, np.zeros((1200, 7), dtype=np.float32)], axis=1)
    assert window_steps(None, 600, [constant]) == 200
    assert window_steps(None, 600, [eight[:100]]) == 16


def test_a_window_is_whole_periods() -> None:
    random = np.random.default_rng(0)
    wave = np.sin(2 * np.pi * np.arange(2000) / 24) + random.normal(0, 0.3, 2000)
    assert period([wave[:, None].astype(np.float32)]) == 24
    assert window_steps(None, 600, [wave[:, None].astype(np.float32)]) == 192
    noise = random.normal(0, 1, (2000, 2)).astype(np.float32)
    assert period([noise]) is None
    assert period([]) is None
    assert period([np.zeros((500, 1), dtype=np.float32)]) is None


def test_a_window_has_some_steps() -> None:
    with pytest.raises(UsageError, match=r"^--window 10m: 1 steps of 600 s; a window has at least 4$"):
        window_steps("10m", 600, [])
