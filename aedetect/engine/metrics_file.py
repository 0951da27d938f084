"""The outcome of a run as metrics, for whoever was not watching.

They are for the textfile collector of Prometheus' node exporter: text exposition format 0.0.4, without
timestamps, as that collector demands.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from aedetect.errors import ExitCode

# The data were scored; that some were flagged or have drifted is a finding, not a failure. Nor is it one of
# scoring that nobody could be told.
SUCCESS = (ExitCode.OK, ExitCode.NOTIFY, ExitCode.ALERTS, ExitCode.DRIFT, ExitCode.HEALTH)
HEALTH_KINDS = ("rows", "missing", "late", "entity", "empty", "flagged", "silence")
_LAST_SUCCESS = "aedetect_last_success_timestamp_seconds"


def metrics(summary: dict[str, Any], last_success: float | None, job: str | None = None) -> str:
    """A summary as Prometheus metrics. `last_success` is what the file said before, if anything.

    `job`: a label that tells runs with one model apart.
    """
    common = _labels(summary, job)
    finished = datetime.fromisoformat(summary["finished"]).timestamp()
    trained = summary["model"]["trained"]
    if summary["exit_code"] in SUCCESS:
        last_success = finished
    files = Counter(entry["status"] for entry in summary["files"])
    lines: list[str] = []

    def gauge(name: str, text: str, *samples: tuple[dict[str, str], float | None]) -> None:
        shown = [(labels, value) for labels, value in samples if value is not None]
        if shown:
            lines.extend((f"# HELP {name} {text}", f"# TYPE {name} gauge"))
            lines.extend(f"{name}{_label_text(common | labels)} {value!r}" for labels, value in shown)

    gauge("aedetect_last_run_timestamp_seconds", "When the last run ended.", ({}, finished))
    gauge(_LAST_SUCCESS, "When the last run that scored its inputs ended.", ({}, last_success))
    gauge("aedetect_last_run_exit_code", "Exit code of the last run.", ({}, summary["exit_code"]))
    gauge("aedetect_last_run_duration_seconds", "How long the last run took.", ({}, summary["seconds"]))
    gauge(
        "aedetect_last_run_rows",
        "Rows of the last run by outcome.",
        *(
            ({"outcome": outcome}, summary[key])
            for outcome, key in (
                ("normal", "normal"),
                ("anomaly", "anomalies"),
                ("unscorable", "unscorable"),
                ("warmup", "warmup"),
                ("muted", "muted"),
            )
        ),
    )
    gauge(
        "aedetect_last_run_files",
        "Inputs of the last run by what became of them.",
        *(({"status": status}, files[status]) for status in ("scored", "failed", "known", "young")),
    )
    gauge("aedetect_last_run_events", "Events found by the last run.", ({}, summary["events"]))
    gauge(
        "aedetect_threshold",
        "Scores above this were flagged; of time series p-values decide.",
        ({}, summary["threshold"]),
    )
    gauge(
        "aedetect_model_trained_timestamp_seconds",
        "When the model was trained.",
        ({}, datetime.fromisoformat(trained).timestamp() if trained else None),
    )
    drift = summary["drift"]
    gauge(
        "aedetect_drifted_columns",
        "Columns whose values have drifted since training.",
        ({}, drift and float(len(drift["drifted"]))),
    )
    health = summary["health"]
    kinds = Counter(finding["kind"] for finding in health or ())
    gauge(
        "aedetect_health_findings",
        "What was unlike before, by kind.",
        *(({"kind": kind}, None if health is None else kinds[kind]) for kind in HEALTH_KINDS),
    )
    return "\n".join(lines) + "\n"


def _labels(summary: dict[str, Any], job: str | None) -> dict[str, str]:
    # The collector refuses two files that hold a metric with the same labels, and models in two
    # folders may bear one name.
    path = str(summary["model"]["path"])
    labels = {"model": os.path.basename(path), "model_path": os.path.abspath(path)}
    return labels if job is None else labels | {"job": job}


def _label_text(labels: dict[str, str]) -> str:
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def last_success(path: Path, summary: dict[str, Any], job: str | None = None) -> float | None:
    """What the file at `path` says of the last success of that model and `job`; None without one."""
    if not path.is_file():
        return None
    labels = _labels(summary, job)
    # Files of earlier versions have the name of the model alone.
    known = "|".join(re.escape(_label_text(one)) for one in (labels, {"model": labels["model"]}))
    line = re.compile(f"{_LAST_SUCCESS}(?:{known}) ([0-9.e+]+)")
    with contextlib.suppress(OSError, ValueError):
        for text in path.read_text(encoding="utf-8").splitlines():
            if match := line.fullmatch(text):
                return float(match[1])
    return None
