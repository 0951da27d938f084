"""How often drift is said where there is none, and how often where there is.

For each table (a column `label` marks anomalies; only normal rows take part): two samples of 50 to 50,000
rows are drawn, disjoint halves where the table has rows enough, else with replacement. One is learned from,
and both are judged: each verdict of 'drifted' is a false one. Of the columns alone (--draws, no network: many
tables and draws), and with the scores of a model of two epochs, learned once per table and size up to 5,000
rows (--models: so many tables). Then drift is planted in the fresh sample of each draw: one column of numbers
shifted by half and by one standard deviation, ten points more of its cells missing, one row in ten of a text
column in a new category. A verdict that names the column is a right one.

    make bench-false-drift BENCH_ARGS='--data FOLDER --data FOLDER'

Printed: rates in percent, with standard errors over the tables, or, where no draw was called drifted, the
rate that 95% certainty leaves.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.drift import Learned

import aedetect
from aedetect.errors import AedetectError
from aedetect.tasks.drift import Drift

SIZES = (50, 200, 1000, 5000, 50_000)
MOST_LEARNED = 5000
SETTINGS = {"training.device": "cpu", "training.epochs": 2}
Change = Callable[[pd.DataFrame, np.random.Generator], tuple[pd.DataFrame, str] | None]


@dataclass(frozen=True)
class Pair:
    """A sample to learn from and a fresh one."""

    training: pd.DataFrame
    fresh: pd.DataFrame

    @classmethod
    def drawn(cls, table: pd.DataFrame, rows: int, random: np.random.Generator) -> Pair:
        if 2 * rows <= len(table):
            order = random.permutation(len(table))[: 2 * rows]
        else:
            order = random.integers(0, len(table), 2 * rows)
        return cls(*(table.iloc[part].reset_index(drop=True) for part in (order[:rows], order[rows:])))


def numbers(table: pd.DataFrame) -> list[str]:
    return [
        name for name in table if pd.api.types.is_numeric_dtype(table[name]) and table[name].nunique() > 10
    ]


def shifted(by: float) -> Change:
    def change(table: pd.DataFrame, random: np.random.Generator) -> tuple[pd.DataFrame, str] | None:
        names = numbers(table)
        if not names:
            return None
        name = names[random.integers(len(names))]
        return table.assign(**{name: table[name] + by * table[name].std()}), name

    return change


def with_gaps(table: pd.DataFrame, random: np.random.Generator) -> tuple[pd.DataFrame, str] | None:
    names = numbers(table)
    if not names:
        return None
    name = names[random.integers(len(names))]
    return table.assign(**{name: table[name].where(random.random(len(table)) > 0.1)}), name


def with_a_category(table: pd.DataFrame, random: np.random.Generator) -> tuple[pd.DataFrame, str] | None:
    names = [
        name for name in table if not pd.api.types.is_numeric_dtype(table[name]) and table[name].nunique() > 1
    ]
    if not names:
        return None
    name = names[random.integers(len(names))]
    return table.assign(**{name: table[name].where(random.random(len(table)) > 0.1, "new one")}), name


PLANTED: dict[str, Change] = {
    "shifted by 0.5 sd": shifted(0.5),
    "shifted by 1 sd": shifted(1.0),
    "10 points more missing": with_gaps,
    "a new category in 10%": with_a_category,
}


class Rates:
    """Verdicts by kind, size and table."""

    def __init__(self) -> None:
        self._verdicts: dict[tuple[str, int], dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))

    def add(self, kind: str, rows: int, table: str, drifted: bool) -> None:
        self._verdicts[kind, rows][table].append(drifted)

    def cell(self, kind: str, rows: int) -> str:
        """'0/400 (≤0.7)', or '97.5 ±0.8 (400)': percent of so many draws."""
        tables = self._verdicts.get((kind, rows))
        if not tables:
            return ""
        drawn, drifted = (sum(map(count, tables.values())) for count in (len, sum))
        if not drifted:
            return f"0/{drawn:,} (≤{100 * (1 - 0.05 ** (1 / drawn)):.1f})"
        shares = [np.mean(verdicts) for verdicts in tables.values()]
        error = np.std(shares, ddof=1) / np.sqrt(len(shares)) if len(shares) > 1 else np.nan
        return f"{100 * np.mean(shares):.1f} ±{100 * error:.1f} ({drawn:,})"


def judge_columns(name: str, table: pd.DataFrame, draws: int, rates: Rates) -> None:
    """Of the columns alone: false drift and planted drift, at every size."""
    random = np.random.default_rng(0)
    for rows in SIZES:
        for _ in range(max(draws // (1 if rows < MOST_LEARNED else 5), 1)):
            pair = Pair.drawn(table, rows, random)
            learned = learned_or_none(pair.training)
            if learned is None:
                continue
            for kind, frame in (
                ("fresh half, columns", pair.fresh),
                ("training rows, columns", pair.training),
            ):
                note(rates, kind, rows, name, learned.drift(frame))
            for kind, change in PLANTED.items():
                planted = change(pair.fresh, random)
                if planted is not None:
                    rates.add(kind, rows, name, planted[1] in learned.drift(planted[0]).drifted)


def judge_models(name: str, table: pd.DataFrame, draws: int, rates: Rates) -> None:
    """With the scores of a model: false drift, at every size."""
    random = np.random.default_rng(1)
    for size in (rows for rows in SIZES if rows <= min(MOST_LEARNED, len(table) // 2)):
        order = random.permutation(len(table))
        training, rest = (table.iloc[part].reset_index(drop=True) for part in (order[:size], order[size:]))
        try:
            detector = aedetect.Detector(SETTINGS).fit(training)
        except AedetectError as error:
            print(f"{name}, {size} rows: {error}", file=sys.stderr)
            continue
        note(rates, "training rows, with scores", size, name, detector.drift(training))
        for rows in SIZES:
            for _ in range(draws if rows < MOST_LEARNED else 1):
                fresh = rest.iloc[random.choice(len(rest), rows, replace=rows > len(rest))]
                drift = detector.drift(fresh.reset_index(drop=True))
                note(rates, "fresh rows, with scores", rows, name, drift)


def note(rates: Rates, kind: str, rows: int, name: str, drift: Drift) -> None:
    drifted = drift.verdict == "drifted"
    rates.add(kind, rows, name, drifted)
    if drifted:
        print(f"{name}, {kind}, {rows} rows: {drift.text}", file=sys.stderr)


def learned_or_none(frame: pd.DataFrame) -> Learned | None:
    """None for a sample that nothing can be learned from, such as one of constants."""
    try:
        return Learned.of(frame)
    except AedetectError as error:
        print(f"left out: {error}", file=sys.stderr)
        return None


def tables(folders: list[Path], most: int) -> Iterator[tuple[str, pd.DataFrame]]:
    """Normal rows of tables with at least 100 of them and at most 60 columns, the largest first."""
    paths = [path for folder in folders for path in sorted(folder.iterdir()) if "peers" not in path.name]
    paths = [path for path in paths if path.name != "index.csv" and path.is_file()]
    paths.sort(key=lambda path: -path.stat().st_size)
    taken = 0
    for path in paths:
        if not path.name.endswith((".parquet", ".csv.gz", ".csv")):
            continue
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
        normal = table[table["label"] == 0] if "label" in table else table
        normal = normal.drop(columns=["label", "part"], errors="ignore").reset_index(drop=True)
        if len(normal) >= 100 and normal.shape[1] <= 60 and taken < most:
            taken += 1
            yield path.name.split(".")[0], normal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="a folder of tables")
    parser.add_argument("--tables", type=int, default=40, help="so many tables in all")
    parser.add_argument("--models", type=int, default=8, help="so many of them with a model")
    parser.add_argument("--draws", type=int, default=20, help="draws of each size")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rates, judged = Rates(), 0
    for place, (name, table) in enumerate(tables(arguments.data, arguments.tables)):
        judge_columns(name, table, arguments.draws, rates)
        if place % max(arguments.tables // max(arguments.models, 1), 1) == 0 and judged < arguments.models:
            judged += 1
            judge_models(name, table, arguments.draws, rates)
        print(f"{name}: done", file=sys.stderr, flush=True)
    print(f"| in percent | {' | '.join(f'{rows:,} rows' for rows in SIZES)} |")
    print("|" + "---|" * (1 + len(SIZES)))
    kinds = [f"{which}, columns" for which in ("fresh half", "training rows")]
    kinds += [f"{which}, with scores" for which in ("fresh rows", "training rows")]
    for kind in (*kinds, *PLANTED):
        print(f"| {kind} | {' | '.join(rates.cell(kind, rows) for rows in SIZES)} |")


if __name__ == "__main__":
    main()
