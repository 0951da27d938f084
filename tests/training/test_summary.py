"""What a training came to, as the JSON of `train` and `calibrate` says it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from aedetect.engine.summary import Clock
from aedetect.scoring.fitted import FittedModel
from aedetect.training.summary import train_summary


def test_the_summary_says_what_was_learned_and_warns(tiny_model: Path) -> None:
    fitted = FittedModel.load(tiny_model, device="cpu")
    summary = train_summary("train", fitted, str(tiny_model), Clock(), ["a notice on the way"])
    assert summary["command"] == "train"
    assert summary["model"] == {
        "path": str(tiny_model),
        "sha256": hashlib.sha256(tiny_model.read_bytes()).hexdigest(),
        "trained": fitted.training.started,
    }
    assert (summary["rows"], summary["networks"]) == (200, 1)
    assert summary["rows_left_out"] == {"labelled": 0, "infinite": 0, "empty": 0}
    assert [column["role"] for column in summary["columns"]] == [
        *["numeric", "numeric", "categorical", "boolean"]
    ]
    assert (summary["threshold"], summary["alert_rate"]) == (fitted.threshold, 0.01)
    assert summary["warnings"] == ["a notice on the way", *fitted.threshold_policy.warnings]


def test_a_model_that_is_not_written_has_no_digest(tiny_model: Path, tmp_path: Path) -> None:
    fitted = FittedModel.load(tiny_model, device="cpu")
    summary = train_summary("train", fitted, str(tmp_path / "none.aed"), Clock(), [])
    assert summary["model"]["sha256"] is None
