"""A model of series is calibrated with other normal series than it learned."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from support.sensors import DAY, broken, readings

from aedetect import Detector, load
from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError

SETTINGS = {"series.time": "time", "series.entity": ["machine"], "series.window": 24}


@pytest.fixture(scope="module")
def model() -> Detector:
    return Detector(SETTINGS).fit(readings(8, 2))


def test_the_threshold_is_that_of_the_scores_of_other_rows(model: Detector) -> None:
    other = readings(6, 2, seed=7, start="2026-02-01")
    calibrated = model.calibrated(other)
    scores = model.score(other)["anomaly_score"].dropna().to_numpy()
    assert calibrated.fitted.calibration.scores == pytest.approx(sorted(scores))
    assert calibrated.threshold == calibrated.fitted.calibration.threshold(0.01)
    assert calibrated.score(other)["is_anomaly"].fillna(False).mean() <= 0.01
    assert "split-conformal, on " in calibrated.fitted.training.calibration


def test_so_are_false_events_a_day(model: Detector, tmp_path: object) -> None:
    noisy = readings(6, 2, seed=7, start="2026-02-01")
    noisy["temp"] += noisy["temp"].sample(frac=1, random_state=0).to_numpy() * 0.2
    calibrated = model.calibrated(noisy)
    assert model.fitted.series is not None
    assert calibrated.fitted.series is not None
    assert calibrated.fitted.series.peaks.min() > model.fitted.series.peaks.max()


def test_a_calibrated_model_is_a_model_file(model: Detector, tmp_path: object) -> None:
    calibrated = model.calibrated(readings(6, 2, seed=7))
    path = f"{tmp_path}/m.aed"
    calibrated.save(path)
    again = load(path, device="cpu")
    assert again.threshold == calibrated.threshold
    assert again.fitted.series is not None
    assert again.fitted.series.peaks.tolist() == calibrated.fitted.series.peaks.tolist()  # type: ignore[union-attr]


def test_rows_labelled_as_anomalies_do_not_calibrate(model: Detector) -> None:
    frame = broken(readings(6, seed=7), 300, 330)
    labelled = frame.assign(fault=[300 <= row < 330 for row in range(len(frame))])
    other = Detector({**SETTINGS, "data.label": "fault"}).fit(readings(8).assign(fault=False))
    assert other.calibrated(labelled).threshold < other.calibrated(frame.assign(fault=False)).threshold


def test_too_few_rows_and_rows_without_a_time_say_so(model: Detector) -> None:
    with pytest.raises(DataError, match="0 usable rows; calibration needs at least 8$"):
        model.calibrated(readings(1)[:20])
    timeless = readings(2).astype({"time": object})
    timeless.loc[5, "time"] = pd.NaT
    with pytest.raises(DataError, match="row 6, column 'time': no timestamp; repair or remove the row$"):
        model.calibrated(timeless)


def test_what_was_learned_is_known_to_drift_watch(model: Detector) -> None:
    assert model.fitted.sketch is not None
    assert model.fitted.sketch.rows == 16 * DAY


def test_training_rows_that_look_anomalous_are_named() -> None:
    class Listening(Callback):
        said: list[str] = []  # noqa: RUF012 - one test, one instance

        def notice(self, text: str) -> None:
            self.said.append(text)

    frame = broken(readings(8), 500, 560)
    listening = Listening()
    settings = {"series.time": "time", "series.window": 24, "data.exclude": ["machine"]}
    Detector(settings).fit(readings(8), callback=listening)
    assert listening.said == []
    Detector(settings).fit(frame, callback=listening)
    (told,) = listening.said
    found = re.match(r"rows somewhere from (\S+ \S+) to (\S+ \S+) look anomalous themselves: scores ", told)
    assert found is not None
    start, end = (pd.Timestamp(text) for text in found.groups())
    assert start <= frame["time"][530] <= end
    assert abs(start - frame["time"][500]) < pd.Timedelta(hours=7)
    assert abs(end - frame["time"][559]) < pd.Timedelta(hours=7)
    listening.said.clear()
    Detector({**settings, "training.contamination": 0.1}).fit(frame, callback=listening)
    assert listening.said == []


def test_the_share_that_is_said_to_be_anomalous_calibrates_nothing() -> None:
    frame = broken(readings(8), 500, 560)
    settings = {"series.time": "time", "series.window": 24, "data.exclude": ["machine"]}
    trimmed = Detector({**settings, "training.contamination": 0.1}).fit(frame)
    assert trimmed.threshold < Detector(settings).fit(frame).threshold
