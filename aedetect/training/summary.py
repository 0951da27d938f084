"""What a training run came to, as data: the contract of `train --json` and `calibrate --json`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aedetect.engine.summary import Clock, envelope
from aedetect.scoring.fitted import FittedModel


def train_summary(
    command: str, fitted: FittedModel, path: Path, clock: Clock, notices: Sequence[str]
) -> dict[str, Any]:
    """The summary of `command`, which wrote the model to `path`; `notices` were given on the way."""
    training = fitted.training
    model = {
        "path": str(path),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None,
        "trained": training.started,
    }
    body = {
        "rows": training.rows,
        "rows_left_out": training.rows_left_out,
        "columns": [column.model_dump() for column in fitted.schema.columns],
        "networks": len(training.members),
        "calibration": training.calibration,
        "threshold": fitted.threshold,
        **fitted.threshold_policy.rates(),
        **_groups(fitted),
        "warnings": [*notices, *fitted.threshold_policy.warnings],
    }
    return envelope(command, model, body, clock.as_dict())


def _groups(fitted: FittedModel) -> dict[str, Any]:
    """The threshold of each group; nothing for a model without groups."""
    thresholds = fitted.group_thresholds
    return {} if thresholds is None else {"groups": [one.as_dict() for one in thresholds.listed()]}
