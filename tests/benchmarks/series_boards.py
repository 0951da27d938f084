"""aedetect on two published tasks with their own rules: a machine's temperature and a water testbed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from series_data import BOARD_TIME, BOARD_TRAIN, NORMAL, TIME, Board, boards, temperature
from series_runs import OURS
from tabular_report import Table

from aedetect import Detector

DAYS_A_MONTH, STEPS_A_DAY = 30, 24 * 12
# Settings of the same name as the flags, the same for all files.
VARIANTS: dict[str, dict[str, Any]] = {
    OURS: {},
    f"{OURS} --window 16": {"series.window": 16},
    f"{OURS} --window 32": {"series.window": 32},
    f"{OURS} --alert-rate 0.001": {"threshold.alert_rate": 0.001},
    f"{OURS} --window 32 --smoothing 10": {"series.window": 32, "series.smoothing": 10},
}
# F1, false alarm rate and missed alarm rate (percent) of the board of SKAB v0.9 (Katser & Kozitsin, 2020).
BOARD = (
    ("Conv-AE (board)", 0.78, 13.6, 28.0),
    ("MSET (board)", 0.78, 39.7, 14.1),
    ("T²+Q, PCA (board)", 0.76, 26.6, 24.9),
    ("LSTM-AE (board)", 0.74, 30.0, 25.9),
    ("vanilla AE (board)", 0.39, 2.6, 75.2),
    ("IForest (board)", 0.29, 2.6, 82.9),
    ("everything flagged", 0.698, 100.0, 0.0),
)


def temperature_table(folder: Path, seed: int) -> Table:
    """How many labelled windows of the machine's temperature are met, and how often the alarm is false."""
    frame, normal, labelled = temperature(folder)
    detector = Detector({"series.time": TIME, "training.seed": seed}).fit(frame[normal])
    result = detector.score(frame)
    events = result["anomaly_event"].fillna(0).to_numpy(dtype=int)
    inside = np.any(labelled, axis=0)
    met = [bool(events[rows].any()) for rows in labelled]
    false = set(np.unique(events)) - {0} - set(np.unique(events[inside]))
    months = (~inside).sum() / (DAYS_A_MONTH * STEPS_A_DAY)
    times = pd.to_datetime(frame[TIME])
    rows: list[tuple[str, ...]] = []
    for found, window in zip(met, labelled, strict=True):
        name = f"{times[window].iloc[0]:%Y-%m-%d} to {times[window].iloc[-1]:%Y-%m-%d}"
        alarms = times[window & (events > 0)]
        first = f"{alarms.iloc[0]:%Y-%m-%d %H:%M}" if found else "–"
        rows.append((name, "met" if found else "missed", first))
    rows.append((f"{sum(met)} of {len(met)} windows", f"{len(false) / months:.1f} false events a month", ""))
    note = (
        f"Trained with default settings on the rows from {NORMAL[0]} to {NORMAL[1]}, scored on the whole "
        "series. A false event holds no row of a labelled window; a month is 30 days outside those."
    )
    return Table("Machine temperature", ("labelled window", "default", "first alarm inside"), rows, note)


def board_table(folder: Path, seed: int) -> Table:
    """F1, false and missed alarms over all files of the testbed, beside its board."""
    found = boards(folder)
    rows: list[tuple[str, ...]] = []
    for name, settings in VARIANTS.items():
        hits, false, missed, quiet = sum((_counts(board, settings, seed) for board in found), np.zeros(4))
        f1 = 2 * hits / (2 * hits + false + missed)
        rows.append((name, *_cells(f1, 100 * false / (false + quiet), 100 * missed / (missed + hits))))
        print("  ".join(rows[-1]), flush=True)
    rows += [(name, *_cells(*figures)) for name, *figures in BOARD]
    note = (
        f"{len(found)} files of 8 sensors; for each, a model of the first {BOARD_TRAIN} rows, which are also "
        "the history when the others are scored; the counts of those are summed over the files. The "
        "threshold is the model's own. A row without a score is not flagged."
    )
    return Table("Water testbed (SKAB v0.9)", ("detector", "F1", "FAR %", "MAR %"), rows, note)


def _counts(board: Board, settings: dict[str, Any], seed: int) -> Any:
    """True positives, false positives, false negatives, true negatives."""
    detector = Detector({"series.time": BOARD_TIME, "training.seed": seed, **settings}).fit(board.train)
    result = detector.score(board.test, history=board.train)
    flagged = result["is_anomaly"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    odd = board.labels == 1
    return np.array(
        [(flagged & odd).sum(), (flagged & ~odd).sum(), (~flagged & odd).sum(), (~flagged & ~odd).sum()]
    )


def _cells(f1: float, false: float, missed: float) -> tuple[str, str, str]:
    return f"{f1:.3f}", f"{false:.1f}", f"{missed:.1f}"
