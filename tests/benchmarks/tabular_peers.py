"""PyOD's detectors, as the tabular benchmark runs them."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from tabular_data import Array, Scored, Task
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

LUNAR_ROWS = 4_000


@dataclass(frozen=True)
class Peer:
    """One of PyOD's detectors; `kind` is its class where that is not named like the detector."""

    name: str
    module: str
    settings: tuple[tuple[str, Any], ...] = ()
    seeded: bool = True
    most_rows: int | None = None
    kind: str = ""

    def available(self) -> bool:
        """Whether the packages that it needs are there; says so where not."""
        try:
            self._kind()
        except ImportError as missing:
            print(f"{self.name} is left out: {missing}", file=sys.stderr)
            return False
        return True

    def takes(self, task: Task) -> bool:
        return self.most_rows is None or len(task.train) <= self.most_rows

    def run(self, task: Task) -> Scored:
        import torch

        # With several threads, PyOD's small batches are many times slower on a busy machine.
        torch.set_num_threads(1)
        seed = {"random_state": task.seed} if self.seeded else {}
        with threadpool_limits(1):
            clock = time.perf_counter()
            columns = columns_of(task.nominal)
            detector = self._kind()(**dict(self.settings), **seed).fit(columns.fit_transform(task.train))
            fit = time.perf_counter() - clock
            clock = time.perf_counter()
            scores = np.asarray(detector.decision_function(columns.transform(task.test)), dtype=np.float64)
            seconds = time.perf_counter() - clock
        return Scored(scores.ravel(), fit, len(task.test) / seconds)

    def _kind(self) -> Any:
        return getattr(import_module(f"pyod.models.{self.module}"), self.kind or self.name)


def columns_of(nominal: bool) -> Any:
    """Standardised columns; what is not a finite number becomes the median of the training rows."""
    if nominal:
        return make_pipeline(OneHotEncoder(handle_unknown="ignore", sparse_output=False), StandardScaler())
    # A column without any finite training value becomes 0.
    medians = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(FunctionTransformer(_finite_or_nan), medians, StandardScaler())


def _finite_or_nan(table: pd.DataFrame) -> Array:
    values = table.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


PEERS = {
    peer.name: peer
    for peer in (
        Peer("KNN", "knn", (("n_neighbors", 5), ("method", "largest")), seeded=False),
        Peer("nearest row", "knn", (("n_neighbors", 1),), seeded=False, kind="KNN"),
        Peer("LUNAR", "lunar", most_rows=LUNAR_ROWS),
        Peer("LOF", "lof", seeded=False),
        Peer("CBLOF", "cblof"),
        Peer("IForest", "iforest"),
        Peer("PCA", "pca"),
        Peer("ECOD", "ecod", seeded=False),
        Peer("AutoEncoder", "auto_encoder", (("verbose", 0), ("device", "cpu"))),
    )
}
