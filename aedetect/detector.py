"""The Detector: from a batch of rows to scores. Everything else is a thin layer over it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from aedetect.config import Config
from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.features import Encoded, FeatureEncoder
from aedetect.data.reference import Sketch
from aedetect.data.schema import Schema
from aedetect.engine.callbacks import Monitor
from aedetect.errors import ModelError, UsageError
from aedetect.io.inputs import Data, as_inputs
from aedetect.models.auxiliary.heads import Companion
from aedetect.models.ensemble import mean_errors, single_threaded
from aedetect.otherjobs import OtherJobs
from aedetect.scoring.calibration import Calibration
from aedetect.scoring.fitted import Parts, SeriesParts
from aedetect.scoring.manifest import Ancestor, TrainingSummary
from aedetect.scoring.model_file import read_bundle, write_bundle
from aedetect.scoring.table import raw_scores
from aedetect.training.calibrate import series_scores
from aedetect.training.device import pick_device
from aedetect.training.fit_series import fit_series
from aedetect.training.fit_table import fit
from aedetect.training.warm_start import Start, calibration_scores

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import torch


# A constant that moved, or an infinite number, is stranger than any calibration row: its score
# is at least this many times the strangest of them.
_OUTRIGHT = 2.0
_SECONDS_A_DAY, _MOST_SHARE = 86_400.0, 0.999


@dataclass(frozen=True)
class Verdicts:
    """What is said of the rows of one batch. Shapes: [rows], and shares [rows, columns].

    `scores` and `p_values` are NaN where `unscorable`. `shares`: of each learned or watched column
    (in the order of `Detector.columns`), its part in the row's error. Of time series only:
    `warmup`, the unscorable rows of which too little is known yet, and `events`, 0 outside them.
    """

    scores: Floats
    p_values: Floats
    flagged: Mask
    unscorable: Mask
    shares: Matrix
    encoded: Encoded
    warmup: Mask | None = None
    events: Integers | None = None


class Detector(OtherJobs):
    """Learns what normal rows look like; scores and flags new ones.

    >>> detector = Detector().fit("normal.csv")        # doctest: +SKIP
    >>> detector.score("new.csv")                       # doctest: +SKIP

    `config` is a Config, the path of a TOML file, or a mapping of dotted setting names such as
    ``{"threshold.alert_rate": 0.05}``.
    """

    def __init__(self, config: Config | str | os.PathLike[str] | dict[str, Any] | None = None):
        if isinstance(config, Config):
            self.config = config
        elif isinstance(config, dict):
            self.config = Config.build(overrides=config)
        else:
            self.config = Config.build(config)
        self._parts: Parts | None = None

    def fit(
        self,
        data: Data,
        *,
        monitor: Monitor | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
        start: Detector | None = None,
    ) -> Self:
        """Learn from `data`: a DataFrame, an Arrow table, or one or more paths.

        `checkpoint` names a file to save progress in; with `resume` training goes on from it. With
        `start` it goes on from the weights of an older detector, whose columns and scaling are kept.
        Raises DataError where the data cannot be learned from, UsageError for settings at odds
        with them.
        """
        path = Path(checkpoint) if checkpoint is not None else None
        inputs, monitor = as_inputs(data, self.config.data), monitor or Monitor()
        older = start._start("trained on") if start else None
        if start:
            self.config = self.config.model_copy(update={"model": start.config.model})
        if self.config.series.time is None:
            fitted = fit(inputs, self.config, monitor, path, resume, older)
        elif start is None:
            fitted = fit_series(inputs, self.config, monitor)
        else:
            raise UsageError("--from goes with tables; a model of time series is retrained")
        self._parts = Parts.of_fitted(fitted)
        return self

    def calibrated(self, data: Data | None = None, *, monitor: Monitor | None = None) -> Detector:
        """This detector with the threshold and p-values that the normal rows `data` give.

        Scores stay as they are. Without `data` only the threshold follows the settings, as after
        `adjusted`. Raises DataError or ModelError where the data cannot be used.
        """
        parts = self._fitted
        start = self._start("calibrated")
        summary = parts.summary.model_copy(update={"lineage": start.lineage})
        calibration, series = parts.calibration, parts.series
        if data is not None:
            inputs, monitor = as_inputs(data, self.config.data), monitor or Monitor()
            if series is None:
                raw = calibration_scores(start, inputs, self.config, parts.device, monitor)
            else:
                raw, peaks = series_scores(start, series, inputs, self.config, parts.device, monitor)
                series = replace(series, peaks=peaks)
            calibration = Calibration(raw / float(parts.scale))
            names = ", ".join(source.name for source in inputs)
            told = f"split-conformal, on {len(raw):,} rows of {names}"
            summary = summary.model_copy(update={"calibration": told})
        other = Detector(self.config)
        other._parts = replace(parts, calibration=calibration, series=series, summary=summary, sha256=None)
        return other

    def _start(self, then: str) -> Start:
        parts, training = self._fitted, self._fitted.summary
        this = Ancestor(
            sha256=parts.sha256 or "", trained=training.started, inputs=training.inputs,
            rows=training.rows, then=then,
        )  # fmt: skip
        return Start(parts.encoder, parts.members, this.sha256, (*training.lineage, this))

    @property
    def schema(self) -> Schema:
        return self._fitted.encoder.schema

    @property
    def encoder(self) -> FeatureEncoder:
        return self._fitted.encoder

    @property
    def calibration(self) -> Calibration:
        return self._fitted.calibration

    @property
    def training(self) -> TrainingSummary:
        return self._fitted.summary

    @property
    def sha256(self) -> str | None:
        """Digest of the file the model was loaded from; None for one just fitted."""
        return self._fitted.sha256

    @property
    def sketch(self) -> Sketch | None:
        """How the training values are spread; None where the model file is too old to hold it."""
        return self._fitted.sketch

    @property
    def device(self) -> torch.device:
        return self._fitted.device

    @property
    def companion(self) -> Companion:
        """The members behind `encode`, `clean`, `impute` and `sample`.

        Raises ModelError for a model file of a format that had none.
        """
        if self._fitted.series is not None:
            raise ModelError(
                "a model of time series has no codes and repairs; train one of tables, without --time"
            )
        if self._fitted.companion is None:
            raise ModelError("the model has no code member, which older versions left out; retrain it")
        return self._fitted.companion

    @property
    def columns(self) -> list[str]:
        """Columns that can be blamed: learned ones and watched constants."""
        return list(dict.fromkeys(self._fitted.encoder.owners))

    @property
    def series(self) -> SeriesParts | None:
        """What a model of time series knows of time; None for one of tables."""
        return self._fitted.series

    @property
    def members(self) -> Sequence[Any]:
        """The networks, whose errors are averaged."""
        return self._fitted.members

    @property
    def scale(self) -> float:
        """What an unscaled score is divided by."""
        return float(self._fitted.scale)

    @property
    def outright(self) -> float:
        """The least score of a row that is stranger than any calibration row."""
        return _OUTRIGHT * float(self.calibration.scores[-1])

    @property
    def threshold(self) -> float:
        """Scores above this are flagged, unless another one is asked for."""
        return self.threshold_at(None, None)

    def threshold_at(self, value: float | None, alert_rate: float | None) -> float:
        """The threshold given as such, for an alert rate, or as configured (in this order).

        Raises UsageError for an alert rate outside (0, 1) and a threshold that is not finite.
        """
        if value is not None:
            if not np.isfinite(value):
                raise UsageError(f"threshold {value}: must be a finite number")
            return value
        if alert_rate is not None:
            if not 0 < alert_rate < 1:
                raise UsageError(f"alert rate {alert_rate}: must lie between 0 and 1")
            return self.calibration.threshold(alert_rate)
        configured = self.config.threshold
        if configured.value is not None:
            return configured.value
        if configured.alarms_per_day is not None:
            return self._threshold_per_day(configured.alarms_per_day)
        return self.calibration.threshold(configured.alert_rate)

    def _threshold_per_day(self, alarms: float) -> float:
        series = self._fitted.series
        if series is None:
            raise UsageError(
                f"{alarms:g} alarms per day: this is no model of time series; give an alert rate"
            )
        # One false event a span at most: a longer one would be the same event.
        share = alarms * series.state.step * series.state.window / _SECONDS_A_DAY
        return Calibration(np.sort(series.peaks) / self.scale).threshold(min(share, _MOST_SHARE))

    def adjusted(self, settings: Config) -> Detector:
        """This detector with those scoring, threshold, event and label settings that `settings` sets."""
        data = settings.data.model_dump(include={"label", "positive"} & settings.data.model_fields_set)
        asked = settings.threshold.model_dump(include=settings.threshold.model_fields_set)
        if "alert_rate" in asked:
            # A rate asked for now overrules a fixed threshold of training.
            asked.setdefault("value", None)
            asked.setdefault("alarms_per_day", None)
        scoring = settings.scoring.model_dump(include=settings.scoring.model_fields_set)
        events = settings.series.model_dump(
            include={"event_gap", "event_rows"} & settings.series.model_fields_set
        )
        update: dict[str, Any] = {
            "data": self.config.data.model_copy(update=data),
            "scoring": self.config.scoring.model_copy(update=scoring),
            "threshold": self.config.threshold.model_copy(update=asked),
            "series": self.config.series.model_copy(update=events),
            "drift": settings.drift,
        }
        other = Detector(self.config.model_copy(update=update))
        other._parts = self._parts
        return other

    @property
    def normal_rows(self) -> Matrix:
        """A sample of the encoded rows learned from [rows, features]; none in older model files."""
        return self._fitted.normal_rows

    def scores_of(self, matrix: Matrix) -> Floats:
        """Scores [rows] of encoded rows [rows, features] by the networks alone, without watched constants."""
        parts = self._fitted
        with single_threaded(parts.device):
            return raw_scores(mean_errors(parts.members, matrix, parts.device)) / float(parts.scale)

    def score_batch(self, batch: pa.RecordBatch, threshold: float) -> Verdicts:
        """Judge one record batch whose columns were checked against the schema.

        Fast within `inference.single_threaded`, and safe to call from several threads at once.
        """
        parts = self._fitted
        encoded = parts.encoder.transform(batch)
        errors = mean_errors(parts.members, encoded.matrix, parts.device)
        # In the very steps that scaled the calibration scores: of rows that are equal to the one
        # at the threshold, the least difference in rounding would flag all.
        scores = raw_scores(errors) / float(parts.scale)
        errors /= parts.scale
        width = encoded.matrix.shape[1]
        outright = self.outright
        # The mean over features is what a row scores: a moved constant adds `outright` to it, as does
        # a number far beyond all that were learned.
        added = np.float32(outright * width)
        moved = encoded.changed_constants * added
        errors[:, : encoded.out_of_range.shape[1]] += encoded.out_of_range * added
        scores = (
            scores + (encoded.changed_constants.sum(axis=1) + encoded.out_of_range.sum(axis=1)) * outright
        )
        scores = np.where(encoded.infinite, np.maximum(scores, outright), scores)
        scores = np.where(encoded.unscorable, np.nan, scores)
        with np.errstate(invalid="ignore"):
            flagged = scores > threshold
        return Verdicts(
            scores,
            parts.calibration.p_values(scores),
            flagged,
            encoded.unscorable,
            self._shares(np.concatenate([errors, moved], axis=1)),
            encoded,
        )

    def score_matrix(self, matrix: Matrix) -> Floats:
        """Scores [rows] of encoded rows [rows, features] alone; constants are not looked at."""
        parts = self._fitted
        return raw_scores(mean_errors(parts.members, matrix, parts.device)) / float(parts.scale)

    def _shares(self, errors: Matrix) -> Matrix:
        columns = self.columns
        places = {name: index for index, name in enumerate(columns)}
        owners = [places[name] for name in self._fitted.encoder.owners]
        if len(columns) == len(owners):
            shares = errors
        else:
            shares = np.zeros((len(errors), len(columns)), dtype=np.float32)
            for feature, column in enumerate(owners):
                shares[:, column] += errors[:, feature]
        return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), np.float32(1e-30)))

    def score(
        self,
        data: Data,
        *,
        threshold: float | None = None,
        alert_rate: float | None = None,
        prefix: str = "",
        history: Data | None = None,
    ) -> pd.DataFrame:
        """The rows of `data` with the columns that `aedetect score` adds, as one DataFrame.

        Of time series, `history` holds rows that went before, which are not scored again.
        Raises DataError or ModelError where the data cannot be read or lack columns.
        """
        from aedetect.tasks.score import score_to_table

        before = as_inputs(history, self.config.data) if history is not None else ()
        limit = self.threshold_at(threshold, alert_rate)
        table = score_to_table(self, as_inputs(data, self.config.data), limit, prefix, before)
        return table.to_pandas()  # type: ignore[no-any-return]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file. Raises OutputError where that fails."""
        parts = self._fitted
        write_bundle(
            path,
            parts.encoder.schema,
            parts.encoder.state,
            self.config,
            parts.summary,
            parts.tensors(),
            parts.series.state if parts.series else None,
        )

    @property
    def _fitted(self) -> Parts:
        if self._parts is None:
            raise UsageError("this Detector is not fitted yet; call fit, or load a model file")
        return self._parts


def load(path: str | os.PathLike[str], *, device: str = "auto", sha256: str | None = None) -> Detector:
    """The Detector in the model file at `path`; runs no code from it.

    Raises ModelError for a file that is missing, damaged, too new, no model file, or one whose
    digest is not `sha256`.
    """
    manifest, tensors, digest = read_bundle(path, sha256)
    detector = Detector(manifest.config)
    detector._parts = Parts.of_bundle(manifest, tensors, digest, pick_device(device), str(path))
    return detector
