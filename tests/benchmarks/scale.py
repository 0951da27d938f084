"""The same commands on a Ray cluster as on one machine: speed, memory, deaths (`make bench-scale`).

Data: synthetic. Tables of 20 columns of numbers (see growth_data.py), in 40 Parquet files, --rows in all
(default 20,000,000); --small CSV files of 20 rows (default 10,000); time series of 1,000 machines with eight
channels, waves with noise, a row a minute, in 50 files, --series-rows in all (default 1,000,000).

Protocol: a cluster is simulated on this machine by `ray.cluster_utils.Cluster`: two nodes of one core each,
started before any clock runs. Each run is a command line of its own, as a user types it; the default model is
trained on the first file. "Same" is said of outputs that are equal byte by byte.

    speed     two workers against one, and against two processes of --jobs 2, by the clock
    memory    the most that was resident in a worker, of one file of a sixteenth, a quarter and all of --rows
    deaths    ten runs in which a worker is killed every few seconds, against one without
    small     what a file costs the driver, in its own CPU time, and by the clock
    series    spread by machine, against one process
    training  a model trained with the cluster, against one trained without

--only speed,small leaves out the others; --folder keeps files and model for the next time. All takes about
two hours on two cores; with --rows 2e6 --small 1000 half an hour."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
from common import Run, aedetect, machine
from scale_data import FILES, MACHINES, Data

ACTOR = "ray::_Worker"
RUNS_WITH_DEATHS = 10
# Between two deaths, at random.
SECONDS_ALIVE = (3.0, 8.0)
SEED = 0


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """Two nodes of one core each; the address that RAY_ADDRESS is to be."""
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        nodes.add_node(num_cpus=1)
        nodes.wait_for_nodes()
        yield nodes.address
    finally:
        nodes.shutdown()


class Commands:
    """The command line, on the cluster or without it."""

    def __init__(self, address: str):
        self._environment = {"RAY_ADDRESS": address, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}

    def on_ray(self, *words: object, jobs: int | None = None) -> Run:
        return self.here(*words, "--on", "ray", *([] if jobs is None else ["--jobs", str(jobs)]))

    def here(self, *words: object) -> Run:
        return aedetect(*map(str, words), environment=self._environment)


def digest(path: Path) -> str:
    """One name for the content of a file, or of all files of a folder."""
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def fresh(data: Data, name: str) -> Path:
    folder = data.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def speed(data: Data, commands: Commands) -> None:
    words = ["score", data.tables(), "-m", data.model(), "-o"]
    ways: dict[str, Callable[[Path], Run]] = {
        "one worker": lambda folder: commands.on_ray(*words, folder, jobs=1),
        "two workers": lambda folder: commands.on_ray(*words, folder, jobs=2),
        "--jobs 2": lambda folder: commands.here(*words, folder, "--jobs", "2"),
    }
    seconds, digests = {}, {}
    for name, run in ways.items():
        folder = fresh(data, "scored")
        seconds[name] = run(folder).seconds
        digests[name] = digest(folder)
        print(f"  {name}: {seconds[name]:,.0f} s, {data.rows / seconds[name]:,.0f} rows/s", flush=True)
    print(f"  two workers are {seconds['one worker'] / seconds['two workers']:.2f} times as fast as one")
    print(f"  they take {seconds['two workers'] / seconds['--jobs 2'] - 1:+.0%} of the time of --jobs 2")
    print(f"  outputs: {'same' if len(set(digests.values())) == 1 else 'DIFFERENT'}")


def workers() -> list[psutil.Process]:
    """The processes of the cluster that work for a command now."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if (process.info["cmdline"] or [""])[0].startswith(ACTOR):
            found.append(process)
    return found


