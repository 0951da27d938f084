"""The other jobs, encode and decode, clean, impute and sample, beside peers (`make bench-jobs`).

Data: the numeric sets of `make bench-tabular` with at least 500 rows (--data or AEDETECT_BENCH_DATA), and
for imputing categories the nominal ones (--categorical, or the folder 'categorical' beside it).

Protocol: fit on the rows of part 'train' with default settings, but for the code's size, and with one scoring
network for small tables too (none of these jobs use it); measure on at most 1,000 normal rows of part
'test'. Errors are in standard deviations of the training rows' columns.
- encode: mean squared error of the rows decoded from codes of d/4 numbers, d being the number of columns;
  scikit-learn's PCA of that size.
- clean: Gaussian noise of 0.5 standard deviations on all columns that vary; root mean squared error to the
  true rows; PCA with as many components as denoise the training rows best.
- impute: 10% and 30% of the cells hidden at random; root mean squared error over these;
  scikit-learn's KNNImputer (on at most 8,000 rows) and IterativeImputer (up to 200 columns), defaults.
  'rounded': whole columns rounded, as aedetect keeps types. Cleaning and sampling keep them as well.
  Nominal sets: share of hidden cells put right; the most frequent category of each column, and the
  same imputers on indicators, the likeliest of each column.
- sample: as many rows as test rows. AUROC with which gradient boosting (scikit-learn's, trained on one half
  of both kinds of rows, judged on the other, and the reverse) tells them from test rows, as its distance
  from 0.5, plus 0.5, all rounded to 4 decimals; a Gaussian copula (package copulas, default margins, on
  1,000 rows, whole columns rounded, up to 120 columns). 'apart': median distance of the samples to the
  nearest training row over that of the test rows; none where the latter is 0.
- speed: rows a second of each job through the Python API on 8,192 test rows in memory (impute: 10% hidden).
With --peers, the peers' figures come from an earlier run on the same rows.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import jobs_peers as peers
import numpy as np
import pandas as pd
from common import machine
from tabular_data import sources

Array = np.ndarray[Any, Any]
Record = dict[str, Any]

LEAST_ROWS, TEST_ROWS, SPEED_ROWS = 500, 1000, 8192
# Features are float32: a classifier that sees beyond their digits knows a seen value from its copy.
_DECIMALS = 4
SETTINGS = {"training.fold_below": 0}
NOISE, HIDDEN = 0.5, (0.1, 0.3)
PEERS = (
    "encode_pca",
    "clean_pca",
    *(f"impute_{share:.0%}_{peer}" for share in HIDDEN for peer in ("knn", "knn_typed", "iterative")),
    "sample_copula",
)


def main() -> int:
    options = _parser().parse_args()
    if options.report:
        figures = pd.concat([pd.read_csv(path) for path in options.report], ignore_index=True)
    else:
        figures = _measured(options)
    text = report(figures)
    print("\n" + text)
    if options.markdown:
        head = f"# The other jobs, measured\n\n{date.today().isoformat()}. {_place(figures)}.\n\n"
        options.markdown.write_text(head + f"{(__doc__ or '').strip()}\n\n{text}\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of numeric sets, Parquet")
    parser.add_argument("--categorical", type=Path, metavar="DIR", help="folder of nominal sets, CSV.gz")
    parser.add_argument("--sets", default="", metavar="A,B", help="names of sets; default: all")
    parser.add_argument(
        "--peers",
        type=Path,
        metavar="FILE",
        help="take the peers' figures from the raw ones of an earlier run",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="append the raw figures to a CSV file")
    parser.add_argument("--report", type=Path, nargs="+", metavar="FILE", help="only print, from raw figures")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables as Markdown")
    return parser


def _measured(options: argparse.Namespace) -> pd.DataFrame:
    # AEDETECT_BENCH_DATA is ours, not a setting of the program.
    folder = options.data or os.environ.pop("AEDETECT_BENCH_DATA", None)
    os.environ.pop("AEDETECT_BENCH_DATA", None)
    if folder is None:
        sys.exit("say with --data, or AEDETECT_BENCH_DATA, where the Parquet files are")
    nominal = options.categorical or Path(folder).parent / "categorical"
    found = sources(Path(folder), "tabular", [], False)
    if nominal.is_dir():
        found += sources(nominal, "categorical", [], False)
    wanted = [name for name in options.sets.split(",") if name]
    place = machine("scikit-learn", "copulas").replace("\n", ", ")
    print(place)
    rows: list[Record] = []
    for source in found:
        if wanted and source.name not in wanted:
            continue
        frame = source.read()
        numeric = source.collection == "tabular"
        if len(frame) < LEAST_ROWS and numeric:
            continue
        record = {"set": source.name, "collection": source.collection, "place": place}
        record |= _numeric(frame, _earlier(options.peers, source.name)) if numeric else _nominal(frame)
        print(" ".join(f"{key} {_cell(v)}" for key, v in record.items() if key != "place"), flush=True)
        rows.append(record)
        if options.csv:
            known = [pd.read_csv(options.csv)] if options.csv.exists() else []
            pd.concat([*known, pd.DataFrame([record])]).to_csv(options.csv, index=False)
    if not rows:
        sys.exit("nothing was measured")
    return pd.DataFrame(rows)


def _halves(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    columns = frame.drop(columns=["label", "part"])
    train = columns[frame["part"] == "train"].reset_index(drop=True)
    test = columns[(frame["part"] == "test") & (frame["label"] == 0)]
    return train, test.sample(min(TEST_ROWS, len(test)), random_state=0).reset_index(drop=True)


def _earlier(path: Path | None, name: str) -> Record | None:
    """The peers' figures on a set, from an earlier run on the same rows; None where there are none."""
    if path is None:
        return None
    figures = pd.read_csv(path)
    found = figures[figures["set"] == name]
    return {str(key): found.iloc[0][key] for key in PEERS} if len(found) else None


