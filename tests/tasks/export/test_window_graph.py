"""A model of time series as a graph: the score of a window is the product's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aedetect import Detector
from aedetect.data.series.channels import log_compressed
from aedetect.errors import ModelError, UsageError
from aedetect.models.ensemble import window_scores
from aedetect.models.registry import SERIES_ARCHITECTURES
from aedetect.models.threads import single_threaded

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


def test_windows_are_not_verified(tmp_path: Path) -> None:
    detector = fitted_on(readings(300, 0))
    with pytest.raises(UsageError, match="--verify compares rows of tables"):
        detector.export(tmp_path / "s.onnx", verify=readings(300, 1))
    assert not list(tmp_path.iterdir())
