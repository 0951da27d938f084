"""A model of time series as a graph: the score of a window is the product's."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aedetect import Detector
from aedetect.data.series.channels import log_compressed
from aedetect.errors import DataError, ModelError
from aedetect.models.ensemble import window_scores
from aedetect.models.registry import SERIES_ARCHITECTURES
from aedetect.models.threads import single_threaded
from aedetect.tasks.export import verify_windows
from aedetect.tasks.export.export import row_score_in_words

onnx = pytest.importorskip("onnx")
pytest.importorskip("ndonnx")
onnxruntime = pytest.importorskip("onnxruntime")

WINDOW = 12


def readings(count: int, seed: int) -> pd.DataFrame:
    random, steps = np.random.default_rng(seed), np.arange(count)
    wave = np.sin(2 * np.pi * steps / 24)
    return pd.DataFrame(
        {
            "time": pd.Timestamp("2026-01-01") + pd.to_timedelta(300 * steps, unit="s"),
            "temp": 20 + 3 * wave + random.normal(0, 0.3, count),
            "load": 50 - 5 * wave + random.normal(0, 0.5, count),
        }
    )


def fitted_on(frame: pd.DataFrame, **settings: object) -> Detector:
    quick = {"training.epochs": 1, "training.device": "cpu", "model.width": 16}
    return Detector({**quick, "series.time": "time", "series.window": WINDOW, **settings}).fit(frame)


@cache
def usual() -> Detector:
    """Of the default architecture; its scores of rows are not smoothed."""
    return fitted_on(readings(600, 0), **{"series.smoothing": 0})


@pytest.mark.parametrize("name", SERIES_ARCHITECTURES)
def test_a_window_scores_as_in_the_product(name: str, tmp_path: Path) -> None:
    detector = fitted_on(readings(600, 0), **{"model.architecture": name})
    fitted = detector.fitted
    said = detector.export(tmp_path / "s.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "s.onnx")
    [described] = json.loads(said["aedetect.inputs"])
    margin = described["steps_before_and_after"]
    assert described["columns"] == ["temp", "load"]
    assert described["shape"] == [WINDOW + 2 * margin, 2]
    assert (margin > 0) == (name == "convolutional")
    values = readings(120, 1)[["temp", "load"]].to_numpy(copy=True)
    values[60:64, 0] += 8
    values[90:93, 1] = np.nan
    channels = log_compressed(((values - fitted.encoder.mean) / fitted.encoder.deviation).astype(np.float32))
    with single_threaded("cpu"):
        expected = window_scores(fitted.members, channels, WINDOW, "cpu") / float(fitted.scale)
    starts = range(margin, len(values) - WINDOW - margin + 1)
    graph = [
        session.run(None, {"window": values[start - margin : start + WINDOW + margin]})[0][0]
        for start in starts
    ]
    assert np.allclose(graph, expected[list(starts)], rtol=1e-3)
    assert np.argmax(graph) + margin in range(50, 64)
    nothing = np.full(described["shape"], np.nan)
    assert np.isnan(session.run(None, {"window": nothing})[0][0])


def test_series_of_their_own_scale_bring_it(tmp_path: Path) -> None:
    frame = pd.concat(
        [
            readings(300, 0).assign(machine="a"),
            readings(300, 1).assign(machine="b", temp=lambda of: 50 * of["temp"]),
        ]
    )
    detector = fitted_on(frame, **{"series.entity": ["machine"]})
    assert detector.fitted.series is not None
    assert detector.fitted.series.state.scaled_apart
    _, center, spread = json.loads(detector.export(tmp_path / "s.onnx")["aedetect.inputs"])
    assert (center["name"], spread["name"]) == ("center", "spread")
    session = onnxruntime.InferenceSession(tmp_path / "s.onnx")
    scores = {}
    for name, part in frame.groupby("machine"):
        given = {each["name"]: np.array(each["of_series"][name]) for each in (center, spread)}
        window = part[["temp", "load"]].to_numpy()[100 : 100 + WINDOW]
        scores[name] = float(session.run(None, {"window": window, **given})[0][0])
    assert all(0.1 < score < 5 for score in scores.values()), scores


def test_what_is_no_number_cannot_be_exported(tmp_path: Path) -> None:
    frame = readings(300, 0)
    frame["state"] = np.where(frame.index % 50 < 25, "idle", "busy")
    with pytest.raises(ModelError) as error:
        fitted_on(frame).export(tmp_path / "s.onnx")
    assert str(error.value) == (
        "a model of time series can be exported where all its columns are numbers, and 'state' is not"
    )


@pytest.mark.parametrize("name", SERIES_ARCHITECTURES)
def test_windows_of_files_are_compared(name: str, tmp_path: Path) -> None:
    detector = fitted_on(readings(600, 0), **{"model.architecture": name})
    new = readings(200, 1)
    new.loc[60:64, "temp"] += 8
    new.loc[90:93, "load"] = np.nan
    new = new.drop(index=range(120, 140))
    metadata = detector.export(tmp_path / "s.onnx", verify=new)
    said, [described] = (json.loads(metadata[f"aedetect.{key}"]) for key in ("verified", "inputs"))
    beside = 2 * described["steps_before_and_after"]
    assert said["windows_in_all"] == 200 - WINDOW - beside + 1
    # One network holds the last known cell, which may be before a window that begins with a missing one.
    assert said["left_out"] == (24 if name == "convolutional" else 0)
    assert said["windows"] == said["windows_in_all"] - said["left_out"]
    assert 0 < said["largest_relative_difference"]["score"] < 1e-3


@pytest.mark.slow
def test_series_of_their_own_scale_and_new_ones_are_compared(tmp_path: Path) -> None:
    frames = [readings(300, seed).assign(machine=name) for seed, name in enumerate("abc")]
    frames[1]["temp"] *= 50
    detector = fitted_on(pd.concat(frames[:2]), **{"series.entity": ["machine"]})
    said = json.loads(detector.export(tmp_path / "s.onnx", verify=pd.concat(frames))["aedetect.verified"])
    assert said["windows"] == 3 * (300 - WINDOW + 1)
    assert said["largest_relative_difference"]["score"] < 1e-3


@pytest.mark.slow
def test_windows_in_which_a_constant_changed_are_left_out(tmp_path: Path) -> None:
    detector = fitted_on(readings(600, 0).assign(mode=7))
    new = readings(200, 1).assign(mode=7)
    new.loc[100, "mode"] = 8
    said = json.loads(detector.export(tmp_path / "s.onnx", verify=new)["aedetect.verified"])
    assert (said["windows_in_all"], said["left_out"]) == (200 - WINDOW + 1, WINDOW)


def test_of_many_windows_some_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_windows, "MOST_WINDOWS", 20)
    detector = usual()
    said = json.loads(detector.export(tmp_path / "s.onnx", verify=readings(200, 1))["aedetect.verified"])
    assert (said["windows"], said["windows_in_all"]) == (19, 189)


def test_other_scores_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = usual()
    monkeypatch.setattr(verify_windows, "NEAR", 1e-12)
    with pytest.raises(ModelError, match=r"^\d+ of 189 windows score otherwise in the exported file than in"):
        detector.export(tmp_path / "s.onnx", verify=readings(200, 1))
    assert not list(tmp_path.iterdir())


def test_too_few_rows_to_compare(tmp_path: Path) -> None:
    detector = usual()
    with pytest.raises(
        DataError, match="no series has a stretch of 12 steps, a window, that can be compared"
    ):
        detector.export(tmp_path / "s.onnx", verify=readings(WINDOW - 1, 1))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "the mean over the 12 windows that hold the row, fewer where a stretch begins or ends"),
        ({"series.causal": True, "series.smoothing": 0}, "that of the window which ends with the row"),
    ],
)
def test_the_score_of_a_row_is_made_of_those_of_windows_as_is_said(
    tmp_path: Path, settings: dict[str, object], said: str
) -> None:
    detector = fitted_on(readings(600, 0), **settings) if settings else usual()
    assert detector.export(tmp_path / "s.onnx")["aedetect.row_score"] == said
    session = onnxruntime.InferenceSession(tmp_path / "s.onnx")
    new = readings(80, 1)
    values = new[["temp", "load"]].to_numpy()
    windows = np.array(
        [
            session.run(None, {"window": values[start : start + WINDOW]})[0][0]
            for start in range(80 - WINDOW + 1)
        ]
    )
    scores = detector.score(new)["anomaly_score"].to_numpy()
    for row in (WINDOW, 40, 60):
        of_row = windows[row - WINDOW + 1 : row + 1]
        expected = of_row[0] if "series.causal" in settings else of_row.mean()
        assert scores[row] == pytest.approx(expected, rel=1e-3)


def test_smoothing_is_said_too() -> None:
    fitted = usual().fitted
    series = fitted.config.series.model_copy(update={"smoothing": 4})
    fitted = replace(fitted, config=fitted.config.model_copy(update={"series": series}))
    assert fitted.series is not None
    assert row_score_in_words(fitted, fitted.series).endswith(", averaged over 4 rows around it")
