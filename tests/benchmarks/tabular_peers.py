"""PyOD's detectors, as the tabular benchmark runs them."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from tabular_data import Scored, Task
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

LUNAR_ROWS = 4_000


@dataclass(frozen=True)
class Peer:
    name: str
    module: str
    settings: tuple[tuple[str, Any], ...] = ()
    seeded: bool = True
    most_rows: int | None = None

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
            columns = _columns(task)
            detector = self._kind()(**dict(self.settings), **seed).fit(columns.fit_transform(task.train))
            fit = time.perf_counter() - clock
            clock = time.perf_counter()
            scores = np.asarray(detector.decision_function(columns.transform(task.test)), dtype=np.float64)
            seconds = time.perf_counter() - clock
        return Scored(scores.ravel(), fit, len(task.test) / seconds)

    def _kind(self) -> Any:
        return getattr(import_module(f"pyod.models.{self.module}"), self.name)


def _columns(task: Task) -> Any:
    if task.collection == "tabular":
        return make_pipeline(
            FunctionTransformer(pd.DataFrame.to_numpy, kw_args={"dtype": np.float64}), StandardScaler()
        )
    return make_pipeline(OneHotEncoder(handle_unknown="ignore", sparse_output=False), StandardScaler())


PEERS = {
    peer.name: peer
    for peer in (
        Peer("KNN", "knn", (("n_neighbors", 5), ("method", "largest")), seeded=False),
        Peer("LUNAR", "lunar", most_rows=LUNAR_ROWS),
        Peer("LOF", "lof", seeded=False),
        Peer("CBLOF", "cblof"),
        Peer("IForest", "iforest"),
        Peer("PCA", "pca"),
        Peer("ECOD", "ecod", seeded=False),
        Peer("AutoEncoder", "auto_encoder", (("verbose", 0), ("device", "cpu"))),
    )
}
