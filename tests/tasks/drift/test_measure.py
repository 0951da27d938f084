"""Drift of data at hand: the same as of files, whoever asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.tables import tiny_frame

from aedetect import Config
from aedetect.engine.callbacks import Callback
from aedetect.errors import ModelError
from aedetect.io.inputs import as_inputs
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.drift.measure import measure
from aedetect.tasks.report import ReportRequest, report
from aedetect.tasks.score_run import measure_drift


@pytest.mark.parametrize("settings", [{}, {"drift.psi": 50.0, "drift.share": 0.9}])
def test_files_data_at_hand_and_reports_tell_the_same(
    tiny_model: Path, tmp_path: Path, settings: dict[str, float]
) -> None:
    frames = [tiny_frame(150, seed=3).assign(temp=lambda frame: frame["temp"] + 9), tiny_frame(90, seed=4)]
    words = [str(tmp_path / f"{place}.csv") for place in range(2)]
    for word, frame in zip(words, frames, strict=True):
        frame.to_csv(word, index=False)
    config = Config.build(overrides=settings)
    summary = measure_drift(words, tiny_model, None, config, Callback(), fail=False).as_dict()
    fitted = FittedModel.load(tiny_model).adjusted(config)
    inputs = as_inputs(words, fitted.config.data)
    found = measure(fitted, inputs)
    assert found.as_dict() == summary["drift"]
    made = report(fitted, inputs, ReportRequest())
    assert made.findings.drift is not None
    assert made.findings.drift.as_dict() == summary["drift"]
    assert (found.verdict == "drifted") == (not settings)


def test_an_input_that_lacks_columns_is_named(tiny_model: Path) -> None:
    fitted = FittedModel.load(tiny_model)
    with pytest.raises(ModelError, match="'load'"):
        measure(fitted, as_inputs(tiny_frame(60).drop(columns="load"), fitted.config.data))
