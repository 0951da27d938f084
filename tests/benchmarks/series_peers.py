"""Other detectors of time series, as the benchmark runs them: on windows of standardised values."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from series_data import Array, Series
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

WINDOW, TRAIN_WINDOWS, SMOOTHED = 100, 5_000, 25
SHARE_KEPT = 0.9
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Scored:
    """Scores [rows] of the whole series, and what getting them cost."""

    scores: Array
    fit_s: float
    score_s: float


class Residual:
    """What the principal components of the training windows, `SHARE_KEPT` of their variance, leave over."""

    def __init__(self, seed: int):
        from sklearn.decomposition import PCA

        self._pca = PCA(SHARE_KEPT, svd_solver="full")

    def fit(self, windows: Array) -> Residual:
        self._pca.fit(windows)
        return self

    def decision_function(self, windows: Array) -> Array:
        rebuilt = self._pca.inverse_transform(self._pca.transform(windows))
        return np.asarray(((windows - rebuilt) ** 2).mean(axis=1))


@dataclass(frozen=True)
class WindowPeer:
    """A detector of rows, given windows: a row's score is the mean over the windows that contain it."""

    name: str
    make: Callable[[int], Any]

    def available(self) -> bool:
        """Whether the packages that it needs are there; says so where not."""
        try:
            self.make(0)
        except ImportError as missing:
            print(f"{self.name} is left out: {missing}", file=sys.stderr)
            return False
        return True

    def run(self, series: Series, seed: int) -> Scored:
        import torch

        # With several threads, PyOD's small batches are many times slower on a busy machine.
        torch.set_num_threads(1)
        with threadpool_limits(1):
            clock = time.perf_counter()
            values = _standardised(series)
            # The training part may be shorter than a window twice over.
            window = min(WINDOW, int(series.train.sum()) // 2)
            learned = _windows(values[series.train], window)
            places = np.linspace(0, len(learned) - 1, min(TRAIN_WINDOWS, len(learned))).astype(int)
            detector = self.make(seed).fit(_flat(learned[places]))
            fit = time.perf_counter() - clock
            clock = time.perf_counter()
            views = _windows(values, window)
            raw = np.concatenate(
                [
                    np.ravel(detector.decision_function(_flat(views[start : start + _AT_ONCE])))
                    for start in range(0, len(views), _AT_ONCE)
                ]
            )
            scores = averaged(raw, window)
            return Scored(scores, fit, time.perf_counter() - clock)


@dataclass(frozen=True)
class Deviation:
    """The trivial one: the mean |z| of a row against the training part, smoothed."""

    name: str = "smoothed z"

    def available(self) -> bool:
        return True

    def run(self, series: Series, seed: int) -> Scored:
        clock = time.perf_counter()
        size = np.abs(_standardised(series)).mean(axis=1)
        ones = np.ones(SMOOTHED)
        counts = np.convolve(np.ones(len(size)), ones, mode="same")
        scores = np.convolve(size, ones, mode="same") / counts
        return Scored(scores, 0.0, time.perf_counter() - clock)


Peer = WindowPeer | Deviation


def averaged(raw: Array, window: int) -> Array:
    """Scores of rows [rows] from those of windows [rows - window + 1], by the windows that contain a row."""
    sums = np.concatenate([[0.0], np.cumsum(raw, dtype=np.float64)])
    rows = np.arange(len(raw) + window - 1)
    first, last = np.maximum(rows - window + 1, 0), np.minimum(rows, len(raw) - 1) + 1
    return np.asarray((sums[last] - sums[first]) / (last - first))


def _standardised(series: Series) -> Array:
    values = series.values
    spread = values[series.train].std(axis=0)
    spread[spread < 1e-9] = 1.0
    return np.asarray((values - values[series.train].mean(axis=0)) / spread, dtype=np.float32)


def _windows(values: Array, window: int) -> Array:
    return np.lib.stride_tricks.sliding_window_view(values, window, axis=0)


def _flat(windows: Array) -> Array:
    return np.ascontiguousarray(windows).reshape(len(windows), -1)


def _pyod(module: str, name: str, seeded: bool = True, **settings: Any) -> Callable[[int], Any]:
    def make(seed: int) -> Any:
        kind = getattr(import_module(f"pyod.models.{module}"), name)
        return kind(**settings, **({"random_state": seed} if seeded else {}))

    return make


PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        WindowPeer("Sub-PCA", Residual),
        WindowPeer("KNN", _pyod("knn", "KNN", seeded=False, n_neighbors=5)),
        WindowPeer("IForest", _pyod("iforest", "IForest")),
        WindowPeer("AutoEncoder", _pyod("auto_encoder", "AutoEncoder", verbose=0, device="cpu")),
        Deviation(),
    )
}
