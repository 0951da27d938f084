"""What was expected of rows of series, in the user's units."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sensors import broken, readings

from aedetect import Detector
from aedetect.data.series.channels import inverse_log_compressed, log_compressed
from aedetect.io.inputs import as_inputs
from aedetect.scoring.reconstruction import ReconstructedColumn, Reconstruction, ScoredSeries
from aedetect.scoring.series import SeriesScorer

WINDOW = 24


def with_words(frame: pd.DataFrame) -> pd.DataFrame:
    """A column of categories and one of words beside the others."""
    low = frame["load"] < 45
    return frame.assign(mode=np.where(low, "idle", "busy"), shut=np.where(frame["open"], "no", "yes"))


@cache
def detector(machines: int = 2, architecture: str = "auto") -> Detector:
    settings = {
        "series.time": "time",
        "series.entity": ["machine"],
        "series.window": WINDOW,
        "model.architecture": architecture,
        "training.epochs": 2,
        "training.device": "cpu",
    }
    return Detector(settings).fit(with_words(readings(8, machines)))


def rebuilt(frame: pd.DataFrame, model: Detector) -> Reconstruction:
    session = SeriesScorer(model.fitted).open(as_inputs(frame, model.config.data), keep=True)
    return Reconstruction(model.fitted, ScoredSeries.of(session))


def column_of(frame: pd.DataFrame, column: str, model: Detector | None = None) -> ReconstructedColumn:
    found = rebuilt(frame, model or detector()).column(column)
    assert found is not None
    return found


NEW = with_words(readings(3, 2, seed=5, start="2026-02-01"))


@pytest.mark.parametrize("column", ["temp", "load"])
def test_numbers_come_back_in_their_units_each_series_in_its_own_scale(column: str) -> None:
    found = column_of(NEW, column)
    assert found.seen == pytest.approx(NEW[column].to_numpy(), rel=1e-4)
    apart = np.abs(found.expected - NEW[column].to_numpy())
    spread = {"temp": 0.2, "load": 1.0}[column]
    assert np.quantile(apart, 0.9) < 4 * spread
    assert found.usual.min() > 0.3 * spread
    assert (found.band > found.usual).all()


def test_an_odd_value_is_expected_where_it_usually_is() -> None:
    found = column_of(broken(NEW, 200, 220), "temp")
    assert found.expected[205:215] == pytest.approx(NEW["temp"][205:215].to_numpy(), abs=2)
    assert found.deviations(np.arange(205, 215)).min() > 10


@pytest.mark.parametrize(("column", "words"), [("mode", {"idle", "busy"}), ("shut", {"no", "yes"})])
def test_words_are_themselves(column: str, words: set[str]) -> None:
    found = column_of(NEW, column)
    assert words <= set(found.names)
    seen = [found.names[int(code)] for code in found.seen]
    assert seen == NEW[column].tolist()
    expected = [found.names[int(code)] for code in found.expected]
    assert np.mean([one == other for one, other in zip(seen, expected, strict=True)]) > 0.9


def test_a_series_never_learned_is_rebuilt_in_the_scale_of_its_beginning() -> None:
    new = NEW[NEW["machine"] == "m0"].assign(machine="m9", temp=lambda rows: rows["temp"] * 2 + 400)
    mixed = new.sample(frac=1, random_state=0)
    found = column_of(mixed, "temp", detector())
    assert np.median(np.abs(found.expected - mixed["temp"].to_numpy())) < 3


def test_rows_in_no_window_have_no_expectation() -> None:
    found = column_of(NEW[: WINDOW - 1], "temp")
    assert np.isnan(found.expected).all()
    assert not found.deviations(np.arange(5)).any()


def test_a_missing_value_is_missing_and_still_expected() -> None:
    frame = NEW.copy()
    frame.loc[100, "temp"] = np.nan
    found = column_of(frame, "temp")
    assert np.isnan(found.seen[100])
    assert found.expected[100] == pytest.approx(NEW["temp"][100], abs=2)


def test_shares_of_a_row_that_is_not_flagged_add_up() -> None:
    found = rebuilt(NEW, detector())
    assert found.shares(100).sum() == pytest.approx(1)
    assert found.shares(3).sum() == pytest.approx(1)


def test_networks_rebuild_too() -> None:
    found = column_of(NEW, "temp", detector(architecture="convolutional"))
    assert np.isfinite(found.expected).all()


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=20))
def test_what_was_bent_is_straight_again(values: list[float]) -> None:
    given_values = np.array([values], dtype=np.float32)
    assert inverse_log_compressed(log_compressed(given_values)) == pytest.approx(
        given_values, rel=1e-3, abs=1e-5
    )
