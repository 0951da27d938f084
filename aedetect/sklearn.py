"""A scikit-learn outlier detector over the Detector."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from aedetect.config import Config
from aedetect.detector import Detector
from aedetect.models.threads import single_threaded
from aedetect.scoring.table import TableScorer

Array = np.ndarray[Any, np.dtype[Any]]


class AutoencoderDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Outlier detection on numeric arrays by reconstruction error.

    For tables with categories, dates or gaps use `aedetect.Detector`, of which this is a layer.

    Parameters
    ----------
    contamination : 'auto' or float in (0, 0.5]
        As everywhere in scikit-learn, the share of the training rows to call outliers: `offset_` is that
        quantile of their scores. It does not change what is learned, as the setting
        `training.contamination` does. 'auto' sets the threshold so that a share `alert_rate` of fresh
        normal rows is expected beyond it.
    alert_rate : float in (0, 1)
        Used with contamination='auto'.
    architecture : str
        Name of the autoencoder.
    epochs : int or None
        Passes over the training rows; None sizes training to the data.
    random_state : int, RandomState instance or None
        Seed of the split, the weights and the noise; None means 0.

    Attributes
    ----------
    detector_ : Detector
        The fitted detector.
    offset_ : float
        Threshold on `score_samples`; lower is an outlier.
    n_features_in_ : int
        Number of columns seen in `fit`.
    """

    def __init__(
        self,
        *,
        contamination: float | str = 0.1,
        alert_rate: float = 0.01,
        architecture: str = "auto",
        epochs: int | None = None,
        random_state: Any = None,
    ):
        self.contamination = contamination
        self.alert_rate = alert_rate
        self.architecture = architecture
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: Any, y: object = None) -> Self:
        """Learn from `X` [rows, features]; `y` is ignored."""
        if self.contamination != "auto" and not (
            isinstance(self.contamination, (int, float)) and 0 < self.contamination <= 0.5
        ):
            raise ValueError(f"contamination must be 'auto' or in (0, 0.5], got {self.contamination!r}")
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        names = _names(X.shape[1])
        config = Config.build(
            overrides={
                # Roles are given by hand: an array's columns are numbers, whatever they look like.
                "data.roles": dict.fromkeys(names, "numeric"),
                "model.architecture": self.architecture,
                "training.epochs": self.epochs,
                "training.seed": _seed(self.random_state),
                "threshold.alert_rate": self.alert_rate,
            }
        )
        self.detector_ = Detector(config).fit(_table(X))
        if self.contamination == "auto":
            self.offset_ = -self.detector_.threshold
        else:
            self.offset_ = float(np.percentile(self._scores(X), 100 * float(self.contamination)))
        return self

    def score_samples(self, X: Any) -> Array:
        """The opposite of `anomaly_score`: the lower, the stranger; [rows]."""
        check_is_fitted(self)
        return self._scores(validate_data(self, X, dtype=np.float64, reset=False))

    def decision_function(self, X: Any) -> Array:
        """`score_samples` less `offset_`: negative for outliers; [rows]."""
        return np.asarray(self.score_samples(X) - self.offset_)

    def predict(self, X: Any) -> Array:
        """-1 for outliers, 1 for the rest; [rows]."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _scores(self, X: Array) -> Array:
        fitted = self.detector_.fitted
        scorer, rows = TableScorer(fitted), fitted.config.scoring.batch_rows
        with single_threaded(fitted.device):
            scores = [scorer.score_batch(batch).scores for batch in _table(X).to_batches(max_chunksize=rows)]
        return -np.concatenate(scores)


def _names(count: int) -> list[str]:
    return [f"x{index}" for index in range(count)]


def _table(X: Array) -> pa.Table:
    return pa.table(dict(zip(_names(X.shape[1]), np.ascontiguousarray(X.T), strict=True)))


def _seed(random_state: Any) -> int:
    if random_state is None:
        return 0
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(random_state.randint(2**31 - 1))
