"""The Detector: from a batch of rows to scores. Everything else is a thin layer over it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from aedetect.bundle import TrainingSummary, read_bundle, write_bundle
from aedetect.config import Config
from aedetect.errors import ModelError, UsageError
from aedetect.features import Encoded, FeatureEncoder
from aedetect.fitting import fit
from aedetect.fitting.fit import SeriesParts, raw_scores
from aedetect.fitting.series import fit_series
from aedetect.inference import mean_errors, single_threaded
from aedetect.inputs import Data, as_inputs
from aedetect.models.companion import Companion
from aedetect.monitor import Monitor
from aedetect.parts import Parts
from aedetect.schema import Schema
from aedetect.thresholds import Calibration
from aedetect.training.device import pick_device

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import torch

    from aedetect.conversion import Job

Floats = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

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
    shares: np.ndarray[Any, np.dtype[np.float32]]
    encoded: Encoded
    warmup: Mask | None = None
    events: np.ndarray[Any, np.dtype[np.int64]] | None = None


class Detector:
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
    ) -> Self:
        """Learn from `data`: a DataFrame, an Arrow table, or one or more paths.

        `checkpoint` names a file to save progress in; with `resume` training goes on from it.
        Raises DataError where the data cannot be learned from, UsageError for settings at odds
        with them.
        """
        path = Path(checkpoint) if checkpoint is not None else None
        inputs, monitor = as_inputs(data, self.config.data), monitor or Monitor()
        if self.config.series.time is None:
            fitted = fit(inputs, self.config, monitor, path, resume)
        else:
            fitted = fit_series(inputs, self.config, monitor)
        self._parts = Parts.of_fitted(fitted)
        return self

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
            raise ModelError("the model has no code member, which older versions left out; train it anew")
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
        """This detector with the scoring settings of `settings`, and its threshold where one is set there."""
        update: dict[str, Any] = {"scoring": settings.scoring}
        if "threshold" in settings.model_fields_set:
            update["threshold"] = settings.threshold
        other = Detector(self.config.model_copy(update=update))
        other._parts = self._parts
        return other

    @property
    def normal_rows(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """A sample of the encoded rows learned from [rows, features]; none in older model files."""
        return self._fitted.normal_rows

    def scores_of(self, matrix: np.ndarray[Any, np.dtype[np.float32]]) -> Floats:
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
        # The mean over features is what a row scores: a moved constant adds `outright` to it.
        moved = encoded.moved.astype(np.float32) * np.float32(outright * width)
        scores = scores + encoded.moved.sum(axis=1) * outright
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

    def score_matrix(self, matrix: np.ndarray[Any, np.dtype[np.float32]]) -> Floats:
        """Scores [rows] of encoded rows [rows, features] alone; constants are not looked at."""
        parts = self._fitted
        return raw_scores(mean_errors(parts.members, matrix, parts.device)) / float(parts.scale)

    def _shares(self, errors: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
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
        from aedetect.scoring import score_to_table

        before = as_inputs(history, self.config.data) if history is not None else ()
        limit = self.threshold_at(threshold, alert_rate)
        table = score_to_table(self, as_inputs(data, self.config.data), limit, prefix, before)
        return table.to_pandas()  # type: ignore[no-any-return]

    def encode(self, data: Data) -> pd.DataFrame:
        """The id columns of `data` and each row's code, z0, z1, …; NaN where a row cannot be read.

        Raises DataError or ModelError where the data cannot be read or lack columns.
        """
        from aedetect.recoding import Encode

        return self._converted(Encode(self), data)

    def decode(self, codes: Data) -> pd.DataFrame:
        """Rows in the model's columns, rebuilt from what `encode` gave; other columns are kept.

        Raises DataError or ModelError where `codes` are none of this model's.
        """
        from aedetect.recoding import Decode

        return self._converted(Decode(self), codes)

    def clean(self, data: Data, *, noise: float = 0.5, only_anomalous_cells: bool = False) -> pd.DataFrame:
        """`data` without noise of this size (in standard deviations) on its numbers.

        Values that no row can have are put right too. With `only_anomalous_cells`, the cells to
        blame for a flagged row are replaced, and nothing else. Raises as `score` does.
        """
        from aedetect.repairing import Clean, CleanOptions

        threshold = self.threshold if only_anomalous_cells else None
        return self._converted(Clean(self, CleanOptions(noise, threshold)), data)

    def impute(
        self, data: Data, *, mark: bool = False, draws: int | None = None, seed: int = 0
    ) -> pd.DataFrame:
        """`data` with missing cells filled with what is expected there, observed cells as they are.

        `mark` adds the column `imputed`, which names each row's filled cells. `draws` gives so many
        plausible fills of each row instead, numbered in the column `draw`. Raises as `score` does.
        """
        from aedetect.repairing import Impute

        return self._converted(Impute(self, mark, draws, seed), data)

    def sample(self, count: int, *, seed: int = 0, where: dict[str, str] | None = None) -> pd.DataFrame:
        """`count` new rows like those learned from, with the categories that `where` asks for.

        Raises UsageError for categories that the model does not know.
        """
        import pyarrow as pa

        from aedetect.drawing import sample_batches, sample_schema

        batches = list(sample_batches(self, count, seed, where))
        return pa.Table.from_batches(batches, sample_schema(self)).to_pandas()  # type: ignore[no-any-return]

    def _converted(self, job: Job, data: Data) -> pd.DataFrame:
        from aedetect.conversion import convert_to_table

        table = convert_to_table(job, as_inputs(data, self.config.data))
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


def load(path: str | os.PathLike[str], *, device: str = "auto") -> Detector:
    """The Detector in the model file at `path`; runs no code from it.

    Raises ModelError for a file that is missing, damaged, too new, or no model file.
    """
    manifest, tensors, digest = read_bundle(path)
    detector = Detector(manifest.config)
    detector._parts = Parts.of_bundle(manifest, tensors, digest, pick_device(device), str(path))
    return detector