def _numeric(frame: pd.DataFrame, earlier: Record | None) -> Record:
    from sklearn.preprocessing import StandardScaler

    from aedetect import Detector

    train, test = (part.astype(float) for part in _halves(frame))
    clock = time.perf_counter()
    detector = Detector({**SETTINGS, "model.latent_dim": max(1, train.shape[1] // 4)}).fit(train)
    record: Record = {"rows": len(train), "columns": train.shape[1], "fit_s": time.perf_counter() - clock}
    scaler = StandardScaler().fit(train.to_numpy())
    known = scaler.transform(train.to_numpy())
    truth = scaler.transform(test.to_numpy())

    def standard(rows: pd.DataFrame) -> Array:
        # Columns without content are no part of the model: they stay what they are.
        full = rows.reindex(columns=train.columns)
        for name in train.columns[full.isna().all()]:
            full[name] = test[name].to_numpy()[0]
        return np.asarray(scaler.transform(full.astype(float).to_numpy()))

    def raw(values: Array) -> pd.DataFrame:
        return pd.DataFrame(scaler.inverse_transform(values), columns=train.columns)

    record |= _encoding(detector, test, truth, standard)
    record |= _cleaning(detector, raw, known, truth, standard)
    record |= _imputing(detector, raw, truth, standard)
    record |= _sampling(detector, known, truth, standard)
    record |= earlier or _peers(train, known, truth, record["code"], raw, standard)
    return record | _speed(detector, test)


def _peers(train: pd.DataFrame, known: Array, truth: Array, size: int, raw: Any, standard: Any) -> Record:
    whole = dict.fromkeys((name for name in train if (train[name] == train[name].round()).all()), 0)
    projected = peers.pca_denoised(known, _noisy(known, truth), NOISE, seed=2)
    record: Record = {
        "encode_pca": float(((peers.pca_rebuilt(known, truth, size) - truth) ** 2).mean()),
        "clean_pca": _rmse(projected - truth),
    }
    for share in HIDDEN:
        hidden = _hidden(truth, share)
        gaps = np.where(hidden, np.nan, truth)
        neighbours = peers.knn_imputed(known, gaps)
        found = {
            "knn": neighbours,
            "knn_typed": standard(raw(neighbours).round(whole)),
            "iterative": peers.iterative_imputed(known, gaps),
        }
        for name, values in found.items():
            record[f"impute_{share:.0%}_{name}"] = None if values is None else _rmse((values - truth)[hidden])
    others = peers.copula_sampled(train, len(truth), seed=4)
    record["sample_copula"] = None if others is None else _told_apart(standard(others), truth)
    return record


def _noisy(known: Array, truth: Array) -> Array:
    varying = known.std(axis=0) > 0
    return np.asarray(truth + NOISE * np.random.default_rng(1).standard_normal(truth.shape) * varying)


def _hidden(truth: Array, share: float) -> Array:
    return np.asarray(np.random.default_rng(3).random(truth.shape) < share)


def _encoding(detector: Any, test: pd.DataFrame, truth: Array, standard: Any) -> Record:
    rebuilt = standard(detector.decode(detector.encode(test)))
    return {"code": detector.auxiliary_heads.codes.size, "encode": float(((rebuilt - truth) ** 2).mean())}


def _cleaning(detector: Any, raw: Any, known: Array, truth: Array, standard: Any) -> Record:
    noisy = _noisy(known, truth)
    cleaned = standard(detector.clean(raw(noisy), noise=NOISE))
    return {"noisy": _rmse(noisy - truth), "clean": _rmse(cleaned - truth)}


def _imputing(detector: Any, raw: Any, truth: Array, standard: Any) -> Record:
    record: Record = {}
    for share in HIDDEN:
        hidden = _hidden(truth, share)
        filled = standard(detector.impute(raw(np.where(hidden, np.nan, truth))))
        record[f"impute_{share:.0%}"] = _rmse((filled - truth)[hidden])
    return record


def _sampling(detector: Any, known: Array, truth: Array, standard: Any) -> Record:
    from sklearn.neighbors import NearestNeighbors

    drawn = standard(detector.sample(len(truth), seed=4))
    nearest = NearestNeighbors(n_neighbors=1).fit(known)
    own, fresh = (float(np.median(nearest.kneighbors(rows)[0])) for rows in (drawn, truth))
    return {"sample": _told_apart(drawn, truth), "apart": own / fresh if fresh > 1e-9 else None}


def _told_apart(drawn: Array, truth: Array) -> float:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_predict

    rows = np.vstack([drawn, truth]).round(_DECIMALS)
    labels = np.repeat([1, 0], [len(drawn), len(truth)])
    model = HistGradientBoostingClassifier(random_state=0)
    chances = cross_val_predict(model, rows, labels, cv=2, method="predict_proba")[:, 1]
    return 0.5 + abs(float(roc_auc_score(labels, chances)) - 0.5)


def _speed(detector: Any, test: pd.DataFrame) -> Record:
    rows = pd.concat([test] * -(-SPEED_ROWS // len(test)), ignore_index=True)[:SPEED_ROWS]
    gaps = rows.mask(np.random.default_rng(5).random(rows.shape) < HIDDEN[0])
    return {
        "score_rows_s": _rate(lambda: detector.score(rows)),
        "encode_rows_s": _rate(lambda: detector.encode(rows)),
        "clean_rows_s": _rate(lambda: detector.clean(rows)),
        "impute_rows_s": _rate(lambda: detector.impute(gaps)),
    }


def _rate(work: Callable[[], Any]) -> float:
    clock = time.perf_counter()
    work()
    return SPEED_ROWS / (time.perf_counter() - clock)


def _nominal(frame: pd.DataFrame) -> Record:
    from aedetect import Detector

    train, test = _halves(frame)
    detector = Detector({**SETTINGS, "data.roles": dict.fromkeys(train, "categorical")}).fit(train)
    frequent = train.mode().iloc[0]
    record: Record = {"rows": len(train), "columns": train.shape[1]}
    for share in HIDDEN:
        hidden = np.random.default_rng(3).random(test.shape) < share
        filled = detector.impute(test.mask(hidden))
        record[f"impute_{share:.0%}"] = float((filled.to_numpy() == test.to_numpy())[hidden].mean())
        guessed = np.broadcast_to(frequent.to_numpy(), test.shape)
        record[f"impute_{share:.0%}_frequent"] = float((guessed == test.to_numpy())[hidden].mean())
        for how in ("knn", "iterative"):
            found = peers.categories_imputed(train, test.mask(hidden), how)
            record[f"impute_{share:.0%}_{how}"] = float((found == test.to_numpy())[hidden].mean())
    return record


def _rmse(difference: Array) -> float:
    return float(np.sqrt((difference**2).mean()))


def report(figures: pd.DataFrame) -> str:
    """The tables, as Markdown: means over the numeric sets, then each set."""
    numeric = figures[figures["collection"] == "tabular"]
    nominal = figures[figures["collection"] == "categorical"]
    parts = []
    if len(numeric):
        parts += [
            "## Means (and medians) over the numeric sets",
            _means(numeric),
            "## Each set",
            _each(numeric),
        ]
    if len(nominal):
        filled = [name for name in nominal if name.startswith("impute") and nominal[name].notna().all()]
        names = ["set", "rows", "columns", *sorted(filled)]
        parts += ["## Categories put right", _table(nominal[names])]
    return "\n\n".join(parts)


def _means(figures: pd.DataFrame) -> str:
    lines = ["| job | aedetect | peer | peer's | better on |", "|---|---|---|---|---|"]
    for job, own, name, other in (
        ("encode, decode: squared error", "encode", "PCA", "encode_pca"),
        ("clean: RMSE", "clean", "noisy input", "noisy"),
        ("clean: RMSE", "clean", "PCA", "clean_pca"),
        ("impute 10%: RMSE", "impute_10%", "KNNImputer", "impute_10%_knn"),
        ("impute 10%: RMSE", "impute_10%", "KNNImputer, rounded", "impute_10%_knn_typed"),
        ("impute 10%: RMSE", "impute_10%", "IterativeImputer", "impute_10%_iterative"),
        ("impute 30%: RMSE", "impute_30%", "KNNImputer", "impute_30%_knn"),
        ("impute 30%: RMSE", "impute_30%", "KNNImputer, rounded", "impute_30%_knn_typed"),
        ("impute 30%: RMSE", "impute_30%", "IterativeImputer", "impute_30%_iterative"),
        ("sample: AUROC", "sample", "Gaussian copula", "sample_copula"),
    ):
        both = figures[figures[other].notna()]
        wins = int((both[own] < both[other]).sum())
        lines.append(
            f"| {job} | {_middle(both[own])} | {name} | {_middle(both[other])} | {wins} of {len(both)} |"
        )
    apart = figures["apart"].dropna()
    lines.append(
        f"| sample: distance ratio | {apart.mean():.2f} (median {apart.median():.2f}) | at least 0.8 | | "
        f"{int((apart >= 0.8).sum())} of {len(apart)} |"
    )
    speeds = figures[[name for name in figures if name.endswith("_rows_s")]].median()
    lines.append("")
    told = ", ".join(f"{name.removesuffix('_rows_s')} {value:,.0f}" for name, value in speeds.items())
    lines.append(f"Median rows a second: {told}. Median seconds to fit: {figures['fit_s'].median():.1f}.")
    return "\n".join(lines)


def _middle(values: pd.Series) -> str:
    return f"{values.mean():.3f} ({values.median():.3f})"


def _each(figures: pd.DataFrame) -> str:
    left_out = {"collection", "place", *(name for name in figures if name.endswith("_frequent"))}
    return _table(figures[[name for name in figures if name not in left_out]])


def _table(figures: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(figures.columns) + " |", "|" + "---|" * figures.shape[1]]
    for row in figures.itertuples(index=False):
        lines.append("| " + " | ".join(_cell(value) for value in row) + " |")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or np.isnan(value):
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.3f}"


def _place(figures: pd.DataFrame) -> str:
    return "; ".join(figures["place"].drop_duplicates())


if __name__ == "__main__":
    sys.exit(main())