@contextlib.contextmanager
def meanwhile(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """A thread that works while the block runs, and is told when it is over."""
    over = threading.Event()
    thread = threading.Thread(target=work, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def memory(data: Data, commands: Commands) -> None:
    for rows in (data.rows // 16, data.rows // 4, data.rows):
        peaks = [0.0]

        def watch(over: threading.Event, peaks: list[float] = peaks) -> None:
            while not over.wait(0.2):
                for process in workers():
                    with contextlib.suppress(psutil.Error):
                        peaks.append(process.memory_info().rss / 2**20)

        table, folder = data.table(rows), fresh(data, "scored")
        with meanwhile(watch):
            commands.on_ray("score", table, "-m", data.model(), "-o", f"{folder}{os.sep}")
        print(f"  {rows:,} rows: at most {max(peaks):,.0f} MB in a worker", flush=True)
        table.unlink()


def deaths(data: Data, commands: Commands) -> None:
    words = ["score", data.tables(), "-m", data.model(), "-o"]
    folder, chance = fresh(data, "scored"), random.Random(SEED)
    commands.on_ray(*words, folder)
    right, same, killed = digest(folder), 0, 0

    def kill(over: threading.Event) -> None:
        nonlocal killed
        while not over.wait(chance.uniform(*SECONDS_ALIVE)):
            alive = workers()
            if alive:
                with contextlib.suppress(psutil.Error):
                    chance.choice(alive).send_signal(signal.SIGKILL)
                    killed += 1

    for _ in range(RUNS_WITH_DEATHS):
        folder = fresh(data, "scored")
        with meanwhile(kill):
            commands.on_ray(*words, folder)
        same += digest(folder) == right
    print(
        f"  {same} of {RUNS_WITH_DEATHS} runs gave the same outputs; {killed} workers were killed", flush=True
    )


def small(data: Data, commands: Commands) -> None:
    words = ["score", data.small_files(), "-m", data.model(), "-o"]
    folder = fresh(data, "scored")
    before = os.times()
    one = commands.on_ray(*words, folder)
    after = os.times()
    driver = (after.children_user + after.children_system) - (before.children_user + before.children_system)
    right = digest(folder)
    folder = fresh(data, "scored")
    other = commands.here(*words, folder)
    print(f"  driver: {1000 * driver / data.small:.2f} ms of CPU time a file, its start included")
    print(f"  by the clock {1000 * one.seconds / data.small:.1f} ms a file with two workers, ", end="")
    print(f"{1000 * other.seconds / data.small:.1f} ms in one process")
    print(f"  outputs: {'same' if digest(folder) == right else 'DIFFERENT'}", flush=True)


def series(data: Data, commands: Commands) -> None:
    seconds, digests = [], []
    for run in (commands.here, commands.on_ray):
        folder = fresh(data, "scored")
        words = ["score", data.series(), "-m", data.series_model(), "-o", folder]
        seconds.append(run(*words, "--events", data.folder / "events.csv").seconds)
        digests.append((digest(folder), digest(data.folder / "events.csv")))
    print(f"  {seconds[0]:,.0f} s in one process, {seconds[1]:,.0f} s with two workers")
    print(f"  outputs and events: {'same' if digests[0] == digests[1] else 'DIFFERENT'}", flush=True)


def training(data: Data, commands: Commands) -> None:
    models = []
    for name, run in (("here.aed", commands.here), ("there.aed", commands.on_ray)):
        path = data.folder / name
        command = run("train", data.tables(), "-o", path)
        print(f"  {name.removesuffix('.aed')}: {command.seconds:,.0f} s", flush=True)
        models.append(_without_times(path))
    print(f"  models: {'same' if models[0] == models[1] else 'DIFFERENT'}", flush=True)


def _without_times(path: Path) -> tuple[str, dict[str, object]]:
    """What a model file holds, but for when and how long it was trained."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    words = {
        name: json.loads(text) if text[:1] in "[{" else text
        for name, text in header.pop("__metadata__").items()
    }
    return hashlib.sha256(content[8 + size :]).hexdigest(), _plain({"tensors": header, **words})


def _plain(value: object) -> object:
    timed = ("started", "seconds", "sha256", "file_sha256")
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if name not in timed}
    return [_plain(each) for each in value] if isinstance(value, list) else value


PARTS = {
    "speed": speed, "memory": memory, "deaths": deaths, "small": small, "series": series, "training": training
}  # fmt: skip


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=lambda text: int(float(text)), default=20_000_000)
    parser.add_argument("--small", type=lambda text: int(float(text)), default=10_000)
    parser.add_argument("--series-rows", type=lambda text: int(float(text)), default=1_000_000)
    parser.add_argument("--only", default=",".join(PARTS), help="parts to measure")
    parser.add_argument("--folder", type=Path, help="where files are kept; a temporary one if not given")
    options = parser.parse_args(words)
    options.only = options.only.split(",")
    if wrong := [name for name in options.only if name not in PARTS]:
        parser.error(f"--only: {wrong[0]} is none of {', '.join(PARTS)}")
    return options


def main() -> None:
    options = parsed()
    logging.getLogger("ray").setLevel(logging.ERROR)
    print(machine("ray"))
    print(f"{options.rows:,} rows in {FILES} files, {options.small:,} small files, ", end="")
    print(f"{options.series_rows:,} rows of {MACHINES:,} machines")
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        data = Data(folder, options.rows, options.small, options.series_rows)
        commands = Commands(stack.enter_context(cluster()))
        for name in options.only:
            clock = time.perf_counter()
            print(f"{name}", flush=True)
            PARTS[name](data, commands)
            print(f"  ({time.perf_counter() - clock:,.0f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
