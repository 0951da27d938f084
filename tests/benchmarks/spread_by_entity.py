"""Two ways to bring the rows of a series together on a Ray of this machine (`python spread_by_entity.py`).

Data: synthetic files of 8 float columns of 1,000 machines, each file a stretch of time of all of them, as
collectors write dumps: sine waves of other periods and levels with a little noise, from default_rng(SEED).
The model learns 20 of the machines for two epochs.

Ways, each in a child process whose tree of processes is watched:
  ours       our own reader cuts each file into buckets by series; a worker reads a bucket of all files
  ray data   our own reader gives blocks, which Ray Data groups by bucket (hash shuffle)
  alone      `score` of all files in one process, to the end
  on ray     the same with series spread over workers: three passes
The first two end once each bucket was read by a worker, and judge nothing. Reported are wall seconds, CPU
seconds of all processes, the peak of private memory of one worker and of all processes together, and what
was in shared memory. `alone` and `on ray` must say the same of every row, to the last bit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from common import machine

from aedetect.data.series.entities import Entities
from aedetect.data.series.timestamps import TimeReader
from aedetect.engine.places import opened_workers
from aedetect.io.files import open_inputs
from aedetect.io.source import Input, ReadOptions
from aedetect.models.threads import use_threads
from aedetect.scoring.base import NumberedBatch, PriorRows, ScoringSession
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.series import SeriesScorer
from aedetect.scoring.series_reader import InputPass
from aedetect.scoring.spread.cutting import Cutter
from aedetect.scoring.spread.pieces import Pieces, bucket_of
from aedetect.scoring.spread.spread import Spreading, spread_session

SEED = 0
CHANNELS = 8
WAYS = ("ours", "ray data", "alone", "on ray")
BUCKETS = 16
_POLL = 0.05


def write(folder: Path, rows: int, machines: int, files: int, suffix: str) -> None:
    random = np.random.default_rng(SEED)
    period = random.uniform(20, 100, (1, machines, CHANNELS))
    level = random.normal(0, 5, (1, machines, CHANNELS))
    names = [f"machine-{number:04d}" for number in range(machines)]
    steps = rows // machines // files
    for file in range(files):
        places = np.arange(file * steps, (file + 1) * steps)
        waves = level + np.sin(2 * np.pi * places[:, None, None] / period)
        waves += random.normal(0, 0.1, waves.shape)
        values = waves.reshape(-1, CHANNELS)
        times = np.datetime64("2026-01-01", "s") + places * np.timedelta64(1, "m")
        table = pa.table(
            {
                "time": pa.array(np.repeat(times, machines)),
                "machine": pa.array(names * len(places)),
                **{f"c{index}": values[:, index] for index in range(CHANNELS)},
            }
        )
        path = folder / f"dump-{file:03d}.{suffix}"
        pq.write_table(table, path) if suffix == "parquet" else pa_csv.write_csv(table, path)


def learn(folder: Path, model: Path, suffix: str) -> None:
    from aedetect import Detector

    tables = [
        pq.read_table(path) if suffix == "parquet" else pa_csv.read_csv(path)
        for path in sorted(folder.glob(f"*.{suffix}"))
    ]
    table = pa.concat_tables(tables)
    few = table.filter(pa.compute.less(table["machine"], "machine-0020"))
    options = {"series.time": "time", "series.entity": ["machine"], "series.window": 24, "training.epochs": 2}
    Detector({**options, "training.device": "cpu"}).fit(few).save(model)


def the_model(path: str, threads: int = 1) -> FittedModel:
    use_threads(threads)
    return FittedModel.load(path, device="cpu")


def ours(model: str, sources: list[Input]) -> Any:
    """Cut, and read the buckets."""
    with opened_workers("ray") as workers, tempfile.TemporaryDirectory() as folder:
        cutter = Cutter(partial(the_model, model), folder, BUCKETS)
        list(workers.map(cutter, list(enumerate(sources))))
        counts = workers.map(partial(_bucket_reader, folder, len(sources)), list(range(BUCKETS)))
        return sum(counts)  # type: ignore[arg-type]


def _bucket_reader(folder: str, files: int, threads: int) -> Callable[[int], int]:
    def rows_of(bucket: int) -> int:
        parts = [
            records for place in range(files) for records, _ in Pieces(folder, place).of(bucket).records()
        ]
        return sum(len(records) for records in parts)

    return rows_of


def ray_data(model: str, sources: list[Input]) -> Any:
    """Our reader's rows as blocks, grouped by bucket by a hash shuffle of Ray Data."""
    import ray

    ray.init(include_dashboard=False, log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    items = [{"place": place} for place in range(len(sources))]
    each = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        _Reader(model, sources), batch_size=1, batch_format="pyarrow"
    )
    counted = each.groupby("bucket", num_partitions=BUCKETS).map_groups(_count, batch_format="pyarrow")
    return sum(row["rows"] for row in counted.take_all())


