"""What a training run came to, as data: the contract of `train --json` and `calibrate --json`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import Any

from aedetect.engine.summary import Clock, envelope
from aedetect.io.stores import is_address
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.model_header import read_whole


def train_summary(
    command: str, fitted: FittedModel, path: str, clock: Clock, notices: Sequence[str]
) -> dict[str, Any]:
    """The summary of `command`, which wrote the model to `path`; `notices` were given on the way."""
    training = fitted.training
    whole = is_address(path) or os.path.isfile(path)
    model = {
        "path": path,
        "sha256": hashlib.sha256(read_whole(path)).hexdigest() if whole else None,
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
