"""What a GPU is good for: rows learned and scored a second, against the CPU beside it (`make bench-gpu`).

Data: --rows rows (10,000,000 unless told otherwise) of 20 columns, mixtures of correlated normal numbers,
written once as Parquet (seed 0). Protocol: the default model, trained on each device from the file; then the
file is scored, to nowhere, through the command line, in a process of its own. Times are of whole commands,
imports and reading included. The CPU is given --cpu-rows rows where all of them would take too long; rows
learned are those of the file, of which training looks at a part. Of the card: how busy it was and its memory
(nvidia-smi every half second: mean and most over the run, of all that uses the card). `--write` puts the
table into RESULTS.md. Without a GPU it says so and ends.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

COLUMNS, BLOCK = 20, 500_000
RESULTS = Path(__file__).with_name("RESULTS.md")
HEADING = "# On a GPU\n"
_ASK = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]


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


@dataclass
class Card:
    """How busy the card was, as shares of 1, and its memory in MB, from look to look."""

    busy: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def look(self, said: str) -> None:
        """Note a line of nvidia-smi, that of the first card; one that does not tell is passed over.

        >>> card = Card()
        >>> card.look("37, 1200")
        >>> card.look("[N/A], 1300")
        >>> card.busy, card.memory
        ([0.37], [1200.0, 1300.0])
        """
        for text, values, unit in zip(said.split(","), (self.busy, self.memory), (100, 1), strict=True):
            if text.strip().isdigit():
                values.append(float(text) / unit)

    @property
    def share(self) -> str:
        return f"{np.mean(self.busy):.0%}" if self.busy else "not known"

    @property
    def peak(self) -> str:
        return f"{max(self.memory):,.0f} MB" if self.memory else "not known"


class Watch(threading.Thread):
    """Looks every half second at the card, until it is told to end, or the card says nothing."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.card = Card()
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.5):
            try:
                said = subprocess.check_output(_ASK, text=True).splitlines()
            except (OSError, subprocess.CalledProcessError):
                return
            self.card.look(said[0])


@dataclass(frozen=True)
class Run:
    """One command on one device: rows a second, what it printed, and what the card did."""

    rate: float
    summary: dict[str, object]
    card: Card


def timed(rows: int, *words: str) -> Run:
    """A command in a process of its own. Ends the benchmark where it fails."""
    watch = Watch()
    watch.start()
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "aedetect", *words, "--json"], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    watch.over.set()
    watch.join()
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr}")
    return Run(rows / seconds, json.loads(done.stdout), watch.card)


def table(runs: dict[str, tuple[int, Run, Run]]) -> list[str]:
    """Lines of Markdown: of each device its rows, and the runs that learned and scored."""
    lines = [
        "| | rows | rows/s learned | rows/s scored | card busy, learning / scoring | its memory | flagged |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for device, (rows, learned, scored) in runs.items():
        on_card = device != "cpu"
        busy = f"{learned.card.share} / {scored.card.share}" if on_card else ""
        peak = max((learned.card, scored.card), key=lambda card: max(card.memory, default=0)).peak
        share = scored.summary["anomaly_share"]
        lines.append(
            f"| {device} | {rows:,} | {learned.rate:,.0f} | {scored.rate:,.0f} | {busy} "
            f"| {peak if on_card else ''} | {share:.4f} |"
        )
    return lines


def with_section(text: str, lines: list[str]) -> str:
    """RESULTS.md with its section on GPUs replaced by `lines`; at the end, where there is none.

    >>> with_section("# A\\na\\n\\n# On a GPU\\nold\\n\\n# B\\nb\\n", ["new"])
    '# A\\na\\n\\n# On a GPU\\n\\nnew\\n\\n# B\\nb\\n'
    """
    before, _, after = text.partition(HEADING)
    rest = after.find("\n# ")
    following = after[rest:] if rest >= 0 else ""
    return f"{before.rstrip()}\n\n{HEADING}\n" + "\n".join(lines) + "\n" + following


def measured(rows: int, cpu_rows: int) -> list[str]:
    """The lines of the section: what was measured where, and the table."""
    runs = {}
    with tempfile.TemporaryDirectory() as folder:
        for device, count in (("cuda", rows), ("cpu", min(cpu_rows, rows))):
            data, model = Path(folder) / f"{count}.parquet", Path(folder) / f"{device}.aed"
            if not data.exists():
                write(data, count)
            learned = timed(count, "train", str(data), "-o", str(model), "--device", device)
            scored = timed(count, "score", str(data), "-m", str(model), "--device", device)
            runs[device] = count, learned, scored
    ratios = [runs["cuda"][place].rate / runs["cpu"][place].rate for place in (1, 2)]  # type: ignore[union-attr]
    return [
        f"Measured {datetime.now(UTC):%Y-%m-%d} by `make bench-gpu`: {torch.cuda.get_device_name()}, "
        f"torch {torch.__version__}; {COLUMNS} columns.",
        "",
        *table(runs),
        "",
        f"The GPU learns {ratios[0]:.1f} and scores {ratios[1]:.1f} times as fast as the CPU beside it.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--cpu-rows", type=int, default=1_000_000)
    parser.add_argument("--small", action="store_true", help="200,000 rows: does it run at all?")
    parser.add_argument("--write", action="store_true", help="into RESULTS.md")
    asked = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("no GPU that torch can use: nothing was measured")
    rows = 200_000 if asked.small else asked.rows
    lines = measured(rows, asked.cpu_rows)
    print("\n".join(lines))
    if asked.write:
        RESULTS.write_text(with_section(RESULTS.read_text(), lines))


if __name__ == "__main__":
    main()
