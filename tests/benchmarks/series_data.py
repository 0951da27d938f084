"""The data sets of the time series benchmark: labelled series, a machine's temperature, a water testbed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TIME, LABEL, PART = "timestamp", "label", "part"
STEP = "1min"
TEMPERATURE = "machine_temperature_system_failure.csv"
NORMAL = ("2013-12-18", "2014-01-25")
BOARD_FOLDERS, BOARD_TIME, BOARD_TRAIN = ("valve1", "valve2", "other"), "datetime", 400

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Series:
    """One labelled series: what a detector reads of it, which rows it learns from, and the labels [rows]."""

    track: str
    name: str
    window: int
    frame: pd.DataFrame
    train: Array
    labels: Array

    @property
    def values(self) -> Array:
        """The channels [rows, channels] without the timestamps; gaps as the mean of the training part."""
        values = self.frame.drop(columns=TIME).to_numpy(dtype=np.float64)
        means = np.nan_to_num(np.nanmean(values[self.train], axis=0))
        return np.where(np.isnan(values), means, values)


@dataclass(frozen=True)
class Board:
    """One file of the testbed: rows to learn from, rows to judge, and the labels of those [rows]."""

    name: str
    train: pd.DataFrame
    test: pd.DataFrame
    labels: Array


def labelled(folder: Path, tracks: list[str], every: int) -> list[tuple[str, str, int]]:
    """ReconstructedColumn, name and window of every Nth series of each track, in the order of index.csv."""
    index = pd.read_csv(folder / "index.csv")
    unknown = set(tracks) - set(index["track"])
    if unknown:
        raise FileNotFoundError(f"no such tracks in {folder}: {', '.join(sorted(unknown))}")
    found = []
    for track in tracks:
        part = index[index["track"] == track].iloc[::every]
        found += [(track, str(row.file), int(row.window)) for row in part.itertuples()]  # type: ignore[call-overload, arg-type, unused-ignore]
    return found


def read_series(folder: Path, track: str, name: str, window: int) -> Series:
    table = pd.read_parquet(folder / track / f"{name}.parquet")
    frame = table.drop(columns=[LABEL, PART])
    if TIME not in frame:
        frame.insert(0, TIME, pd.date_range("2024-01-01", periods=len(frame), freq=STEP))
    return Series(
        track, name, window, frame, (table[PART] == "train").to_numpy(), table[LABEL].to_numpy(dtype=int)
    )


def temperature(folder: Path) -> tuple[pd.DataFrame, Array, list[Array]]:
    """The machine's temperature, the rows [rows] to learn from, and those [rows] of each labelled window."""
    frame = pd.read_csv(folder / TEMPERATURE)
    times = pd.to_datetime(frame[TIME])
    windows = json.loads((folder / "windows.json").read_text(encoding="utf-8"))[TEMPERATURE]
    met = [times.between(first, last).to_numpy() for first, last in windows]
    return frame, ((times >= NORMAL[0]) & (times < NORMAL[1])).to_numpy(), met


def boards(folder: Path) -> list[Board]:
    """All files of the testbed that hold an anomaly."""
    found = []
    for part in BOARD_FOLDERS:
        for path in sorted((folder / part).glob("*.csv"), key=lambda path: int(path.stem)):
            table = pd.read_csv(path, sep=";")
            columns = table.drop(columns=["anomaly", "changepoint"])
            labels = table["anomaly"].to_numpy(dtype=int)[BOARD_TRAIN:]
            name = f"{part}/{path.stem}"
            found.append(Board(name, columns[:BOARD_TRAIN], columns[BOARD_TRAIN:], labels))
    if not found:
        raise FileNotFoundError(f"no CSV files in the folders {', '.join(BOARD_FOLDERS)} of {folder}")
    return found
