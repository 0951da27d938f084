"""Measuring: one size of one axis, aedetect and its peers, each in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from growth_peers import H2O, NAMES
from growth_store import Record

OURS = "aedetect"
TOOLS = (OURS, *NAMES)
FORMATS = ("csv", "parquet")
SIZES = {
    "rows": (1_000, 10_000, 100_000, 1_000_000, 10_000_000),
    "columns": (5, 20, 100, 500, 1_000, 2_000),
    "categories": (10, 100, 1_000, 10_000, 100_000),
    "series": (1, 10, 100, 1_000, 10_000, 100_000),
}
_FLAGS: dict[str, tuple[str, ...]] = {
    "categories": ("--role", "category=categorical"),
    "series": ("--time", "time", "--entity", "series"),
}
_POLL = 0.05


@dataclass(frozen=True)
class Limits:
    seconds: float
    memory_mb: float


@dataclass(frozen=True)
class Cost:
    """What a run took, and how it ended: done, or out of time or memory, or failed with what it said."""

    outcome: str
    seconds: float
    cpu_s: float
    peak_mb: float
    output: str = ""
    said: str = ""

    def figures(self) -> Record:
        names = ("outcome", "seconds", "cpu_s", "peak_mb", "said")
        return {name: _short(getattr(self, name)) for name in names}


def _short(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def run(command: list[str], limits: Limits) -> Cost:
    """Wall and CPU seconds and peak memory as the system accounts for them once the process has ended.

    The peak includes what this process holds when it starts the other: it imports nothing large for that
    reason."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        clock = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err)
        outcome, ended = "", 0
        while not ended:
            ended, status, usage = os.wait4(child.pid, os.WNOHANG)
            if ended:
                break
            time.sleep(_POLL)
            outcome = outcome or _over(child.pid, time.perf_counter() - clock, limits)
            if outcome:
                _end(child.pid)
        seconds = time.perf_counter() - clock
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    outcome = outcome or ("failed" if child.returncode else "done")
    said = texts[1].strip().splitlines()[-1][:300] if outcome == "failed" and texts[1].strip() else ""
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(outcome, seconds, cpu, usage.ru_maxrss / 1024, texts[0], said)


def _over(pid: int, seconds: float, limits: Limits) -> str:
    if seconds > limits.seconds:
        return "time"
    return "memory" if sum(map(_resident_mb, _family(pid))) > limits.memory_mb else ""


def _family(pid: int) -> list[int]:
    """A process and those it started, which may lead groups of their own."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = [int(word) for word in file.read().split()]
    except OSError:
        return [pid]
    return [pid, *(each for child in children for each in _family(child))]


def _resident_mb(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0


def _end(pid: int) -> None:
    for each in _family(pid):
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            continue


@dataclass(frozen=True)
class Size:
    """One size of one axis in one format, in a folder that holds its files."""

    axis: str
    size: int
    kind: str
    folder: Path
    limits: Limits

    @property
    def training(self) -> Path:
        return self.folder / f"training.{self.kind}"

    @property
    def fresh(self) -> Path:
        return self.folder / f"fresh.{self.kind}"

    def write(self) -> None:
        script = Path(__file__).with_name("growth_data.py")
        for path, seed in ((self.training, 0), (self.fresh, 1)):
            words = [self.axis, str(self.size), str(path), str(seed)]
            subprocess.run([sys.executable, str(script), *words], check=True)

    def measure(self, tool: str) -> Iterator[Record]:
        """The records of a tool, training first; scoring only where training was done."""
        yield from self._ours() if tool == OURS else self._peer(tool)

    def _ours(self) -> Iterator[Record]:
        model, output = self.folder / "model.aed", self.folder / f"scored.{self.kind}"
        program = [sys.executable, "-m", "aedetect"]
        train = ["train", str(self.training), "-o", str(model), *_FLAGS.get(self.axis, ()), "--json"]
        cost = run([*program, *train], self.limits)
        done = cost.outcome == "done"
        size = {"model_bytes": model.stat().st_size} if done else {}
        yield self._record(OURS, "train", cost.figures() | size)
        if done:
            score = ["score", str(self.fresh), "-m", str(model), "-o", str(output), "--json"]
            yield self._record(OURS, "score", run([*program, *score], self.limits).figures())

    def _peer(self, tool: str) -> Iterator[Record]:
        script = Path(__file__).with_name("growth_peers.py")
        paths = map(str, (self.training, self.fresh, self.folder / "peer.parquet"))
        cost = run([sys.executable, str(script), tool, *paths], self.limits)
        if cost.outcome != "done":
            yield self._record(tool, "train", cost.figures())
            return
        # What the packages print themselves comes before.
        for action, figures in json.loads(cost.output.strip().splitlines()[-1]).items():
            rounded = {name: _short(value) for name, value in figures.items()}
            yield self._record(tool, action, {"outcome": "done", "said": "", **rounded})

    def _record(self, tool: str, action: str, figures: Record) -> Record:
        place = {"axis": self.axis, "size": self.size, "format": self.kind, "tool": tool, "action": action}
        return {**place, **figures}


def available(tool: str) -> bool:
    """Whether the packages that a tool needs are there; says so where not."""
    package = {OURS: "aedetect", H2O: "h2o"}.get(tool, "pyod" if tool.startswith("PyOD") else "sklearn")
    done = subprocess.run([sys.executable, "-c", f"import {package}"], capture_output=True, check=False)
    if done.returncode:
        print(f"{tool} is left out: {package} cannot be imported", file=sys.stderr)
        return False
    if tool == H2O and shutil.which("java") is None:
        print(f"{tool} is left out: there is no Java", file=sys.stderr)
        return False
    return True
