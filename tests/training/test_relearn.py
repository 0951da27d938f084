"""Learning anew without the rows that the model before flags: the promised rate is kept."""

from __future__ import annotations

import pytest
from support.tables import tiny_frame

from aedetect import Detector
from aedetect.engine.callbacks import Callback
from aedetect.io.inputs import as_inputs
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.refresh.recent import recent_rows
from aedetect.tasks.scored_rows import score_inputs
from aedetect.training import relearn

SETTINGS = {
    "model.architecture": "bottleneck", "model.width": 16, "training.epochs": 2, "training.device": "cpu",
    "threshold.alert_rate": 0.05,
}  # fmt: skip


@pytest.fixture(scope="module")
def old() -> FittedModel:
    return Detector(SETTINGS).fit(tiny_frame(4000, seed=1)).fitted


def inputs(rows: int, seed: int, odd: int = 0) -> list[Input]:
    frame = tiny_frame(rows, seed)
    frame.loc[: odd - 1, "load"] = 900.0 if odd else frame["load"]
    return list(as_inputs(frame, Detector(SETTINGS).config.data))


def relearned(old: FittedModel, rows: list[Input]) -> FittedModel:
    recent = recent_rows(old, rows, None, Callback())
    left_out = {"flagged": recent.flagged_rows}
    return relearn.relearned(old, recent.learned, recent.flagged, left_out, Callback())


def share_flagged(fitted: FittedModel) -> float:
    counts = score_inputs(fitted, inputs(10_000, 99), lambda batch: None).counts
    return counts.anomalies / counts.rows


def test_rows_left_out_by_chance_do_not_lower_the_threshold(
    old: FittedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = relearned(old, inputs(4000, 2))
    assert share_flagged(new) < 0.065
    assert "flagged rows as false alarms" in new.training.calibration
    monkeypatch.setattr(relearn, "_with_false_alarms", lambda fitted, *_: fitted)
    assert share_flagged(relearned(old, inputs(4000, 2))) > 0.075


def test_anomalies_among_them_do_not_raise_it(old: FittedModel) -> None:
    with_anomalies = relearned(old, inputs(4000, 2, odd=200))
    assert 0.035 < share_flagged(with_anomalies) < 0.065
    assert with_anomalies.threshold < 20


def test_the_line_of_models_does_not_grow_without_end(
    old: FittedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relearn, "_MOST_ANCESTORS", 2)
    model = old
    for seed in range(3):
        model = relearned(model, inputs(100, seed))
    assert [one.rows for one in model.training.lineage] != [old.training.rows]
    assert len(model.training.lineage) == 2
