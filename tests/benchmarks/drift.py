"""How often `aedetect drift` calls drift what is none, and how much of a change it notices.

For each data set of a folder of Parquet files (column `label`: 1 for anomalies): a model learns
from half of the normal rows. Of the other half, random draws of 50 to 5,000 rows are judged: each
verdict of 'drifted' is a false one. Then one numeric column of a draw of 1,000 rows is shifted by a
multiple of its standard deviation: a verdict that names the column is a right one.

    python tests/benchmarks/drift.py FOLDER > tests/benchmarks/DRIFT.md
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import aedetect
from aedetect.io.inputs import as_inputs
from aedetect.models.ensemble import single_threaded
from aedetect.tasks.drift import Drift, measure

DRAWS = 100
SIZES = (50, 200, 1000, 5000)
SHIFTS = (0.1, 0.25, 0.5, 1.0)
SETTINGS = {"training.device": "cpu", "training.epochs": 3, "model.architecture": "denoising"}


def verdict(detector: aedetect.Detector, rows: pd.DataFrame) -> Drift:
    return measure(detector.fitted, as_inputs(rows, detector.config.data))


def false_ones(
    detector: aedetect.Detector, fresh: pd.DataFrame, random: np.random.Generator
) -> dict[int, int]:
    found = {}
    for size in SIZES:
        if size <= len(fresh):
            draws = [fresh.iloc[random.choice(len(fresh), size, replace=False)] for _ in range(DRAWS)]
            found[size] = sum(verdict(detector, rows).verdict == "drifted" for rows in draws)
    return found


def right_ones(
    detector: aedetect.Detector, fresh: pd.DataFrame, random: np.random.Generator
) -> dict[float, int]:
    numeric = [c.name for c in detector.fitted.schema.columns if c.role == "numeric"]
    found = {}
    for shift in SHIFTS if numeric else ():
        found[shift] = 0
        for _ in range(DRAWS // 4):
            rows = fresh.iloc[random.choice(len(fresh), min(1000, len(fresh)), replace=False)].copy()
            name = numeric[random.integers(len(numeric))]
            rows[name] = rows[name].astype(float) + shift * rows[name].std()
            found[shift] += name in verdict(detector, rows).drifted
    return found


def main(folder: str) -> None:
    print("# Drift: false alarms on fresh normal rows, and changes noticed\n")
    print("Made by `python tests/benchmarks/drift.py FOLDER`; what is done is said there.\n")
    print(f"| data set | columns | {' | '.join(f'false, {n} rows' for n in SIZES)} | "
          f"{' | '.join(f'noticed, {s} sd' for s in SHIFTS)} |")  # fmt: skip
    print("|" + "---|" * (2 + len(SIZES) + len(SHIFTS)))
    false: dict[int, list[int]] = {size: [] for size in SIZES}
    right: dict[float, list[int]] = {shift: [] for shift in SHIFTS}
    for path in sorted(Path(folder).glob("*.parquet")):
        table = pd.read_parquet(path)
        random = np.random.default_rng(0)
        normal = table[table["label"] == 0].drop(columns="label").sample(frac=1, random_state=0)[:20_000]
        if len(normal) < 1000 or normal.shape[1] > 60:
            continue
        half = len(normal) // 2
        detector = aedetect.Detector(SETTINGS).fit(normal[:half])
        with single_threaded(detector.fitted.device):
            wrong, seen = (judge(detector, normal[half:], random) for judge in (false_ones, right_ones))
        for size, count in wrong.items():
            false[size].append(count)
        for shift, count in seen.items():
            right[shift].append(count)
        cells = [f"{wrong[size]}/{DRAWS}" if size in wrong else "" for size in SIZES]
        cells += [f"{seen[shift]}/{DRAWS // 4}" if shift in seen else "" for shift in SHIFTS]
        print(f"| {path.stem} | {normal.shape[1]} | {' | '.join(cells)} |", flush=True)
    cells = [f"{sum(false[size])}/{DRAWS * len(false[size])}" for size in SIZES]
    cells += [f"{sum(right[shift])}/{DRAWS // 4 * len(right[shift])}" for shift in SHIFTS]
    print(f"| **all** | | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(sys.argv[1])
