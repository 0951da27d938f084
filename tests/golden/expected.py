"""The expected results as files: where they lie, how they are read, and how they are written anew."""

from __future__ import annotations

import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from golden.cases import CASES
from golden.machine import machine
from golden.running import HERE, run
from golden.surface import api, flags, frames, scores

from aedetect.errors import AedetectWarning

FOLDER = HERE / "expected"
SURFACE = {"flags": flags, "api": api, "frames": frames}
KINDS = ("table", "series")


def read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def read_scores(kind: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(np.load(FOLDER / f"scores-{kind}.npy"))


def write_all() -> None:
    """Everything anew but the scores of version 0.1.0; files of cases that are no more go away."""
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", AedetectWarning)
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.name != "machine.json":
            path.unlink()
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            _write(case.name, run(case, Path(folder).resolve()))
    for name, tell in SURFACE.items():
        _write(name, tell())
    if not all((FOLDER / f"scores-{kind}.npy").exists() for kind in KINDS):
        for kind in KINDS:
            np.save(FOLDER / f"scores-{kind}.npy", scores(kind))
        _write("machine", machine())


def _write(name: str, value: Any) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
