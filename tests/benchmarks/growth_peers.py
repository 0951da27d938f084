"""Other detectors on the benchmark's files: `python growth_peers.py DETECTOR TRAINING_FILE FILE OUTPUT`.

A process as a user would write it: it reads the training file with pandas, fits, reads the other file,
scores it and writes the scores as Parquet; settings are the detector's own. Standard output gets one JSON
object: seconds, CPU seconds and peak memory up to the end of fitting, imports included, and from there to
the end. Neither a model nor columns' roles, p-values or verdicts are written. Series are rows of numbers to
these detectors, and categories the numbers of their order in the alphabet."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_TICKS = os.sysconf("SC_CLK_TCK")
# Class, settings, and whether columns are standardised first.
_CLASSES: dict[str, tuple[str, str, dict[str, Any], bool]] = {
    "IsolationForest": ("sklearn.ensemble", "IsolationForest", {"random_state": 0}, False),
    "PyOD IForest": ("pyod.models.iforest", "IForest", {"random_state": 0}, False),
    "PyOD ECOD": ("pyod.models.ecod", "ECOD", {}, False),
    "PyOD KNN": ("pyod.models.knn", "KNN", {}, True),
    "PyOD AutoEncoder": (
        "pyod.models.auto_encoder",
        "AutoEncoder",
        {"verbose": 0, "device": "cpu", "random_state": 0},
        True,
    ),
}
H2O = "H2O autoencoder"
NAMES = (*_CLASSES, H2O)


class Meter:
    """Costs of this process and those it started, from one mark to the next."""

    def __init__(self) -> None:
        # This process began before its imports did; the system tells when.
        self._clock, self._cpu = time.time() - _age(), 0.0

    def mark(self) -> dict[str, float]:
        now, cpu = time.time(), time.process_time() + sum(map(_cpu_of, _children()))
        costs = {"seconds": now - self._clock, "cpu_s": cpu - self._cpu, "peak_mb": _peak_mb()}
        self._clock, self._cpu = now, cpu
        return costs


def _age() -> float:
    started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / _TICKS
    return float(Path("/proc/uptime").read_text().split()[0]) - started


def _children() -> list[int]:
    return [int(word) for word in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def _cpu_of(child: int) -> float:
    words = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICKS


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for child in _children():
        lines = Path(f"/proc/{child}/status").read_text().splitlines()
        peak += sum(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
    return peak


class Python:
    """A detector of scikit-learn or PyOD, given what pandas reads."""

    def __init__(self, name: str):
        self._name = name

    def fit(self, path: str) -> None:
        from sklearn.compose import make_column_selector, make_column_transformer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OrdinalEncoder, StandardScaler

        place, kind, settings, standardised = _CLASSES[self._name]
        if self._name == "PyOD AutoEncoder":
            import torch

            # With several threads, its small batches are many times slower on a busy machine.
            torch.set_num_threads(1)
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        text = make_column_selector(dtype_exclude="number")
        steps = [make_column_transformer((codes, text), remainder="passthrough")]
        self._columns = make_pipeline(*steps, *([StandardScaler()] if standardised else []))
        self._detector = getattr(import_module(place), kind)(**settings)
        self._detector.fit(self._columns.fit_transform(_table(path)))

    def score(self, path: str) -> np.ndarray[Any, Any]:
        scores: np.ndarray[Any, Any] = self._detector.decision_function(self._columns.transform(_table(path)))
        return scores

    def close(self) -> None:
        """Nothing is open."""


def _table(path: str) -> pd.DataFrame:
    import pandas as pd

    read = pd.read_csv if path.endswith(".csv") else pd.read_parquet
    # Times and names of series mean nothing to a detector of rows.
    return read(path).drop(columns=["time", "series"], errors="ignore")


class Java:
    """H2O's autoencoder, which reads the files itself, in a Java server of its own."""

    def __init__(self) -> None:
        import h2o

        self._h2o = h2o
        # Standard output is for the result.
        h2o.no_progress()
        h2o.init(verbose=False, strict_version_check=False, bind_to_localhost=True)

    def fit(self, path: str) -> None:
        from h2o.estimators import H2OAutoEncoderEstimator

        frame = self._h2o.import_file(path)
        columns = [name for name in frame.columns if name not in ("time", "series")]
        self._model = H2OAutoEncoderEstimator(seed=0)
        self._model.train(x=columns, training_frame=frame)
        self._h2o.remove(frame.frame_id)

    def score(self, path: str) -> np.ndarray[Any, Any]:
        frame = self._model.anomaly(self._h2o.import_file(path))
        scores: np.ndarray[Any, Any] = frame.as_data_frame(use_multi_thread=False).to_numpy().ravel()
        return scores

    def close(self) -> None:
        self._h2o.cluster().shutdown()


def main(name: str, training: str, path: str, output: str) -> None:
    meter = Meter()
    detector = Java() if name == H2O else Python(name)
    detector.fit(training)
    costs = {"train": meter.mark()}
    import pandas as pd

    pd.DataFrame({"score": detector.score(path)}).to_parquet(output)
    costs["score"] = meter.mark()
    print("\n" + json.dumps(costs))
    detector.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
