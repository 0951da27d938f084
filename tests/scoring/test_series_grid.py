"""Series of which rows are absent, repeated or late are judged as those that are whole."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sensors import STEP, broken, readings

from aedetect import Detector
from aedetect.io.inputs import as_inputs
from aedetect.scoring.series import SeriesScorer

WINDOW = 24
CHANNELS = ["temp", "load", "open"]
NEW = broken(readings(3, seed=5, start="2026-02-01"), 200, 260).drop(columns="machine")


@cache
def detector(causal: bool = False) -> Detector:
    wanted = {"series.time": "time", "series.window": WINDOW, "series.causal": causal}
    return Detector({**wanted, "training.device": "cpu"}).fit(readings(8).drop(columns="machine"))


def scores(frame: pd.DataFrame, causal: bool = False, **options: object) -> np.ndarray:
    scored = detector(causal).score(frame, **options)  # type: ignore[arg-type]
    return scored["anomaly_score"].to_numpy(dtype=float)


def emptied(frame: pd.DataFrame, rows: list[int]) -> pd.DataFrame:
    frame = frame.astype(dict.fromkeys(CHANNELS, object))
    frame.loc[rows, CHANNELS] = None
    return frame


# The first and the last row stay: a series begins and ends where its rows do.
ROWS = st.lists(st.integers(1, len(NEW) - 2), min_size=1, max_size=60, unique=True)


@settings(deadline=None, max_examples=15)
@given(rows=ROWS, causal=st.booleans())
def test_absent_rows_are_empty_cells(rows: list[int], causal: bool) -> None:
    absent = scores(NEW.drop(index=rows), causal)
    np.testing.assert_array_equal(absent, np.delete(scores(emptied(NEW, rows), causal), rows))


@settings(deadline=None, max_examples=15)
@given(rows=st.lists(st.integers(0, len(NEW) - 1), min_size=1, max_size=200), causal=st.booleans())
def test_rows_sent_twice_change_nothing(rows: list[int], causal: bool) -> None:
    twice = scores(pd.concat([NEW, NEW.loc[rows]], ignore_index=True), causal)
    whole = scores(NEW, causal)
    np.testing.assert_array_equal(twice, np.r_[whole, whole[rows]])


@settings(deadline=None, max_examples=10)
@given(cut=st.integers(2 * WINDOW, len(NEW) - 1), rows=ROWS)
def test_a_cut_does_not_matter_where_rows_are_absent(cut: int, rows: list[int]) -> None:
    some = NEW.drop(index=rows)
    after = some.index >= cut
    whole = scores(some, causal=True)
    np.testing.assert_array_equal(scores(some[after], causal=True, history=some[~after]), whole[after])


@settings(deadline=None, max_examples=10)
@given(cut=st.integers(2 * WINDOW, len(NEW) - 2 * WINDOW), overlap=st.integers(1, 2 * WINDOW))
def test_rows_that_the_history_has_already_count_once(cut: int, overlap: int) -> None:
    found = scores(NEW[cut:], causal=True, history=NEW[: cut + overlap])
    np.testing.assert_array_equal(found, scores(NEW, causal=True)[cut:])


def test_late_rows_move_no_score() -> None:
    late = np.random.default_rng(0).uniform(0, 0.3 * STEP, len(NEW))
    found = scores(NEW.assign(time=NEW["time"] + pd.to_timedelta(late.round(), unit="s")))
    np.testing.assert_array_equal(found, scores(NEW))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_few_absent_rows_flag_no_more(seed: int) -> None:
    # Among the channels is a state, whose switches are what may be absent.
    normal = readings(6, seed=5, start="2026-02-01").drop(columns="machine")
    random = np.random.default_rng(seed)
    rows = random.choice(np.arange(1, len(normal) - 1), len(normal) // 20, replace=False)
    whole, some = (detector().score(frame) for frame in (normal, normal.drop(index=rows)))
    assert some["is_anomaly"].mean() <= whole["is_anomaly"].mean() + 0.005
    found, expected = some["anomaly_score"], whole["anomaly_score"].drop(index=rows)
    moved = np.abs(found.to_numpy(dtype=float) / expected.to_numpy(dtype=float) - 1)
    assert np.nanmedian(moved) < 0.05
    assert (np.isnan(moved) == expected.isna()).all()


def test_an_outage_a_day_blinds_nothing() -> None:
    # Half an hour of each day.
    absent = [day * 144 + 30 + step for day in range(3) for step in range(3)]
    status = detector().score(NEW.drop(index=absent))["anomaly_status"]
    assert (status == "ok").all()


def warnings(frame: pd.DataFrame, causal: bool = False) -> list[str]:
    model = detector(causal)
    sources = as_inputs(frame, model.config.data)
    return SeriesScorer(model.fitted).open(sources).warnings(sources[0])


def too_early(frame: pd.DataFrame, causal: bool) -> list[str]:
    return [line for line in warnings(frame, causal) if "too early" in line]


def test_much_warmup_is_said() -> None:
    said = too_early(NEW[: 4 * WINDOW], causal=True)
    assert len(said) == 1
    assert said[0].endswith(
        "23 of 96 rows (24%) come too early in their series, or after too little data, to be judged"
    )
    assert too_early(NEW, causal=True) == []
    assert too_early(NEW[: 4 * WINDOW], causal=False) == []


def test_another_pace_is_said() -> None:
    assert "steps are 20 min, 10 min were learned" in warnings(NEW[::2])[0]


@pytest.mark.parametrize("every", ["20min", "20m", 1200])
def test_the_step_asked_for_is_learned(every: str | int) -> None:
    wanted = {"series.time": "time", "series.window": WINDOW, "series.every": every}
    model = Detector({**wanted, "training.device": "cpu"}).fit(readings(8).drop(columns="machine"))
    assert model.fitted.series is not None
    assert model.fitted.series.state.step == 1200
    # Both rows of a slot have its verdict.
    found = model.score(NEW)["anomaly_score"].to_numpy(dtype=float)
    np.testing.assert_array_equal(found[0::2], found[1::2])
