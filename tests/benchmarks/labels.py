"""A few known anomalies: what `train --label` gains from them, beside PyOD's XGBOD and DevNet.

Data and split: as in tabular.py, seed 0 (`make bench-labels`). A set takes part where its test rows have at
least 40 anomalies. For K = 5, 10 and 20, K of these, drawn with default_rng(K), are known: they join the
training rows, which are normal, with a label. All are judged on the same rows: the test rows but those that
are known with any K. --sets N: so many sets of all folders together, drawn with default_rng(1).

aedetect runs through its command line with default settings and `--label`; K = 0 is aedetect without known
anomalies. XGBOD and DevNet (PyOD's defaults, one thread, seed 0) get standardised columns and the same rows;
a peer that fails on a set is left out there. XGBOD learns from at most 2,000 normal rows, drawn with
default_rng(0).

Printed: average precision and AUROC in percent, means over the sets, and the gain over aedetect without known
anomalies, with standard errors over the sets.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import aedetect
from sklearn.metrics import average_precision_score, roc_auc_score
from tabular_data import Array, Source, Task, chosen_sources, split
from tabular_peers import columns_of
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

KNOWN = (5, 10, 20)
LEAST_ANOMALIES = 40
MOST_XGBOD_ROWS = 2_000
LABEL = "known anomaly"
PEERS = {"XGBOD": ("xgbod", {"random_state": 0}), "DevNet": ("devnet", {"random_seed": 0, "device": "cpu"})}


@dataclass(frozen=True)
class Case:
    """Training rows, of which the marked ones are known anomalies [rows], and the rows to judge."""

    train: pd.DataFrame
    marked: Array
    test: pd.DataFrame
    labels: Array


def cases(task: Task) -> Iterator[tuple[int, Case]]:
    """How many anomalies are known, and the rows; none where a set has too few anomalies."""
    anomalies = np.flatnonzero(task.labels == 1)
    if len(anomalies) < LEAST_ANOMALIES:
        return
    drawn = {count: np.random.default_rng(count).choice(anomalies, count, replace=False) for count in KNOWN}
    left = np.ones(len(task.test), dtype=bool)
    left[np.concatenate(list(drawn.values()))] = False
    for count in (0, *KNOWN):
        known = task.test.iloc[drawn.get(count, [])]
        marked = np.r_[np.zeros(len(task.train), dtype=int), np.ones(len(known), dtype=int)]
        yield count, Case(pd.concat([task.train, known]), marked, task.test[left], task.labels[left])


def ours(case: Case) -> Array:
    """Scores of aedetect. Raises RuntimeError where the command line ends with an error."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case.train.assign(**{LABEL: case.marked}).to_parquet(folder / "train.parquet", index=False)
        case.test.to_parquet(folder / "test.parquet", index=False)
        aedetect("train", folder / "train.parquet", "-o", folder / "m.aed", "--label", LABEL)
        aedetect("score", folder / "test.parquet", "-m", folder / "m.aed", "-o", folder / "out.parquet")
        scores = pd.read_parquet(folder / "out.parquet")["anomaly_score"]
    # A row without a score counts as the strangest.
    return scores.astype(float).fillna(np.inf).to_numpy(dtype=float)


def peers_scores(name: str, case: Case) -> Array:
    import torch

    torch.set_num_threads(1)
    module, settings = PEERS[name]
    train, marked = case.train, case.marked
    if name == "XGBOD" and len(train) > MOST_XGBOD_ROWS:
        normal = np.random.default_rng(0).permutation(np.flatnonzero(marked == 0))
        rows = np.r_[normal[:MOST_XGBOD_ROWS], np.flatnonzero(marked)]
        train, marked = train.iloc[rows], marked[rows]
    columns = columns_of(nominal=False)
    # DevNet prints every epoch.
    with threadpool_limits(1), warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        detector = getattr(import_module(f"pyod.models.{module}"), name)(**settings)
        detector.fit(columns.fit_transform(train), marked)
        return np.asarray(detector.decision_function(columns.transform(case.test)), dtype=float).ravel()


def measured(source: Source) -> Iterator[dict[str, Any]]:
    for count, case in cases(split(source, 0)):
        scores = {"aedetect": ours(case)}
        for name in PEERS if count else ():
            try:
                scores[name] = peers_scores(name, case)
            except Exception as error:
                print(f"{source.name}: {name} failed: {str(error)[:100]}", file=sys.stderr)
        for name, values in scores.items():
            # Beyond all others, where there is no number.
            ranked = np.nan_to_num(values, nan=np.finfo(float).max, posinf=np.finfo(float).max)
            quality = (average_precision_score(case.labels, ranked), roc_auc_score(case.labels, ranked))
            where = {"collection": source.collection, "set": source.name}
            yield where | {"known": count, "detector": name, "ap": quality[0], "auroc": quality[1]}


def report(figures: pd.DataFrame) -> str:
    figures = figures.assign(set=figures["collection"] + "/" + figures["set"])
    ap = 100 * figures.pivot(index="set", columns=["detector", "known"], values="ap")
    areas = 100 * figures.pivot(index="set", columns=["detector", "known"], values="auroc")
    base = ap["aedetect", 0]
    lines = [
        f"{'detector':10} {'known':>5} {'sets':>5} {'AP':>6} {'AUROC':>6} {'AP gained':>16} {'worst':>7}"
    ]
    for detector, known in sorted(ap.columns):
        gain = (ap[detector, known] - base).dropna()
        change = f"{gain.mean():+.1f} ± {gain.sem():.1f}"
        means = (
            f"{ap[detector, known][gain.index].mean():6.1f} {areas[detector, known][gain.index].mean():6.1f}"
        )
        lines.append(f"{detector:10} {known:5} {len(gain):5} {means} {change:>16} {gain.min():+7.1f}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, action="append", required=True, metavar="DIR")
    parser.add_argument("--sets", type=int, metavar="N")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write the raw figures")
    options = parser.parse_args()
    sets = chosen_sources({folder.resolve().name: folder for folder in options.data}, [], quick=False)
    if options.sets:
        places = np.random.default_rng(1).permutation(len(sets))[: options.sets]
        sets = [sets[place] for place in places]
    rows: list[dict[str, Any]] = []
    for source in sets:
        rows += measured(source)
        if options.csv and rows:
            pd.DataFrame(rows).to_csv(options.csv, index=False)
        print(source.name, flush=True)
    print("\n" + report(pd.DataFrame(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
