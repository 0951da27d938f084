"""What a GPU is good for: rows learned and scored a second, against the CPU beside it (`make bench-gpu`).

Data: --rows rows (10,000,000 unless told otherwise) of 20 columns, mixtures of correlated normal numbers,
written once as Parquet (seed 0). Protocol: the default model, trained on each device from the file; then the
file is scored, to nowhere, by `Detector`'s own engine through the command line, in a process of its own.
The CPU is given --cpu-rows rows where all of them would take too long. Printed: rows/s, the time of training,
how busy the card was (nvidia-smi, mean over the run), and the ratio. Without a GPU it says so and ends.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

COLUMNS, BLOCK = 20, 500_000


def write(path: Path, rows: int) -> None:
    """Rows of 20 columns that depend on four hidden numbers."""
    random = np.random.default_rng(0)
    mixing = random.normal(size=(4, COLUMNS))
    names = [f"c{number}" for number in range(COLUMNS)]
    schema = pa.schema([(name, pa.float32()) for name in names])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, BLOCK):
            size = min(BLOCK, rows - start)
            values = random.normal(size=(size, 4)) @ mixing + 0.3 * random.normal(size=(size, COLUMNS))
            columns = [pa.array(column.astype(np.float32)) for column in values.T]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


class Busy(threading.Thread):
    """Looks every half second at how busy the card is."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.shares: list[float] = []
        self.over = threading.Event()

    def run(self) -> None:
        ask = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
        while not self.over.wait(0.5):
            self.shares.append(float(subprocess.check_output(ask, text=True).split()[0]))


def timed(*words: str) -> tuple[float, dict[str, object], float]:
    """Seconds, the summary, and the card's mean busyness of one command."""
    busy = Busy()
    busy.start()
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "aedetect", *words, "--json"], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    busy.over.set()
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr}")
    return seconds, json.loads(done.stdout), float(np.mean(busy.shares or [0.0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--cpu-rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("no GPU that torch can use: nothing was measured")
    print(
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {asked.rows:,} rows of {COLUMNS} columns"
    )
    print(f"{'':22}{'rows':>12}{'train s':>10}{'rows/s scored':>15}{'card busy':>11}")
    with tempfile.TemporaryDirectory() as folder:
        rates = {}
        for device, rows in (("cuda", asked.rows), ("cpu", min(asked.cpu_rows, asked.rows))):
            data, model = Path(folder) / f"{rows}.parquet", Path(folder) / f"{device}.aed"
            if not data.exists():
                write(data, rows)
            learned, _, busy = timed("train", str(data), "-o", str(model), "--device", device)
            seconds, summary, scoring = timed("score", str(data), "-m", str(model), "--device", device)
            rates[device] = rows / seconds
            print(
                f"{device:22}{rows:12,}{learned:10.1f}{rates[device]:15,.0f}"
                f"{busy / 100:6.0%}/{scoring / 100:4.0%}  flagged {summary['anomaly_share']:.4f}"
            )
        print(f"a GPU scores {rates['cuda'] / rates['cpu']:.1f} times as fast")


if __name__ == "__main__":
    main()
