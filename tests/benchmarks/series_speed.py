"""How fast the command line scores a time series of many machines, and in how much memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from common import aedetect
from tabular_report import Table

ROWS, CHANNELS, MACHINES, TRAIN_ROWS = 1_000_000, 8, 100, 100_000
START = "2024-01-01"


def speed_table(seed: int) -> Table:
    """Train on a tenth of the rows, score all; start-up, reading and writing included."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train, full, model = folder / "train.parquet", folder / "full.parquet", folder / "model.aed"
        _write(train, full, seed)
        flags = ("--time", "timestamp", "--entity", "machine", "--seed", str(seed))
        fitted = aedetect("train", train, "-o", model, *flags)
        scored = aedetect("score", full, "-m", model, "-o", folder / "out.parquet")
        assert scored.summary["rows"] == ROWS
    rows: list[tuple[str, ...]] = [
        (what, f"{count:,}", f"{run.seconds:.1f}", f"{count / run.seconds:,.0f}", f"{run.peak_mb:,.0f}")
        for what, count, run in (("train", TRAIN_ROWS, fitted), ("score", ROWS, scored))
    ]
    note = (
        f"{ROWS:,} rows of {CHANNELS} float32 channels over {MACHINES} machines, Parquet to Parquet, through "
        "the command line with default settings; seconds are of the whole run, start-up included."
    )
    return Table("Speed", ("command", "rows", "seconds", "rows/s", "peak MB"), rows, note)


def _write(train: Path, full: Path, seed: int) -> None:
    """The rows in the order of time, as a collector writes them; the first tenth is for training."""
    random = np.random.default_rng(seed)
    steps = ROWS // MACHINES
    places = np.arange(steps)[:, None, None]
    period = random.uniform(50, 300, (1, MACHINES, CHANNELS))
    phase = random.uniform(0, 2 * np.pi, (1, MACHINES, CHANNELS))
    level = random.normal(0, 5, (1, MACHINES, CHANNELS))
    waves = level + np.sin(2 * np.pi * places / period + phase)
    values = (waves + random.normal(0, 0.1, waves.shape)).reshape(ROWS, CHANNELS).astype(np.float32)
    names = [f"machine-{number:03d}" for number in range(MACHINES)]
    times = np.repeat(pd.date_range(START, periods=steps, freq="1min").to_numpy(), MACHINES)
    table = pa.table(
        {
            "timestamp": pa.array(times),
            "machine": pa.array(names * steps),
            **{f"c{index}": values[:, index] for index in range(CHANNELS)},
        }
    )
    pq.write_table(table, full)
    pq.write_table(table[:TRAIN_ROWS], train)
