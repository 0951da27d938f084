"""The outcome of a scoring run, kept in files for whoever was not watching.

The summary is the JSON object of `--json`; the metrics are for the textfile collector of
Prometheus' node exporter (text exposition format 0.0.4, without timestamps, as that collector
demands). Both are written however the run ends, and atomically.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from aedetect.engine.summary import Summary
from aedetect.errors import AedetectError, ExitCode, Terminated, UsageError, lacking
from aedetect.io.atomic import atomic_output, check_writable, same_file
from aedetect.io.locate import STDIN

# The data were scored; that some were flagged or have drifted is a finding, not a failure.
SUCCESS = (ExitCode.OK, ExitCode.ALERTS, ExitCode.DRIFT)
_LAST_SUCCESS = "aedetect_last_success_timestamp_seconds"


@contextlib.contextmanager
def recorded(
    summary: Summary, summary_file: Path | None, metrics_file: Path | None, taken: Sequence[str | None]
) -> Iterator[None]:
    """Writes `summary` to these files when the block ends, also when it fails.

    Raises OutputError where they cannot be written; a failure of the block itself comes first. Raises
    Clash where one of them is also among `taken`, paths of other use: nothing is written then.
    """
    for option, path in (("--summary", summary_file), ("--metrics", metrics_file)):
        if path is not None and str(path) == STDIN:
            raise UsageError(f"{option} -: this goes to a file, not to stdout, which --json is for")
        if path is not None:
            check_writable(path)
    check_records(summary_file, metrics_file, taken)
    if summary_file is not None and metrics_file is not None and same_file(summary_file, metrics_file):
        raise UsageError(f"{metrics_file}: both --summary and --metrics go there; name two files")
    try:
        yield
    except Clash:
        raise
    except BaseException as error:
        summary.error, summary.exit_code = _told(error)
        with contextlib.suppress(AedetectError):
            _write(summary, summary_file, metrics_file)
        raise
    _write(summary, summary_file, metrics_file)


class Clash(UsageError):
    """A record would replace a file of other use: no record of that is written there."""


def check_records(summary_file: Path | None, metrics_file: Path | None, taken: Sequence[str | None]) -> None:
    """Raises Clash where a record of the run would replace one of the files `taken`."""
    for option, path in (("--summary", summary_file), ("--metrics", metrics_file)):
        if path is None or (path.exists() and not path.is_file()):
            continue
        if any(other and same_file(path, other) for other in taken):
            raise Clash(
                f"{path}: {option} would replace an input, an output, the model or the state file; "
                "name another"
            )


def _told(error: BaseException) -> tuple[str, int]:
    if isinstance(error, AedetectError):
        return str(error), int(error.exit_code)
    if isinstance(error, Terminated):
        return "terminated", int(ExitCode.TERMINATED)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", int(ExitCode.INTERRUPTED)
    if isinstance(error, BrokenPipeError):
        return "whoever read the output closed it", int(ExitCode.CLOSED_PIPE)
    memory = lacking(error)
    if memory is not None:
        return f"out of {memory}", int(ExitCode.DATA)
    return f"a bug in aedetect: {type(error).__name__}: {error}", int(ExitCode.BUG)


def _write(summary: Summary, summary_file: Path | None, metrics_file: Path | None) -> None:
    told = summary.as_dict()
    if summary_file is not None:
        with atomic_output(summary_file) as stream:
            text = json.dumps(told, ensure_ascii=False, allow_nan=False, indent=2)
            stream.write(text.encode() + b"\n")
    if metrics_file is not None:
        text = metrics(told, _last_success(metrics_file, _labels(told)))
        with atomic_output(metrics_file) as stream:
            stream.write(text.encode())


def metrics(told: dict[str, Any], last_success: float | None) -> str:
    """A summary as Prometheus metrics. `last_success` is what the file said before, if anything."""
    finished = datetime.fromisoformat(told["finished"]).timestamp()
    trained = told["model"]["trained"]
    if told["exit_code"] in SUCCESS:
        last_success = finished
    files = Counter(entry["status"] for entry in told["files"])
    lines: list[str] = []

    def gauge(name: str, text: str, *samples: tuple[dict[str, str], float | None]) -> None:
        shown = [(labels, value) for labels, value in samples if value is not None]
        if shown:
            lines.extend((f"# HELP {name} {text}", f"# TYPE {name} gauge"))
            lines.extend(f"{name}{_label_text(_labels(told) | labels)} {value!r}" for labels, value in shown)

    gauge("aedetect_last_run_timestamp_seconds", "When the last run ended.", ({}, finished))
    gauge(_LAST_SUCCESS, "When the last run that scored its inputs ended.", ({}, last_success))
    gauge("aedetect_last_run_exit_code", "Exit code of the last run.", ({}, told["exit_code"]))
    gauge("aedetect_last_run_duration_seconds", "How long the last run took.", ({}, told["seconds"]))
    gauge(
        "aedetect_last_run_rows",
        "Rows of the last run by outcome.",
        *(
            ({"outcome": outcome}, told[key])
            for outcome, key in (
                ("normal", "normal"),
                ("anomaly", "anomalies"),
                ("unscorable", "unscorable"),
                ("warmup", "warmup"),
            )
        ),
    )
    gauge(
        "aedetect_last_run_files",
        "Inputs of the last run by what became of them.",
        *(({"status": status}, files[status]) for status in ("scored", "failed", "known", "young")),
    )
    gauge("aedetect_last_run_events", "Events found by the last run.", ({}, told["events"]))
    gauge("aedetect_threshold", "Scores above this were flagged.", ({}, told["threshold"]))
    gauge(
        "aedetect_model_trained_timestamp_seconds",
        "When the model was trained.",
        ({}, datetime.fromisoformat(trained).timestamp() if trained else None),
    )
    drift = told["drift"]
    gauge(
        "aedetect_drifted_columns",
        "Columns whose values have drifted since training.",
        ({}, drift and float(len(drift["drifted"]))),
    )
    return "\n".join(lines) + "\n"


def _labels(told: dict[str, Any]) -> dict[str, str]:
    return {"model": os.path.basename(str(told["model"]["path"]))}


def _label_text(labels: dict[str, str]) -> str:
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _last_success(path: Path, labels: dict[str, str]) -> float | None:
    """What the file at `path` says of the last success; None where there is none."""
    if not path.is_file():
        return None
    line = re.compile(re.escape(_LAST_SUCCESS + _label_text(labels)) + r" ([0-9.e+]+)")
    with contextlib.suppress(OSError, ValueError):
        for text in path.read_text(encoding="utf-8").splitlines():
            if match := line.fullmatch(text):
                return float(match[1])
    return None
