"""Fitting a model: what `aedetect train` and `Detector.fit` do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aedetect.config import Config
from aedetect.engine.callbacks import Callback
from aedetect.errors import UsageError
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel
from aedetect.training.fit_series import fit_series
from aedetect.training.fit_table import fit_table
from aedetect.training.warm_start import Start


def fit(
    inputs: Sequence[Input],
    config: Config,
    callback: Callback,
    checkpoint: Path | None = None,
    resume: bool = False,
    older: FittedModel | None = None,
) -> FittedModel:
    """Fit a model on `inputs`; with `older`, go on from its weights, with its columns and scaling.

    With `checkpoint`, progress is saved there, and with `resume` taken up from there. Raises DataError,
    UsageError or ModelError for what the user can repair.
    """
    start = Start.of(older, "trained on") if older is not None else None
    if older is not None:
        config = config.model_copy(update={"model": older.config.model})
    if config.series.time is None:
        return fit_table(inputs, config, callback, checkpoint, resume, start)
    if start is not None:
        raise UsageError("--from goes with tables; a model of time series is trained anew")
    return fit_series(inputs, config, callback)
