"""Files for the benchmark of clusters: tables, small files, series of many machines; written once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from common import aedetect
from growth_data import parts, write

FILES, ROWS_OF_SMALL = 40, 20
SERIES_FILES, MACHINES, CHANNELS = 50, 1_000, 8
START = np.datetime64("2024-01-01", "us")


@dataclass(frozen=True)
class Data:
    """Where the files lie, and how many rows or files there are to be."""

    folder: Path
    rows: int
    small: int
    series_rows: int

    def tables(self) -> Path:
        """Forty files of `rows` rows in all."""
        folder = self.folder / "tables"
        if not folder.exists():
            folder.mkdir()
            for number in range(FILES):
                write(folder / f"{number:02}.parquet", "rows", self.rows // FILES, number)
        return folder

    def table(self, rows: int) -> Path:
        """One file of so many rows."""
        path = self.folder / f"{rows}.parquet"
        if not path.exists():
            write(path, "rows", rows, 1)
        return path

    def small_files(self) -> Path:
        """CSV files of twenty rows each."""
        folder = self.folder / "small"
        if not folder.exists():
            folder.mkdir()
            rows = pa.concat_tables(parts("rows", self.small * ROWS_OF_SMALL, 2))
            for number in range(self.small):
                part = rows.slice(number * ROWS_OF_SMALL, ROWS_OF_SMALL)
                pc.write_csv(part, folder / f"{number:05}.csv")
        return folder

    def series(self) -> Path:
        """Fifty files that follow one another in time, each with rows of all machines."""
        folder = self.folder / "series"
        if not folder.exists():
            folder.mkdir()
            for number in range(SERIES_FILES):
                pq.write_table(_series(number, self.series_rows), folder / f"{number:02}.parquet")
        return folder

    def model(self) -> Path:
        """The default model, trained on the first of the forty files."""
        path = self.folder / "tables.aed"
        if not path.exists():
            aedetect("train", self.tables() / "00.parquet", "-o", path)
        return path

    def series_model(self) -> Path:
        """A model of the first ten files of series."""
        path = self.folder / "series.aed"
        if not path.exists():
            first = sorted(self.series().iterdir())[:10]
            aedetect("train", *first, "--time", "time", "--entity", "machine", "-o", path)
        return path


def _series(number: int, rows: int) -> pa.Table:
    """Waves of a period and a phase that each machine and channel has, with noise."""
    steps = max(rows // SERIES_FILES // MACHINES, 1)
    minutes = np.repeat(np.arange(number * steps, (number + 1) * steps), MACHINES)
    machines = np.tile(np.arange(MACHINES), steps)
    random = np.random.default_rng((3, number))
    shapes = np.random.default_rng(3)
    columns = {}
    for channel in range(CHANNELS):
        period, phase = shapes.integers(20, 60), shapes.uniform(0, 6, MACHINES)
        wave = np.sin(2 * np.pi * minutes / period + phase[machines])
        columns[f"c{channel}"] = np.round(wave + random.normal(0, 0.2, len(minutes)), 4)
    times = pa.array(START + minutes * np.timedelta64(1, "m"))
    return pa.table({"time": times, "machine": [f"m{each:04}" for each in machines.tolist()], **columns})
