"""Measuring: aedetect and its peers on labelled series, one record for each series and detector."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from series_data import TIME, Array, Series, read_series
from series_peers import Peer, Scored
from sklearn.metrics import roc_auc_score
from vus import ranges, vus_pr

from aedetect import Detector

OURS = "aedetect"
FALSE_EVENTS_A_DAY = 1.0
_STEPS_A_DAY = 24 * 60

Record = dict[str, Any]
FIELDS = (
    *("track", "file", "detector", "rows", "channels", "train", "window", "seed"),
    *("vus_pr", "auroc", "recall", "fit_s", "score_s", "date", "machine"),
)
# What identifies a record: of two with the same key, the later one counts.
KEY = ("track", "file", "detector", "seed")


@dataclass(frozen=True)
class Ours:
    """aedetect's default, through its Python interface."""

    name: str = OURS

    def run(self, series: Series, seed: int) -> Scored:
        clock = time.perf_counter()
        detector = Detector({"series.time": TIME, "training.device": "cpu", "training.seed": seed})
        detector.fit(series.frame[series.train])
        fit = time.perf_counter() - clock
        clock = time.perf_counter()
        scores = detector.score(series.frame)["anomaly_score"].to_numpy(dtype=np.float64)
        return Scored(scores, fit, time.perf_counter() - clock)


@dataclass(frozen=True)
class Plan:
    """What is run; peers only on every `peer_files`th series of a track."""

    folder: Path
    peers: tuple[Peer, ...]
    peer_files: int
    seed: int
    # The date and the machine, as they are written with each figure.
    date: str
    machine: str


def measure(plan: Plan, found: Sequence[tuple[str, str, int]]) -> Iterator[list[Record]]:
    """The records of each series, as they are ready; their lines are printed before."""
    places: dict[str, int] = {}
    for track, name, window in found:
        place = places[track] = places.get(track, -1) + 1
        series = read_series(plan.folder, track, name, window)
        peers = () if place % plan.peer_files else plan.peers
        yield [record for detector in (Ours(), *peers) for record in _records(plan, series, detector)]


def _records(plan: Plan, series: Series, detector: Ours | Peer) -> Iterator[Record]:
    try:
        scored = detector.run(series, plan.seed)
    # Other people's code may raise anything on an odd series, and must not end a run of hours.
    except Exception as error:
        message = (str(error).strip() or "no message").splitlines()[0]
        print(
            f"{series.name}: {detector.name} is left out: {type(error).__name__}: {message}", file=sys.stderr
        )
        return
    scores = as_least(scored.scores)
    record = {
        "track": series.track,
        "file": series.name,
        "detector": detector.name,
        "rows": len(scores),
        "channels": series.frame.shape[1] - 1,
        "train": int(series.train.sum()),
        "window": series.window,
        "seed": plan.seed,
        "vus_pr": vus_pr(scores, series.labels, series.window),
        "auroc": float(roc_auc_score(series.labels, scores)),
        "recall": event_recall(scores, series.labels, series.window),
        "fit_s": scored.fit_s,
        "score_s": scored.score_s,
        "date": plan.date,
        "machine": plan.machine,
    }
    print(line(record), flush=True)
    yield record


def as_least(scores: Array) -> Array:
    """Rows without a score, of which too little is known yet, as the least strange ones."""
    known = scores[np.isfinite(scores)]
    return np.nan_to_num(scores, nan=float(known.min()), posinf=float(known.max()) + 1)


def event_recall(scores: Array, labels: Array, window: int) -> float:
    """The share of labelled ranges that hold a flagged row, at `FALSE_EVENTS_A_DAY`.

    The threshold goes down the scores for as long as there are no more false events than that. They
    are groups of flagged rows, half a window apart at most, that are not within half a window of a label.
    """
    labelled = ranges(labels)
    normal = np.ones(len(scores), dtype=bool)
    for first, end in labelled:
        normal[max(first - window // 2, 0) : end + window // 2] = False
    allowed = FALSE_EVENTS_A_DAY * normal.sum() / _STEPS_A_DAY
    found = 0
    for limit in np.unique(scores)[::-1]:
        flagged = scores >= limit
        if _events(flagged & normal, window // 2) > allowed:
            break
        found = sum(bool(flagged[first:end].any()) for first, end in labelled)
    return found / len(labelled)


def _events(flagged: Array, gap: int) -> int:
    """Groups of flagged rows; one that goes on counts anew every day, or to flag all would be one event."""
    rows = np.flatnonzero(flagged)
    if not len(rows):
        return 0
    groups = np.split(rows, np.flatnonzero(np.diff(rows) > gap + 1) + 1)
    return sum(1 + int(group[-1] - group[0]) // _STEPS_A_DAY for group in groups)


_LINE = "{:<7}{:<44}{:<14}{:>7}{:>9}{:>8}{:>8}{:>8}{:>8}{:>9}"


def heading() -> str:
    names = ("track", "file", "detector", "rows", "channels", "VUS-PR", "AUROC", "recall", "fit s", "score s")
    return _LINE.format(*names)


def line(record: Record) -> str:
    return _LINE.format(
        *(record[name] for name in ("track", "file", "detector", "rows", "channels")),
        *(f"{record[name]:.3f}" for name in ("vus_pr", "auroc", "recall")),
        *(f"{record[name]:.2f}" for name in ("fit_s", "score_s")),
    )


def merged(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Raw figures of several runs as one table; of a figure measured twice, the later one counts."""
    return pd.concat(parts, ignore_index=True).drop_duplicates(list(KEY), keep="last", ignore_index=True)
