"""The data sets of the tabular benchmark: reading, splits, and anomalies among the training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

QUICK = 10
# At most this share of a set's anomalies may be used for training; the others are needed for testing.
MOVABLE = 0.5
FEWEST_MOVED = 2
_SUFFIXES = {"tabular": ".parquet", "categorical": ".csv.gz"}

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Source:
    """One file of a collection: 'tabular' (numeric columns) or 'categorical' (nominal columns)."""

    path: Path
    collection: str

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(_SUFFIXES[self.collection])

    def read(self) -> pd.DataFrame:
        if self.collection == "tabular":
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
    def size(self) -> tuple[int, int]:
        return len(self.train) + len(self.test), self.train.shape[1]


@dataclass(frozen=True)
class Scored:
    """Scores of the test rows, what getting them cost, and which rows were flagged (peers flag none)."""

    scores: Array
    fit_s: float
    rows_per_s: float
    flagged: Array | None = None


def sources(folder: Path, collection: str, names: Sequence[str], quick: bool) -> list[Source]:
    """The sets of a folder in alphabetical order: all, those named, or ten spread over the alphabet."""
    found = [Source(path, collection) for path in sorted(folder.glob(f"*{_SUFFIXES[collection]}"))]
    unknown = set(names) - {source.name for source in found}
    if unknown or not found:
        raise FileNotFoundError(f"no such data sets in {folder}: {', '.join(sorted(unknown)) or '(none)'}")
    if names:
        found = [source for source in found if source.name in names]
    if quick:
        chosen = np.linspace(0, len(found) - 1, min(QUICK, len(found))).astype(int)
        found = [found[index] for index in chosen]
    return found


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
    kept = np.ones(len(task.test), dtype=bool)
    kept[moved] = False
    rows = np.arange(len(task.train))
    rows[replaced] = len(task.train) + moved
    train = pd.concat([task.train, task.test]).iloc[rows]
    return replace(task, train=train, test=task.test[kept], labels=task.labels[kept]), kept
