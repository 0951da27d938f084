"""What a threshold for each group, and numbers relative to it, do to false alarms and to drops that hide.

Synthetic: twelve regions of 6 to 12,000 training rows (each has half as many as the one before), with levels
from 10 to 20,000; orders, revenue (which follows from them), visits and waiting times. Regions 4 and 9 have
tails as of Student's t with 3 degrees of freedom, and each has noise of its own, of 3% to 15%. Learned from
24,000 rows, judged on 120,000 fresh normal ones. Then the orders, revenue and visits of 400 rows of each
region drop by 80%.

Real tables (--data FOLDER, such as the 'wild' ones of `tabular.py`; a column `label` marks anomalies, `part`
is not read): those columns count as groups that have 20 values at most, or any number of texts, of which
three to 40 are held by 150 normal rows or more, which are 85% of all. The one that explains most of the
variance of the ranks of the columns of more than 20 values is the group; tables in which that is less than a
tenth are left out. No label of an anomaly is looked at for that. Half of the normal rows, drawn with the
seed, is learned from; the other half, and the anomalies, are judged.

Four models each: 'left out' never sees the column of groups, 'learned' has it as categories, 'groups' is
trained with data.group, and 'both' with it and the column as categories. For each alert rate: the share of
fresh normal rows flagged in all; of groups of 100 fresh rows or more the largest share, the root mean square
of share / rate - 1 ('off'), and how many groups lie above the rate by more than chance (the low end of their
95% interval); how many groups have a calibration of their own; and how well anomalies rank (average
precision).

    make bench-groups BENCH_ARGS='--data FOLDER'
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

import aedetect
from aedetect.tasks.evaluate.metrics.at_threshold import share_interval

RATES = (0.05, 0.01, 0.001)
MODELS = ("left out", "learned", "groups", "both")
REGIONS, TRAINING, FRESH, DROPPED = 12, 24_000, 120_000, 400
HEAVY = (4, 9)
GROUP_ROWS, MOST_VALUES, LEAST_COVERED, LEAST_EXPLAINED = 150, 40, 0.85, 0.1
JUDGED_ROWS = 100


@dataclass(frozen=True)
class Table:
    """Rows to learn from, fresh normal ones, anomalies, and the column of groups."""

    name: str
    training: pd.DataFrame
    fresh: pd.DataFrame
    anomalies: pd.DataFrame
    group: str


def regions(rows: int, random: np.random.Generator, number: int | None = None) -> pd.DataFrame:
    """Normal rows of all regions, in the shares of training, or of region `number` alone."""
    shares = 2.0 ** -np.arange(REGIONS)
    region = (
        random.choice(REGIONS, rows, p=shares / shares.sum()) if number is None else np.full(rows, number)
    )
    level = np.geomspace(10, 20_000, REGIONS)[np.random.default_rng(7).permutation(REGIONS)][region]
    noise = np.linspace(0.03, 0.15, REGIONS)[np.random.default_rng(8).permutation(REGIONS)][region]
    heavy = np.isin(region, HEAVY)
    drawn = np.where(heavy, random.standard_t(3, rows) / 3**0.5, random.normal(size=rows))
    orders = level * np.exp(noise * drawn)
    revenue = 25 * orders * np.exp(random.normal(0, 0.05, rows))
    visits = 30 * orders * np.exp(random.normal(0, 0.1, rows))
    waiting = random.gamma(4, 2, rows)
    return pd.DataFrame(
        {
            "region": [f"r{one:02d}" for one in region],
            "orders": orders.round(1),
            "revenue": revenue.round(2),
            "visits": visits.round(),
            "waiting": waiting.round(1),
        }
    )


def synthetic(seed: int) -> Table:
    random = np.random.default_rng(seed)
    training, fresh = regions(TRAINING, random), regions(FRESH, random)
    dropped = pd.concat([regions(DROPPED, random, number) for number in range(REGIONS)])
    dropped[["orders", "revenue", "visits"]] *= 0.2
    return Table("synthetic", training, fresh, dropped.reset_index(drop=True), "region")


def real(path: Path, seed: int) -> Table | None:
    """None where no column explains enough of the others."""
    table = pd.read_parquet(path)
    rows = table.drop(columns=["label", "part"], errors="ignore")
    normal = rows[table["label"] == 0]
    group = group_of(normal)
    if group is None:
        return None
    order = np.random.default_rng(seed).permutation(len(normal))
    half = len(order) // 2
    training, fresh = (normal.iloc[part].reset_index(drop=True) for part in (order[:half], order[half:]))
    anomalies = rows[table["label"] == 1].reset_index(drop=True)
    return Table(path.stem[:24], training, fresh, anomalies, group)


def group_of(normal: pd.DataFrame) -> str | None:
    wide = [name for name in normal.select_dtypes("number") if normal[name].nunique() > 20]
    ranks = normal[wide].rank()
    explained = {}
    for name in normal.columns:
        sizes = normal[name].value_counts()
        sizes = sizes[sizes >= GROUP_ROWS]
        few = name not in wide and 3 <= len(sizes) <= MOST_VALUES
        if not (few and len(wide) > 1 and sizes.sum() >= LEAST_COVERED * len(normal)):
            continue
        inside = normal[name].isin(sizes.index)
        means = ranks[inside].groupby(normal.loc[inside, name].astype(str)).transform("mean")
        explained[name] = float((means.var() / ranks[inside].var()).mean())
    best = max(explained, key=lambda name: explained[name], default=None)
    return best if best is not None and explained[best] >= LEAST_EXPLAINED else None


def settings_of(model: str, group: str) -> dict[str, object]:
    return {
        "left out": {"data.exclude": [group]},
        "learned": {"data.roles": {group: "categorical"}},
        "groups": {"data.group": [group]},
        "both": {"data.group": [group], "data.roles": {group: "categorical"}},
    }[model]


def judge(table: Table, model: str) -> Iterator[str]:
    settings = settings_of(model, table.group) | {"training.device": "cpu"}
    detector = aedetect.Detector(settings).fit(table.training)
    scores = detector.score(table.fresh)["anomaly_score"].to_numpy(float)
    groups = table.fresh[table.group].astype(str)
    strange = detector.score(table.anomalies)["anomaly_score"].to_numpy(float) if len(table.anomalies) else []
    ranked = np.nan_to_num(np.concatenate([scores, strange]), nan=np.inf)
    labels = np.repeat([0, 1], [len(scores), len(strange)])
    precision = average_precision_score(labels, np.minimum(ranked, 1e300)) if len(strange) else np.nan
    for rate in RATES:
        adjusted = detector.adjusted({"threshold.alert_rate": rate})
        flagged = adjusted.score(table.fresh)["is_anomaly"].fillna(False).to_numpy(bool)
        counts = pd.DataFrame({"group": groups, "flagged": flagged}).groupby("group")["flagged"]
        sizes, hits = counts.size(), counts.sum()
        judged = sizes[sizes >= JUDGED_ROWS].index
        shares = hits[judged] / sizes[judged]
        above = sum(share_interval(int(hits[one]), int(sizes[one])).low > rate for one in judged)
        off = float(np.sqrt(((shares / rate - 1) ** 2).mean()))
        own = sum(one.kind == "own" for one in adjusted.group_thresholds)
        caught = ""
        if table.name == "synthetic":
            caught = f"{adjusted.score(table.anomalies)['is_anomaly'].mean():7.1%}"
        yield (
            f"{table.name:24}  {model:8}  {rate:6.1%}  {flagged.mean():6.2%}  {shares.max():6.2%}  "
            f"{off:5.2f}  {above:3d} of {len(judged):2d}  {own:3d}  {precision:6.3f}  {caught}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, action="append", default=[], help="a folder of real tables")
    parser.add_argument("--only", action="append", default=[], help="tables whose names begin so")
    parser.add_argument("--model", choices=MODELS, action="append", default=[], help="models; default: all")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(f"seed {given.seed}, aedetect {aedetect.__version__}")
    print(
        f"{'table':24}  model       rate  in all  largest    off  above      own      AP  drops caught",
        flush=True,
    )
    tables = [synthetic(given.seed)] if not given.only else []
    for path in sorted(path for folder in given.data for path in folder.glob("*.parquet")):
        if not given.only or path.stem.startswith(tuple(given.only)):
            tables += filter(None, [real(path, given.seed)])
    for table in tables:
        for model in given.model or MODELS:
            for line in judge(table, model):
                print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