class _Reader:
    """Gives the rows of an input as tables, as pass 1 has them."""

    def __init__(self, model: str, sources: list[Input]):
        self._model, self._sources = model, sources
        self._fitted: FittedModel | None = None

    def __call__(self, batch: pa.Table) -> Iterator[pa.Table]:
        if self._fitted is None:
            self._fitted = the_model(self._model)
        fitted = self._fitted
        assert fitted.series is not None
        for place in batch["place"].to_pylist():
            entities = Entities(fitted.series.state.entity)
            times = TimeReader(fitted.series.state.clock)
            first = 0
            for rows in InputPass(fitted, fitted.series, self._sources[place], entities, times).rows():
                buckets = np.array([bucket_of(name, BUCKETS) for name in entities.names])
                values = pa.array(np.ascontiguousarray(rows.values).reshape(-1))
                width = rows.values.shape[1]
                yield pa.table(
                    {
                        "bucket": buckets[rows.series],
                        "place": np.full(len(rows), place),
                        "row": np.arange(first, first + len(rows)),
                        "series": rows.series,
                        "seconds": rows.seconds,
                        "values": pa.FixedSizeListArray.from_arrays(values, width),
                        "unscorable": rows.unscorable,
                        "infinite": rows.infinite,
                    }
                )
                first += len(rows)


def _count(group: pa.Table) -> pa.Table:
    return pa.table({"rows": [len(group)]})


def alone(model: str, sources: list[Input]) -> Any:
    return said(SeriesScorer(the_model(model)).open(sources), sources)


def on_ray(model: str, sources: list[Input]) -> Any:
    with opened_workers("ray") as workers:
        spreading = Spreading(workers, partial(the_model, model), buckets=BUCKETS)
        with spread_session(the_model(model), sources, PriorRows(), spreading) as session:
            return said(session, sources)


def said(session: ScoringSession, sources: list[Input]) -> str:
    """A digest of what is said of every row, and of the events."""
    digest = blake2b(digest_size=16)
    for source in sources:
        first = 0
        for rows in source.open(32768).batches():
            scores = session.score(source, NumberedBatch(first, rows))
            first += len(rows)
            for each in (scores.scores, scores.p_values, scores.flagged, scores.events, scores.attribution):
                digest.update(np.ascontiguousarray(each).data)
        digest.update(json.dumps(session.warnings(source)).encode())
    events = session.events()
    digest.update(str(events.to_pylist() if events is not None else None).encode())
    return digest.hexdigest()


def watched(way: str, model: Path, folder: Path, suffix: str) -> dict[str, Any]:
    """Run one way in a child process; what its tree of processes took."""
    command = [sys.executable, __file__, "--way", way, str(model), str(folder), suffix]
    # A Ray of its own: without this, one that others have started here would be joined.
    variables = {**os.environ, "RAY_ADDRESS": "local"}
    clock = time.perf_counter()
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=variables)
    cpu, largest, together, shared = dict[int, float](), 0.0, 0.0, 0.0
    while child.poll() is None:
        now = 0.0
        try:
            tree = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            tree = []
        for process in tree:
            try:
                times, memory = process.cpu_times(), process.memory_info()
                name = " ".join(process.cmdline()[:2])
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
            cpu[process.pid] = times.user + times.system
            private = (memory.rss - memory.shared) / 2**20
            now += private
            shared = max(shared, memory.shared / 2**20 if "raylet" in name else 0.0)
            if name.startswith("ray::") or process.pid == child.pid:
                largest = max(largest, private)
        together = max(together, now)
        time.sleep(_POLL)
    out, errors = child.communicate()
    if child.returncode:
        raise SystemExit(errors)
    return {
        "seconds": time.perf_counter() - clock,
        "cpu": sum(cpu.values()),
        "largest": largest,
        "together": together,
        "shared": shared,
        "said": out.strip().splitlines()[-1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--machines", type=int, default=1_000)
    parser.add_argument("--files", type=int, default=50)
    parser.add_argument("--formats", nargs="+", default=["csv", "parquet"])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--way", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        way, model, folder, suffix = options.way
        paths = [str(path) for path in sorted(Path(folder).glob(f"*.{suffix}"))]
        sources: list[Input] = list(open_inputs(paths, ReadOptions()))
        run = {"ours": ours, "ray data": ray_data, "alone": alone, "on ray": on_ray}[way]
        print(run(model, sources))
        return
    print(machine(), end="\n\n")
    print(f"{'':<10}{'':<9}{'seconds':>9}{'CPU s':>9}{'worker MiB':>12}{'all MiB':>9}{'shared':>8}  said")
    with tempfile.TemporaryDirectory() as name:
        for suffix in options.formats:
            folder = Path(name, suffix)
            folder.mkdir()
            write(folder, options.rows, options.machines, options.files, suffix)
            model = folder / "m.aed"
            learn(folder, model, suffix)
            results = {}
            for way in options.ways:
                one = results[way] = watched(way, model, folder, suffix)
                print(
                    f"{way:<10}{suffix:<9}{one['seconds']:>9.1f}{one['cpu']:>9.1f}{one['largest']:>12,.0f}"
                    f"{one['together']:>9,.0f}{one['shared']:>8,.0f}  {one['said']}",
                    flush=True,
                )
            if {"alone", "on ray"} <= results.keys():
                assert results["alone"]["said"] == results["on ray"]["said"]


if __name__ == "__main__":
    main()
