"""Do explanations name the column that is wrong? (`make bench-explain`)

Data: as for tabular.py, a folder of Parquet files with numeric columns, `label` and `part`; name it
with --data or the environment variable AEDETECT_BENCH_DATA.

Protocol: train on the rows of part 'train', all normal (at most 20,000 of them), with default settings.
Take normal test rows that are not flagged, replace one column, drawn at random, by the value that
another training row, drawn at random, has there, and keep the rows that are flagged then: at most
200 of 3,000 tries. The explanation is right where the replaced column ranks first. Sets with fewer
than 20 flagged rows are left out. Columns that are not learned (constants) are not replaced.

Beside it: the columns by their share of the model's error (anomaly_features of `aedetect score`), by the
size of their z-score against the training rows, and, on the first --shap rows of each set, by the
absolute values of SHAP's KernelExplainer (Lundberg & Lee, 2017; background: 10 k-means centres
of 1,000 training rows, its default number of samples) of the logarithm of the model's score, for
sets of up to 60 columns.

Mistakes of other kinds stand in two further columns, of up to 100 flagged rows each: 'rare', where the
value is drawn from the column's lowest and highest hundredth of training rows, and 'beyond', where
it lies outside their range, by 20% to 300% of it. Blaming by how usual a value is, which helps
with draws from the whole column, must not let these go.

A draw from a column may be near what was there, or leave two columns at odds with each other and nothing
that tells which of them was replaced: 100% cannot be had. 'full' counts only rows whose replaced value
lies at least one standard deviation from the one that was there. --bound shows about how much can be
had: gradient boosting that is told the answer for 40,000 training rows perturbed in just this way (those
of them that are flagged), which no explanation of a detector is.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tabular_data import Source, sources, split

from aedetect.detector import Detector
from aedetect.io.inputs import as_inputs
from aedetect.scoring.table import TableScorer
from aedetect.tasks.explain import Explainer, ExplainRequest, Explanation
from aedetect.tasks.explain.select import ChosenRows, choose

TRIES, MOST_FLAGGED, LEAST_FLAGGED = 3000, 200, 20
FAR_TRIES, MOST_FAR, LEAST_FAR = {"rare": 3000, "beyond": 200}, 100, 10
MOST_TRAINING_ROWS, MOST_NORMAL_ROWS = 20_000, 1000
MOST_SHAP_COLUMNS = 60
TAUGHT_TRIES = 40_000

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Case:
    """A model, and rows that it flags since one column of each, `replaced` [rows], was replaced."""

    name: str
    detector: Detector
    train: pd.DataFrame
    rows: pd.DataFrame
    replaced: list[str]
    full: np.ndarray[Any, np.dtype[np.bool_]]
    normal: pd.DataFrame


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("AEDETECT_BENCH_DATA"), metavar="DIR")
    parser.add_argument("--sets", default="", metavar="A,B", help="names of sets; default: all")
    parser.add_argument("--shap", type=int, default=0, metavar="ROWS", help="rows of each set for SHAP")
    parser.add_argument("--bound", action="store_true", help="also a classifier that was taught the answers")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="append each set's figures to a file")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there")
    parser.add_argument("--report", type=Path, metavar="FILE", help="print the table of such a file only")
    options = parser.parse_args()
    if options.report:
        table = pd.read_csv(options.report)
    else:
        if options.data is None:
            parser.error("name the folder of data sets with --data or AEDETECT_BENCH_DATA")
        wanted = [name for name in options.sets.split(",") if name]
        found = []
        for source in sources(Path(options.data), "tabular", wanted, quick=False):
            case = prepared(source)
            if case is None:
                print(f"{source.name}: left out, too few rows are flagged", flush=True)
                continue
            found.append(figures(case, options.shap, options.bound))
            print(found[-1], flush=True)
            if options.csv:
                pd.DataFrame(found[-1:]).to_csv(
                    options.csv, mode="a", header=not options.csv.exists(), index=False
                )
        table = pd.DataFrame(found)
    text = as_markdown(table)
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    return 0


def prepared(source: Source) -> Case | None:
    task = split(source, 0)
    random = np.random.default_rng(0)
    train = task.train.sample(min(len(task.train), MOST_TRAINING_ROWS), random_state=0)
    detector = Detector({"training.device": "cpu"}).fit(train)
    normal = task.test[task.labels == 0]
    normal = normal.sample(min(len(normal), MOST_NORMAL_ROWS), random_state=0).astype(float)
    normal = normal[~detector.score(normal)["is_anomaly"].to_numpy(dtype=bool)]
    learned = [
        column for column in detector.fitted.columns if column not in detector.fitted.encoder.state.constant
    ]
    before, rows, replaced = perturbed(normal, train, learned, TRIES, random)
    flagged = np.flatnonzero(detector.score(rows)["is_anomaly"].to_numpy(dtype=bool))[:MOST_FLAGGED]
    if len(flagged) < LEAST_FLAGGED:
        return None
    moved = (rows - before).abs() / train.std().replace(0, 1)
    full = moved.max(axis=1).to_numpy()[flagged] >= 1
    rows = rows.iloc[flagged].reset_index(drop=True)
    return Case(source.name, detector, train, rows, [str(name) for name in replaced[flagged]], full, normal)


def perturbed(
    normal: pd.DataFrame,
    train: pd.DataFrame,
    columns: list[str],
    size: int,
    random: np.random.Generator,
    draw: Callable[[Floats, int, np.random.Generator], Floats] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray[Any, Any]]:
    """Rows drawn from `normal`, the same with one column each replaced, and which one.

    `draw` makes values from those of the column in training; without it they are drawn from these.
    """
    before = normal.iloc[random.integers(len(normal), size=size)].reset_index(drop=True)
    rows = before.copy()
    replaced = random.choice(columns, size=size)
    for column in columns:
        own = replaced == column
        values = train[column].to_numpy(dtype=float)
        count = int(own.sum())
        rows.loc[own, column] = draw(values, count, random) if draw else random.choice(values, count)
    return before, rows, replaced


def rare(values: Floats, size: int, random: np.random.Generator) -> Floats:
    """Values of the lowest and the highest hundredth; of a column that has none apart, its extremes."""
    low, high = np.nanquantile(values, [0.01, 0.99])
    tails = values[(values < low) | (values > high)]
    return random.choice(tails if len(tails) else np.array([np.nanmin(values), np.nanmax(values)]), size)


def beyond(values: Floats, size: int, random: np.random.Generator) -> Floats:
    """Values below or above all others, by 20% to 300% of their range."""
    low, high = np.nanmin(values), np.nanmax(values)
    away = random.uniform(0.2, 3, size) * (high - low)
    return np.where(random.random(size) < 0.5, low - away, high + away)


def right_of_far(case: Case, kind: str) -> float:
    """Share of right explanations where the replaced value is 'rare' or 'beyond'; NaN: too few rows."""
    detector, random = case.detector, np.random.default_rng(2)
    learned = [
        column for column in detector.fitted.columns if column not in detector.fitted.encoder.state.constant
    ]
    draw = {"rare": rare, "beyond": beyond}[kind]
    before, rows, replaced = perturbed(
        case.normal, case.train.astype(float), learned, FAR_TRIES[kind], random, draw
    )
    changed = (rows != before).any(axis=1).to_numpy()
    flagged = detector.score(rows)["is_anomaly"].to_numpy(dtype=bool)
    kept = np.flatnonzero(flagged & changed)[:MOST_FAR]
    if len(kept) < LEAST_FAR:
        return float("nan")
    first = [one.columns[0].column for one in explained_rows(detector, rows.iloc[kept])[1]]
    return float(np.mean([name == true for name, true in zip(first, replaced[kept], strict=True)]))


def taught(case: Case) -> list[str]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    columns = sorted({*case.detector.fitted.columns} - {*case.detector.fitted.encoder.state.constant})
    train = case.train.astype(float)
    _, rows, replaced = perturbed(train, train, columns, TAUGHT_TRIES, np.random.default_rng(1))
    flagged = case.detector.score(rows)["is_anomaly"].to_numpy(dtype=bool)
    model = HistGradientBoostingClassifier(random_state=0, max_iter=100)
    model.fit(rows[flagged].to_numpy(), replaced[flagged].astype(str))
    return [str(name) for name in model.predict(case.rows.to_numpy())]


def explained_rows(detector: Detector, rows: pd.DataFrame) -> tuple[ChosenRows, list[Explanation]]:
    (source,) = as_inputs(rows.reset_index(drop=True), detector.config.data)
    chosen = choose(detector.fitted, source, ExplainRequest(rows=range(1, len(rows) + 1)))
    explainer = Explainer(detector.fitted)
    return chosen, [explainer.explain(found) for found in chosen.ranked]


def figures(case: Case, shap_rows: int, bound: bool) -> dict[str, Any]:
    clock = time.perf_counter()
    chosen, explained = explained_rows(case.detector, case.rows)
    seconds = time.perf_counter() - clock
    columns = case.detector.fitted.columns
    first = [one.columns[0].column for one in explained]
    second = [one.columns[min(1, len(one.columns) - 1)].column for one in explained]
    error = [columns[int(found.attribution.argmax())] for found in chosen.ranked]
    apart = ((case.rows - case.train.mean()) / case.train.std().replace(0, 1)).abs()
    right = np.array([name == true for name, true in zip(first, case.replaced, strict=True)])
    row = {
        "set": case.name,
        "columns": len(columns),
        "flagged": len(case.rows),
        "explain": right.mean(),
        "explain_full": right[case.full].mean() if case.full.any() else np.nan,
        "explain_top2": np.mean(
            [true in pair for true, *pair in zip(case.replaced, first, second, strict=True)]
        ),
        "error": np.mean([name == true for name, true in zip(error, case.replaced, strict=True)]),
        "z": (apart.idxmax(axis=1) == case.replaced).mean(),
        "rare": right_of_far(case, "rare"),
        "beyond": right_of_far(case, "beyond"),
        "ms_a_row": 1000 * seconds / len(case.rows),
    }
    if bound:
        row["bound"] = np.mean([name == true for name, true in zip(taught(case), case.replaced, strict=True)])
    if shap_rows and len(columns) <= MOST_SHAP_COLUMNS:
        some = min(shap_rows, len(case.rows))
        clock = time.perf_counter()
        blamed = shap_first(case, some)
        row["shap_rows"] = some
        row["shap"] = np.mean([name == true for name, true in zip(blamed, case.replaced, strict=False)])
        row["explain_same_rows"] = right[:some].mean()
        row["shap_ms_a_row"] = 1000 * (time.perf_counter() - clock) / some
    return row


def shap_first(case: Case, rows: int) -> list[str]:
    import shap

    names = list(case.rows.columns)
    some = case.train.sample(min(1000, len(case.train)), random_state=0).astype(float).fillna(0)
    background = shap.kmeans(some, min(10, len(some)))

    def score(matrix: Any) -> Any:
        batch = as_inputs(pd.DataFrame(matrix, columns=names), case.detector.config.data)[0]
        (only,) = batch.open(len(matrix)).batches()
        return np.log(
            TableScorer(case.detector.fitted).score_apart(case.detector.fitted.encoder.transform(only).matrix)
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explainer = shap.KernelExplainer(score, background)
        values = explainer.shap_values(
            case.rows.iloc[:rows].fillna(0), silent=True, l1_reg="num_features(10)"
        )
    return [names[int(index)] for index in np.abs(values).argmax(axis=1)]


def as_markdown(table: pd.DataFrame) -> str:
    shares = ["explain", "explain_full", "explain_top2", "error", "z", "rare", "beyond", "bound", "shap"]
    shares.append("explain_same_rows")
    means = {
        "set": "mean of sets",
        **{name: table[name].mean() for name in [*shares, "ms_a_row", "shap_ms_a_row"] if name in table},
    }
    lines = []
    whole = pd.concat([table, pd.DataFrame([means])], ignore_index=True)
    lines.append("| " + " | ".join(whole.columns) + " |")
    lines.append("|" + "---|" * len(whole.columns))
    for _, row in whole.iterrows():
        cells = []
        for name, value in row.items():
            if isinstance(value, str):
                cells.append(value)
            elif pd.isna(value):
                cells.append("")
            elif name in shares:
                cells.append(f"{value:.1%}")
            else:
                cells.append(f"{value:.0f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
