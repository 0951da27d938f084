"""Detection quality on labelled tables, beside PyOD's detectors (`make bench-tabular`).

Data: a folder of Parquet files, one a data set, with numeric columns f0, f1, ..., `label` (1: an
anomaly) and `part` ('train' or 'test'); for example ADBench's classical sets (Han et al., NeurIPS 2022).
Name it with --data or the environment variable AEDETECT_BENCH_DATA.

Protocol (semi-supervised): fit on the rows of part 'train', all normal; score those of part 'test',
the other normal rows and all anomalies. AUROC and average precision (AP) are over the test rows,
'alarms' is the share of normal test rows that were flagged at --alert-rate. A row without a score
would count as the strangest. aedetect runs through its command line with default settings
(AEDETECT_... variables change them); its times are those of its summary, reading and writing included,
so on a small table the rows/s are mostly fixed costs. PyOD's detectors run in this process, on
arrays in memory, with their defaults, on standardised columns and with one thread. LUNAR is left out
where there are more than 4,000 rows to train on.

Seeds: seed 0 is the `part` in the file. For seed S > 0 the normal rows of the table, in their order,
are shuffled with numpy's default_rng(1000 + S) and cut in half, the first half for training;
aedetect then trains with seed S.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import aedetect, machine
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

QUICK = 10
LUNAR_ROWS = 4_000
FIGURES = ("auroc", "ap", "fit_s", "rows_per_s", "alarms")


def split(path: Path, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray[Any, Any]]:
    """Training rows, test rows, and labels of the test rows."""
    frame = pd.read_parquet(path)
    if seed:
        normal = np.flatnonzero(frame["label"] == 0)
        chosen = np.random.default_rng(1000 + seed).permutation(normal)[: len(normal) // 2]
        train = np.zeros(len(frame), dtype=bool)
        train[chosen] = True
    else:
        train = (frame["part"] == "train").to_numpy()
    features = frame.drop(columns=["label", "part"])
    return features[train], features[~train], frame["label"].to_numpy()[~train]


def ours(train: pd.DataFrame, test: pd.DataFrame, labels: Any, seed: int, rate: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        normal, new, model, out = (folder / file for file in ("n.parquet", "t.parquet", "m.aed", "o.parquet"))
        train.to_parquet(normal, index=False)
        test.to_parquet(new, index=False)
        fitted = aedetect("train", normal, "-o", model, "--alert-rate", str(rate), "--seed", str(seed))
        scored = aedetect("score", new, "-m", model, "-o", out)
        result = pd.read_parquet(out)
    scores = result["anomaly_score"].astype(float).fillna(np.inf)
    flagged = result["is_anomaly"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    return {
        **quality(labels, scores.to_numpy()),
        "fit_s": fitted.summary["seconds"],
        "rows_per_s": len(test) / scored.summary["seconds"],
        "alarms": float(flagged[labels == 0].mean()),
    }


def quality(labels: Any, scores: np.ndarray[Any, Any]) -> dict[str, float]:
    finite = scores[np.isfinite(scores)]
    scores = np.nan_to_num(scores, nan=finite.max() + 1, posinf=finite.max() + 1)
    return {"auroc": roc_auc_score(labels, scores), "ap": average_precision_score(labels, scores)}


def peers(seed: int) -> dict[str, Callable[[], Any]]:
    """PyOD's detectors with their defaults, by name; those whose packages are lacking are left out."""
    from importlib import import_module

    found: dict[str, Callable[[], Any]] = {}
    for name, module, settings in (
        ("KNN", "knn", {"n_neighbors": 5, "method": "largest"}),
        ("LOF", "lof", {}),
        ("IForest", "iforest", {"random_state": seed}),
        ("PCA", "pca", {"random_state": seed}),
        ("ECOD", "ecod", {}),
        ("AutoEncoder", "auto_encoder", {"verbose": 0, "device": "cpu", "random_state": 42 + seed}),
        ("CBLOF", "cblof", {"random_state": seed}),
        ("LUNAR", "lunar", {}),
    ):
        try:
            kind = getattr(import_module(f"pyod.models.{module}"), name)
        except ImportError as missing:
            print(f"{name} is left out: {missing}", file=sys.stderr)
            continue
        found[name] = lambda kind=kind, settings=settings: kind(**settings)
    return found


