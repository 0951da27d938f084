"""Training on data larger than the memory allowed (`make bench-memory`).

Data: a synthetic Parquet file of 40 float32 columns, --gb gigabytes of them (default 4: 25 million
rows). A row is a point of eight independent normal variables, sent through a fixed random linear
map, with a little noise; it is drawn from numpy's default_rng(SEED), and written in pieces to a temporary
folder, which needs as much room.

Protocol: `aedetect train` with default settings runs in a child process that the system allows
--limit GB (default 1.5) of private memory (RLIMIT_DATA); at the limit an allocation fails. That limit
counts what is reserved, used or not, and Arrow's own allocator reserves 1 GiB at the start; so
ARROW_DEFAULT_MEMORY_POOL=system makes it use the system's. Peak resident memory is reported beside
it; that counts shared libraries and mapped files too. As a control, a child under the same
limit tries to read the file as a whole. Then 100,000 fresh rows are scored with the model.

The default takes about four minutes on two cores; --gb 1 is done in one.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from common import aedetect, machine, measured

SEED = 0
COLUMNS, LATENT = 40, 8
CHUNK = 100_000
ENVIRONMENT = {"ARROW_DEFAULT_MEMORY_POOL": "system"}


def write(path: Path, rows: int, seed: int = SEED) -> None:
    random = np.random.default_rng(SEED)
    mix = random.standard_normal((LATENT, COLUMNS), dtype=np.float32)
    random = np.random.default_rng((SEED, seed))
    writer = None
    for start in range(0, rows, CHUNK):
        count = min(CHUNK, rows - start)
        matrix = random.standard_normal((count, LATENT), dtype=np.float32) @ mix
        matrix += 0.2 * random.standard_normal((count, COLUMNS), dtype=np.float32)
        part = pa.table({f"c{index}": matrix[:, index] for index in range(COLUMNS)})
        writer = writer or pq.ParquetWriter(path, part.schema, compression="none", use_dictionary=False)
        writer.write_table(part)
    assert writer
    writer.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--gb", type=float, default=4.0, help="size of the training data as float32 (default 4)"
    )
    parser.add_argument("--limit", type=float, default=1.5, help="memory limit in GB (default 1.5)")
    options = parser.parse_args()
    rows = round(options.gb * 1e9 / (4 * COLUMNS))
    limit = round(options.limit * 1e9)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    print(machine())
    print(f"{rows:,} x {COLUMNS} float32 = {options.gb:g} GB, limit {options.limit:g} GB, seed {SEED}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, new, model = folder / "data.parquet", folder / "new.parquet", folder / "model.aed"
        clock = time.perf_counter()
        write(data, rows)
        write(new, 100_000, seed=1)
        print(
            f"written in {time.perf_counter() - clock:.0f} s: {data.stat().st_size / 1e9:.2f} GB on disk",
            flush=True,
        )
        whole = f"import pyarrow.parquet as pq; pq.read_table({str(data)!r})"
        control = measured(
            [sys.executable, "-c", whole], before=limited, check=False, environment=ENVIRONMENT
        )
        verdict = "fails, as it should" if control.code else "succeeds: this limit shows nothing"
        print(f"reading it as a whole under the limit {verdict} (exit code {control.code})", flush=True)
        run = aedetect("train", data, "-o", model, before=limited, check=False, environment=ENVIRONMENT)
        if run.code:
            print(f"FAILED: aedetect train ended with {run.code} after {run.seconds:.0f} s")
            print(run.errors[-2000:])
            return 1
        taken = f"{run.seconds:.0f} s, peak resident {run.peak_mb:,.0f} MB"
        print(f"aedetect train: {run.summary['rows']:,} rows in {taken}", flush=True)
        scored = aedetect(
            "score", new, "-m", model, "-o", folder / "out.parquet", before=limited, environment=ENVIRONMENT
        )
        share = scored.summary["anomaly_share"]
        print(f"scoring {scored.summary['rows']:,} fresh normal rows: {share:.2%} flagged, asked for 1%")
    return 0


if __name__ == "__main__":
    sys.exit(main())
