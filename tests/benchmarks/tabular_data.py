"""The data sets of the tabular benchmark: reading, splits, and anomalies among the training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

QUICK = 10
# At most this share of a set's anomalies may be used for training; the others are needed for testing.
MOVABLE = 0.5
FEWEST_MOVED = 2
CATEGORICAL = "categorical"
HALVES = ("choosing", "confirming")
HALVES_SEED = 2026
# The collections whose halves are drawn first, and how many sets they have: where one is not at hand, as
# many draws are skipped, so that the halves of the others stay the same.
DRAWN_FIRST = {"wild": 160, "tabular": 30}

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Source:
    """One file of a collection: of nominal columns where this is 'categorical', else of numeric ones.

    `half`: which of HALVES the set belongs to; empty for nominal ones, which are too few to halve.
    """

    path: Path
    collection: str
    half: str = ""

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(_suffix(self.collection))

    def read(self) -> pd.DataFrame:
        if self.collection != CATEGORICAL:
            return pd.read_parquet(self.path)
        # Codes stay the text that they are in the file: '1' and '01' are two categories, 'NA' is one.
        return pd.read_csv(self.path, dtype=str, keep_default_na=False).astype({"label": int})


@dataclass(frozen=True)
class Task:
    """What a detector is fitted on and what it is tested on."""

    collection: str
    name: str
    seed: int
    train: pd.DataFrame
    test: pd.DataFrame
    labels: Array

    @property
    def nominal(self) -> bool:
        return self.collection == CATEGORICAL

    @property
    def size(self) -> tuple[int, int]:
        return len(self.train) + len(self.test), self.train.shape[1]


@dataclass(frozen=True)
class Scored:
    """Scores of the test rows, what getting them cost, which rows were flagged, and their p-values.

    Peers flag no rows and give no p-values.
    """

    scores: Array
    fit_s: float
    rows_per_s: float
    flagged: Array | None = None
    p_values: Array | None = None


def sources(folder: Path, collection: str, names: Sequence[str], quick: bool) -> list[Source]:
    """The sets of a folder in alphabetical order: all, those named, or ten spread over the alphabet."""
    return chosen_sources({collection: folder}, names, quick)


def chosen_sources(folders: Mapping[str, Path], names: Sequence[str], quick: bool) -> list[Source]:
    """The sets of several collections, one collection after the other; `quick` means ten of each.

    A set's half is that among all sets of its collection, however many of them are asked for.
    """
    present = {
        collection: [Source(path, collection) for path in sorted(folder.glob(f"*{_suffix(collection)}"))]
        for collection, folder in folders.items()
    }
    unknown = set(names) - {source.name for each in present.values() for source in each}
    empty = [str(folders[collection]) for collection, each in present.items() if not each]
    if unknown or empty:
        places = ", ".join(empty or map(str, folders.values()))
        raise FileNotFoundError(f"no such data sets in {places}: {', '.join(sorted(unknown)) or '(none)'}")
    half = halves({collection: [each.name for each in present[collection]] for collection in present})
    chosen: list[Source] = []
    for collection, each in present.items():
        asked = [source for source in each if not names or source.name in names]
        if quick and asked:
            spread = np.linspace(0, len(asked) - 1, min(QUICK, len(asked))).astype(int)
            asked = [asked[index] for index in spread]
        chosen += [replace(source, half=half.get((collection, source.name), "")) for source in asked]
    return chosen


def halves(names: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], str]:
    """Which half each set (collection, name) of the numeric collections belongs to.

    One generator permutes the sorted names of each collection, 'wild' first, 'tabular' next, any others
    after them in alphabetical order; the first floor(n / 2) of a permutation are for choosing.
    """
    random = np.random.default_rng(HALVES_SEED)
    half: dict[tuple[str, str], str] = {}
    for collection in [*DRAWN_FIRST, *sorted(set(names) - {*DRAWN_FIRST, CATEGORICAL})]:
        if collection not in names:
            random.permutation(DRAWN_FIRST[collection])
            continue
        order = random.permutation(sorted(names[collection]))
        middle = len(order) // 2
        half |= {(collection, str(name)): HALVES[index >= middle] for index, name in enumerate(order)}
    return half


def _suffix(collection: str) -> str:
    return ".csv.gz" if collection == CATEGORICAL else ".parquet"


def split(source: Source, seed: int) -> Task:
    frame = source.read()
    if seed:
        normal = np.flatnonzero(frame["label"] == 0)
        chosen = np.random.default_rng(1000 + seed).permutation(normal)[: len(normal) // 2]
        train = np.zeros(len(frame), dtype=bool)
        train[chosen] = True
    else:
        train = (frame["part"] == "train").to_numpy()
    columns = frame.drop(columns=["label", "part"])
    labels = frame["label"].to_numpy()[~train]
    return Task(source.collection, source.name, seed, columns[train], columns[~train], labels)


def movable(task: Task, share: float) -> int:
    """How many training rows become anomalies where `share` of them should; 0 where it is too few to tell."""
    anomalies = int(task.labels.sum())
    count = min(round(share * len(task.train)), int(MOVABLE * anomalies))
    return count if count >= FEWEST_MOVED else 0


def contaminated(task: Task, count: int) -> tuple[Task, Array]:
    """`task` with `count` anomalies in place of as many training rows, and which test rows are left.

    A larger count moves the anomalies of a smaller one and further ones.
    """
    random = np.random.default_rng([task.seed, 7])
    replaced = random.permutation(len(task.train))[:count]
    moved = random.permutation(np.flatnonzero(task.labels == 1))[:count]
    remaining = np.ones(len(task.test), dtype=bool)
    remaining[moved] = False
    rows = np.arange(len(task.train))
    rows[replaced] = len(task.train) + moved
    train = pd.concat([task.train, task.test]).iloc[rows]
    return replace(task, train=train, test=task.test[remaining], labels=task.labels[remaining]), remaining
