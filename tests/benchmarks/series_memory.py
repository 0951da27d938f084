"""Peak memory of training on and scoring long time series (`make bench-series-memory`).

Data: synthetic Parquet files of 8 float32 channels of 50 machines, a row a minute of each, in the order of
time, as a collector writes them: sine waves of other periods and levels with a little noise, drawn from
numpy's default_rng(SEED). They are written in pieces to a temporary folder.

Protocol: `aedetect train` with default settings on files of --train rows, then `aedetect score` of files of
--score rows with the model of the first of these, each in a child process. Reported are wall seconds and
peak memory, and by how many bytes that grows a row: what is resident, which counts shared libraries and
mapped files, and what is private (on Linux), which the system cannot take back where others need it.

The default takes about five minutes on two cores; BENCH_ARGS="--score 1000000 10000000" shows more.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from common import Run, aedetect, machine

SEED = 0
CHANNELS, MACHINES = 8, 50
STEPS = 2_000
FLAGS = ("--time", "timestamp", "--entity", "machine", "--seed", str(SEED))


def write(path: Path, rows: int) -> None:
    random = np.random.default_rng(SEED)
    period = random.uniform(50, 300, (1, MACHINES, CHANNELS))
    phase = random.uniform(0, 2 * np.pi, (1, MACHINES, CHANNELS))
    level = random.normal(0, 5, (1, MACHINES, CHANNELS))
    names = [f"machine-{number:03d}" for number in range(MACHINES)]
    steps = rows // MACHINES
    writer = None
    for first in range(0, steps, STEPS):
        places = np.arange(first, min(first + STEPS, steps))
        waves = level + np.sin(2 * np.pi * places[:, None, None] / period + phase)
        waves += random.normal(0, 0.1, waves.shape)
        values = waves.reshape(-1, CHANNELS).astype(np.float32)
        times = np.datetime64("2024-01-01", "us") + places * np.timedelta64(1, "m")
        part = pa.table(
            {
                "timestamp": pa.array(np.repeat(times, MACHINES)),
                "machine": pa.array(names * len(places)),
                **{f"c{index}": values[:, index] for index in range(CHANNELS)},
            }
        )
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    assert writer
    writer.close()


def say(what: str, runs: Sequence[tuple[int, Run]]) -> None:
    print(f"{what:<8}{'rows':>12}{'seconds':>10}{'resident MiB':>14}{'private MiB':>14}")
    for rows, run in runs:
        print(f"{'':<8}{rows:>12,}{run.seconds:>10.1f}{run.peak_mb:>14,.0f}{run.private_mb:>14,.0f}")
    (fewest, first), (most, last) = runs[0], runs[-1]
    if most > fewest:
        grown = [last.peak_mb - first.peak_mb, last.private_mb - first.private_mb]
        resident, private = (mb * 2**20 / (most - fewest) for mb in grown)
        print(f"{'bytes a row':<30}{resident:>14,.0f}{private:>14,.0f}", flush=True)
    print()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", type=int, nargs="+", default=[100_000, 1_000_000], help="rows to learn")
    parser.add_argument("--score", type=int, nargs="+", default=[1_000_000, 3_000_000], help="rows to score")
    options = parser.parse_args()
    print(machine(), end="\n\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = [folder / f"{rows}.aed" for rows in options.train]
        data = folder / "data.parquet"
        trained, scored = [], []
        for rows, model in zip(options.train, models, strict=True):
            write(data, rows)
            trained.append((rows, aedetect("train", data, "-o", model, *FLAGS)))
        say("train", trained)
        for rows in options.score:
            write(data, rows)
            scored.append((rows, aedetect("score", data, "-m", models[0], "-o", folder / "out.parquet")))
            assert scored[-1][1].summary["rows"] == rows
        say("score", scored)


if __name__ == "__main__":
    main()