def theirs(
    make: Callable[[], Any], train: pd.DataFrame, test: pd.DataFrame, labels: Any
) -> dict[str, float] | None:
    """Figures of one of PyOD's detectors, or None where it fails on this table."""
    clock = time.perf_counter()
    try:
        scaler = StandardScaler()
        detector = make().fit(scaler.fit_transform(train.to_numpy(dtype=np.float64)))
        fit = time.perf_counter() - clock
        clock = time.perf_counter()
        scores = np.asarray(detector.decision_function(scaler.transform(test.to_numpy(dtype=np.float64))))
        rate = len(test) / (time.perf_counter() - clock)
        return {**quality(labels, scores.ravel()), "fit_s": fit, "rows_per_s": rate, "alarms": np.nan}
    except (ValueError, RuntimeError, ArithmeticError) as error:
        print(f"  {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr)
        return None


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("AEDETECT_BENCH_DATA"), help="folder")
    parser.add_argument("--sets", help="names of sets, with commas between; default: all")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} sets, spread over the alphabet")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="seeds 0 to N - 1 (default 1)")
    parser.add_argument("--alert-rate", type=float, default=0.05, metavar="R", help="default 0.05")
    parser.add_argument("--peers", action="store_true", help="run PyOD's detectors too")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all figures to a CSV file")
    options = parser.parse_args()
    if options.data is None:
        parser.error("say with --data, or AEDETECT_BENCH_DATA, where the Parquet files are")
    paths = sorted(Path(options.data).glob("*.parquet"))
    if options.sets:
        asked = options.sets.split(",")
        paths = [path for path in paths if path.stem in asked]
    if options.quick:
        paths = [paths[index] for index in np.linspace(0, len(paths) - 1, min(QUICK, len(paths))).astype(int)]
    if not paths:
        parser.error(f"no such data sets in {options.data}")
    # AEDETECT_BENCH_DATA is ours, not a setting of the program.
    os.environ.pop("AEDETECT_BENCH_DATA", None)
    print(f"{machine('pyod', 'scikit-learn')}")
    print(f"{len(paths)} sets, seeds 0 to {options.seeds - 1}, alert rate {options.alert_rate}\n")
    figures = measure(paths, options)
    if options.csv:
        figures.to_csv(options.csv, index=False)
    report(figures)
    return 0


def measure(paths: list[Path], options: argparse.Namespace) -> pd.DataFrame:
    if options.peers:
        import torch

        torch.set_num_threads(1)
    line = "{:<16}{:<12}{:>5}{:>8}{:>6}{:>8}{:>8}{:>9}{:>11}{:>9}"
    print(line.format("set", "detector", "seed", "n", "d", "AUROC", "AP", "fit s", "rows/s", "alarms"))
    rows = []
    for path in paths:
        for seed in range(options.seeds):
            train, test, labels = split(path, seed)
            outcomes = {"aedetect": ours(train, test, labels, seed, options.alert_rate)}
            for name, make in peers(seed).items() if options.peers else ():
                if name == "LUNAR" and len(train) > LUNAR_ROWS:
                    continue
                outcome = theirs(make, train, test, labels)
                if outcome:
                    outcomes[name] = outcome
            for name, outcome in outcomes.items():
                rows.append({"set": path.stem, "detector": name, "seed": seed, **outcome})
                size = (len(train) + len(test), train.shape[1])
                print(line.format(path.stem, name, seed, *size, *shown(outcome)), flush=True)
    return pd.DataFrame(rows)


def shown(outcome: dict[str, Any]) -> tuple[str, ...]:
    alarms = "-" if np.isnan(outcome["alarms"]) else f"{outcome['alarms']:.2%}"
    return (
        f"{100 * outcome['auroc']:.2f}",
        f"{100 * outcome['ap']:.2f}",
        f"{outcome['fit_s']:.2f}",
        f"{outcome['rows_per_s']:,.0f}",
        alarms,
    )


def report(figures: pd.DataFrame) -> None:
    """Means over sets (over seeds first); each detector beside aedetect on the sets that it ran on."""
    by_set = figures.groupby(["detector", "set"], sort=False)[list(FIGURES)].mean()
    own = by_set.loc["aedetect"]
    print("\nmeans over sets (fit s, rows/s: medians); 'here' is aedetect on the same sets")
    line = "{:<12}{:>5}{:>8}{:>8}{:>9}{:>11}{:>9}   {:>8}{:>8}"
    print(line.format("detector", "sets", "AUROC", "AP", "fit s", "rows/s", "alarms", "here", "AP"))
    for detector in figures["detector"].unique():
        found = by_set.loc[detector]
        same = own.loc[found.index]
        middle = found.mean().to_dict()
        middle |= {name: found[name].median() for name in ("fit_s", "rows_per_s")}
        here = (f"{100 * same['auroc'].mean():.2f}", f"{100 * same['ap'].mean():.2f}")
        print(line.format(detector, len(found), *shown(middle), *here))


if __name__ == "__main__":
    sys.exit(main())
