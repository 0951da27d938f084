"""What the benchmarks share: running the command line and measuring it, and saying what machine this is."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_POLL = 0.02


@dataclass(frozen=True)
class Run:
    """One run of the command line: wall seconds, peak memory in MB, and its JSON summary.

    `peak_mb`: resident memory; `private_mb`: of this what is no part of any file, as seen now and then.
    """

    code: int
    seconds: float
    peak_mb: float
    summary: dict[str, Any]
    errors: str
    private_mb: float = 0.0


def aedetect(
    *arguments: str | Path,
    before: Callable[[], None] | None = None,
    check: bool = True,
    environment: dict[str, str] | None = None,
    patches: dict[str, object] | None = None,
) -> Run:
    """Run `aedetect ARGUMENTS --json` in a child process.

    `before` runs in the child, before it starts; `environment` adds variables to ours;
    `patches` sets what a module holds under a name, such as aedetect.models.memory.INPUT_ROWS.
    """
    command = [sys.executable, *_start(patches or {}), *map(str, arguments), "--json"]
    return measured(command, before, check, environment)


def _start(patches: dict[str, object]) -> list[str]:
    if not patches:
        return ["-m", "aedetect"]
    lines = ["import importlib"]
    for place, value in patches.items():
        module, _, name = place.rpartition(".")
        lines.append(f"setattr(importlib.import_module({module!r}), {name!r}, {value!r})")
    lines += ["from aedetect.cli.main import run", "run()"]
    return ["-c", "\n".join(lines)]


def measured(
    command: list[str],
    before: Callable[[], None] | None = None,
    check: bool = True,
    environment: dict[str, str] | None = None,
) -> Run:
    variables = {**os.environ, **(environment or {})}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        clock = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err, preexec_fn=before, env=variables)
        peak = private = 0.0
        while child.poll() is None:
            peak = max(peak, _status_mb(child.pid, "VmHWM"))
            private = max(private, _status_mb(child.pid, "RssAnon"))
            time.sleep(_POLL)
        seconds = time.perf_counter() - clock
        if not peak:
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _maxrss_unit()
        out.seek(0)
        err.seek(0)
        text, errors = out.read().decode(), err.read().decode()
    if check and child.returncode:
        sys.exit(f"{' '.join(command)}\nended with {child.returncode}:\n{errors}")
    try:
        summary = json.loads(text) if text.startswith("{") else {}
    except json.JSONDecodeError:
        summary = {}
    return Run(child.returncode, seconds, peak, summary, errors, private)


def _status_mb(pid: int, entry: str) -> float:
    # VmHWM is the kernel's own high-water mark since the program started; unlike ru_maxrss it does
    # not include what the parent held when it forked.
    try:
        with open(f"/proc/{pid}/status") as file:
            line = next((line for line in file if line.startswith(f"{entry}:")), None)
    except OSError:
        return 0.0
    return float(line.split()[1]) / 1024 if line else 0.0


def _maxrss_unit() -> int:
    return 1 << 20 if sys.platform == "darwin" else 1 << 10


def machine(*packages: str) -> str:
    """The machine and the versions that a figure belongs to, in two lines."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {_version(name)}" for name in ("aedetect", "torch", "pyarrow", *packages))
    return (
        f"{_processor()}, {cores} cores, {platform.system()} {platform.machine()}\n"
        f"Python {platform.python_version()}, {versions}"
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
        return names[0] if names else platform.processor() or "unknown processor"
    except OSError:
        return platform.processor() or "unknown processor"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
