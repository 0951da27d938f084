"""What programs and scripts lean on: flags of commands, names and parameters of the Python interface."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pandas as pd
import typer
import typer.main
from golden.running import HERE

import aedetect
from aedetect.cli.main import app
from aedetect.sklearn import AutoencoderDetector

# Public by their names alone: parts that the package's own modules pass to one another.
OWN = {"score_batch", "score_matrix", "scores_of", "threshold_at", "adjusted"}


def flags() -> dict[str, list[str]]:
    """Of each command the flags that it takes."""
    return _flags(typer.main.get_command(app), "aedetect")


def _flags(command: Any, name: str) -> dict[str, list[str]]:
    parameters = command.get_params(typer.Context(command))
    options = [parameter for parameter in parameters if parameter.param_type_name == "option"]
    found = {name: sorted(flag for option in options for flag in (*option.opts, *option.secondary_opts))}
    for inner, part in getattr(command, "commands", {}).items():
        found |= _flags(part, f"{name} {inner}")
    return found


def api() -> dict[str, list[str]]:
    """Public names, and of each public callable its parameters."""
    detector = aedetect.Detector
    methods = {
        f"Detector.{name}": _parameters(method)
        for name, method in inspect.getmembers(detector, inspect.isfunction)
        if not name.startswith("_") and name not in OWN
    }
    return {
        "aedetect": sorted(aedetect.__all__),
        "load": _parameters(aedetect.load),
        "tune": _parameters(aedetect.tune),
        "Detector": _parameters(detector),
        **methods,
        "AutoencoderDetector": _parameters(AutoencoderDetector),
        "AutoencoderDetector.methods": [
            name
            for name in ("decision_function", "fit", "fit_predict", "predict", "score_samples")
            if callable(getattr(AutoencoderDetector, name, None))
        ],
    }


def _parameters(what: Any) -> list[str]:
    return [
        f"{name}={value.default!r}" if value.default is not value.empty else name
        for name, value in inspect.signature(what).parameters.items()
        if name != "self"
    ]


def stored(kind: str) -> aedetect.Detector:
    """The stored model of tables or of series."""
    return aedetect.load(HERE / "models" / f"{kind}-0.1.0.aed", device="cpu")


def scores(kind: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Scores and p-values of the new rows, to the last bit; NaN where there are none; [rows, 2]."""
    scored = stored(kind).score(HERE / "inputs" / f"{kind}-new.csv")
    return scored[["anomaly_score", "anomaly_p_value"]].to_numpy(dtype=np.float64)


def frames() -> dict[str, list[str]]:
    """Columns and types of what the methods of a Detector return for a DataFrame."""
    detector, rows = stored("table"), pd.read_csv(HERE / "inputs" / "table-more.csv")
    series = stored("series")
    late, early = (pd.read_csv(HERE / "inputs" / f"series-{part}.csv") for part in "ba")
    codes = detector.encode(rows)
    found = {
        "score": detector.score(rows, prefix="ae_", alert_rate=0.1),
        "encode": codes,
        "decode": detector.decode(codes),
        "clean": detector.clean(rows, only_anomalous_cells=True),
        "impute": detector.impute(rows, mark=True),
        "sample": detector.sample(5, where={"site": "west"}),
        "score series": series.score(late.dropna(), history=early.drop(index=100)),
    }
    return {name: [f"{len(frame)} rows", *_types(frame)] for name, frame in found.items()}


def _types(frame: pd.DataFrame) -> list[str]:
    # What holds text is `str` from pandas 3 on, and `object` before, as is what holds text and gaps.
    return [
        f"{name}: {'text' if str(kind) in ('str', 'object') else kind}" for name, kind in frame.dtypes.items()
    ]
