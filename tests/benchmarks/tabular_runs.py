"""Measuring: which detectors run in each study of the tabular benchmark, and their figures on one split.

A record is one detector on one split: a row of the raw figures (`FIELDS`).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from common import aedetect
from sklearn.metrics import average_precision_score, roc_auc_score
from tabular_data import Array, Scored, Source, Task, contaminated, movable, split
from tabular_peers import Peer

Study = Literal["default", "contaminated", "ablation"]
Record = dict[str, Any]

SHARES = (0.02, 0.05, 0.10)
# The share of normal test rows whose p-value is at most this: the column of the figures, and the level.
LEVELS = {"alarms_5": 0.05, "alarms_1": 0.01, "alarms_01": 0.001}
# The order of the columns of the raw figures. 'half' is the set's (tabular_data.HALVES), 'train' the number
# of rows to train on, 'normals' that of the normal test rows; the last four say where a figure comes from.
FIELDS = (
    *("study", "collection", "set", "seed", "detector", "n", "d", "share", "reached"),
    *("auroc", "ap", "clean_auroc", "clean_ap", "fit_s", "rows_per_s", "alarms"),
    *("half", "train", "normals", *LEVELS),
    *("alert_rate", "jobs", "date", "machine"),
)
# What identifies a record: of two with the same key, the later one counts.
KEY = ("study", "collection", "set", "seed", "detector", "share")
DEFAULT = "aedetect"

# What --ablation leaves out of the default's score: a name, and the values in modules that do it. Such a
# part is weighed at scoring, so that these score with the default's own model.
_COUNTED = ("the network", "halves", "isolation", "the nearest row", "density", "the discriminator")
PARTS: dict[str, dict[str, object]] = {
    f"without {name}": {
        "aedetect.models.tabular.evidence._WEIGHTS": tuple(float(other != name) for other in _COUNTED)
    }
    for name in _COUNTED
}
# What it trains beside the default: a name, the environment variables and the values in modules that make it.
ABLATIONS: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    "memory": ({"AEDETECT_MODEL_ARCHITECTURE": "memory"}, {}),
    "denoising": ({"AEDETECT_MODEL_ARCHITECTURE": "denoising"}, {}),
    "principal": ({"AEDETECT_MODEL_ARCHITECTURE": "principal"}, {}),
    "one network": ({"AEDETECT_TRAINING_FOLD_BELOW": "0"}, {}),
}


# The model that this process trained last, for those that only score.
_latest: dict[str, bytes] = {}


class RunFailed(Exception):
    """The command line ended with an error."""


@dataclass(frozen=True)
class Ours:
    """aedetect through its command line.

    `scoring`: values in modules set at scoring alone, with the model that was trained just before.
    """

    name: str
    alert_rate: float
    flags: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    patches: dict[str, object] = field(default_factory=dict)
    scoring: dict[str, object] = field(default_factory=dict)
    roles: bool = True

    def takes(self, task: Task) -> bool:
        return True

    def run(self, task: Task) -> Scored:
        suffix = ".csv" if task.nominal else ".parquet"
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            normal, new, model, out = (
                folder / file for file in ("n" + suffix, "t" + suffix, "m.aed", "o.parquet")
            )
            for table, path in ((task.train, normal), (task.test, new)):
                if task.nominal:
                    table.to_csv(path, index=False)
                else:
                    table.to_parquet(path, index=False)
            rate, seed = str(self.alert_rate), str(task.seed)
            flags = ("--alert-rate", rate, "--seed", seed, *self.flags, *self._roles(task))
            if self.scoring:
                model.write_bytes(_latest["model"])
                fit_s = np.nan
            else:
                fit_s = self._command("train", normal, "-o", model, *flags)["seconds"]
                _latest["model"] = model.read_bytes()
            scored = self._command("score", new, "-m", model, "-o", out)
            result = pd.read_parquet(out)
        # A row without a score counts as the strangest, and is not an alarm.
        scores = result["anomaly_score"].astype(float).fillna(np.inf).to_numpy()
        flagged = result["is_anomaly"].astype("boolean").fillna(False).to_numpy(dtype=bool)
        speed = len(task.test) / scored["seconds"]
        if self.scoring:
            return Scored(scores, fit_s, speed)
        return Scored(scores, fit_s, speed, flagged, result["anomaly_p_value"].astype(float).to_numpy())

    def _roles(self, task: Task) -> Iterator[str]:
        if task.nominal and self.roles:
            for column in task.train.columns:
                yield from ("--role", f"{column}=categorical")

    def _command(self, *arguments: str | Path) -> dict[str, Any]:
        patches = self.patches | self.scoring
        run = aedetect(*arguments, check=False, environment=self.environment, patches=patches)
        if run.code:
            raise RunFailed(_error(run.errors) or f"exit code {run.code}")
        return run.summary


def _error(errors: str) -> str:
    """The message in what the command line wrote to stderr: the JSON object on its last line."""
    last = errors.strip().rpartition("\n")[2]
    try:
        return str(json.loads(last)["error"])
    except (ValueError, LookupError, TypeError):
        return last


@dataclass(frozen=True)
class Plan:
    """What is run on every split; `only_peers`: aedetect is not."""

    study: Study
    peers: tuple[Peer, ...]
    alert_rate: float
    jobs: int
    # The date and the machine, as they are written with each figure.
    date: str
    machine: str
    only_peers: bool = False

    def detectors(self, task: Task) -> list[Ours | Peer]:
        return [*([] if self.only_peers else self._variants(task)), *self.peers]

    def _variants(self, task: Task) -> list[Ours]:
        """aedetect as it is by default, and the variants of it that the study compares."""
        variants = [Ours(DEFAULT, self.alert_rate)]
        if self.study == "ablation":
            variants += [Ours(name, self.alert_rate, scoring=weights) for name, weights in PARTS.items()]
            variants += [
                Ours(name, self.alert_rate, environment=chosen, patches=patches)
                for name, (chosen, patches) in ABLATIONS.items()
            ]
        elif task.nominal:
            variants.append(Ours(f"{DEFAULT} (no roles)", self.alert_rate, roles=False))
        return variants


def measure(plan: Plan, splits: Sequence[tuple[Source, int]]) -> Iterator[list[Record]]:
    """The records of each set and seed, as they are ready; their lines are printed before."""
    pieces = [(plan, source, seed) for source, seed in splits]
    if plan.jobs == 1:
        yield from (_piece(*piece) for piece in pieces)
        return
    # Not forked: a copy of a process in which torch has started threads may hang.
    with ProcessPoolExecutor(plan.jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(_piece, *piece) for piece in pieces]):
            yield future.result()


def _piece(plan: Plan, source: Source, seed: int) -> list[Record]:
    task = split(source, seed)
    records = []
    for record in (_contaminated if plan.study == "contaminated" else _clean)(plan, task):
        origin = {
            "alert_rate": plan.alert_rate,
            "jobs": plan.jobs,
            "date": plan.date,
            "machine": plan.machine,
            "half": source.half,
            "train": len(task.train),
        }
        records.append(dict.fromkeys(FIELDS, np.nan) | record | origin)
        print(_line(plan.study, records[-1]), flush=True)
    return records


def _clean(plan: Plan, task: Task) -> Iterator[Record]:
    for detector in plan.detectors(task):
        scored = _run(detector, task)
        if scored:
            yield _named(plan, task, detector.name) | _figures(scored, task.labels)


def _contaminated(plan: Plan, task: Task) -> Iterator[Record]:
    """Each detector on every share, with its figures after clean training on the same test rows."""
    counts = {share: movable(task, share) for share in SHARES}
    for share in (share for share, count in counts.items() if not count):
        _say(task, f"too few anomalies to make {share:.0%} of the training rows; left out")
    plain, automatic = Ours(DEFAULT, plan.alert_rate), _told(plan, "auto")
    detectors: list[Ours | Peer] = [plain, automatic, *plan.peers]
    reference = {each.name: _run(each, task) for each in detectors}
    # The true share of clean data is 0, which is the default.
    reference[_told(plan, "R").name] = reference[plain.name]
    for count in sorted(set(counts.values()) - {0}):
        dirty, remaining = contaminated(task, count)
        reached = count / len(task.train)
        runs = [(each.name, each) for each in detectors]
        runs.insert(2, (_told(plan, "R").name, _told(plan, f"{reached:.6f}")))
        for name, detector in runs:
            before = reference[name]
            scored = _run(detector, dirty) if before else None
            if not scored or not before:
                continue
            clean = _figures(before, task.labels, remaining)
            record = _named(plan, task, name) | _figures(scored, dirty.labels)
            record |= {"reached": reached, "clean_auroc": clean["auroc"], "clean_ap": clean["ap"]}
            yield from (record | {"share": share} for share in SHARES if counts[share] == count)


def _told(plan: Plan, share: str) -> Ours:
    return Ours(f"{DEFAULT} --contamination {share}", plan.alert_rate, ("--contamination", share))


def _run(detector: Ours | Peer, task: Task) -> Scored | None:
    if not detector.takes(task):
        return None
    try:
        scored = detector.run(task)
    # Other people's code may raise anything on an odd table, and must not end a run of hours.
    except Exception as error:
        message = str(error).strip() or "no message"
        _say(task, f"{detector.name} is left out: {type(error).__name__}: {message.splitlines()[0]}")
        return None
    # An AUROC of 50% from scores that are all infinite would pass for a poor detector.
    lacking = int((~np.isfinite(scored.scores)).sum())
    if lacking == len(task.test):
        _say(task, f"{detector.name} is left out: none of its scores is a finite number")
        return None
    if lacking:
        _say(task, f"{detector.name}: {lacking} of {len(task.test)} scores are not finite numbers")
    return scored


def _say(task: Task, message: str) -> None:
    print(f"{task.name}, seed {task.seed}: {message}", file=sys.stderr, flush=True)


def _named(plan: Plan, task: Task, detector: str) -> Record:
    rows, columns = task.size
    named = {"study": plan.study, "collection": task.collection, "set": task.name, "seed": task.seed}
    return named | {"detector": detector, "n": rows, "d": columns}


def _figures(scored: Scored, labels: Array, remaining: Array | None = None) -> Record:
    rows = np.ones(len(labels), dtype=bool) if remaining is None else remaining
    labels, scores = labels[rows], scored.scores[rows]
    highest = scores[np.isfinite(scores)].max(initial=0.0)
    scores = np.nan_to_num(scores, nan=highest + 1, posinf=highest + 1)
    normal = labels == 0
    alarms = np.nan if scored.flagged is None else float(scored.flagged[rows][normal].mean())
    levels = dict.fromkeys(LEVELS, np.nan)
    if scored.p_values is not None:
        p_values = scored.p_values[rows][normal]
        levels = {name: float((p_values <= level).mean()) for name, level in LEVELS.items()}
    return levels | {
        "auroc": float(roc_auc_score(labels, scores)),
        "ap": float(average_precision_score(labels, scores)),
        "fit_s": scored.fit_s,
        "rows_per_s": scored.rows_per_s,
        "alarms": alarms,
        "normals": int(normal.sum()),
    }


_LINE = "{:<27} {:<30}{:>5}{:>8}{:>6}{:>8}{:>8}{:>9}{:>11}{:>9}"
_CONTAMINATED = "{:>7}{:>9}{:>8}"


def heading(study: Study) -> str:
    names = ("set", "detector", "seed", "n", "d", "AUROC", "AP", "fit s", "rows/s", "alarms")
    line = _LINE.format(*names)
    return line + (_CONTAMINATED.format("share", "reached", "clean") if study == "contaminated" else "")


def _line(study: Study, record: Record) -> str:
    line = _LINE.format(
        *(record[name] for name in ("set", "detector", "seed", "n", "d")),
        f"{100 * record['auroc']:.2f}",
        f"{100 * record['ap']:.2f}",
        f"{record['fit_s']:.2f}",
        f"{record['rows_per_s']:,.0f}",
        "-" if np.isnan(record["alarms"]) else f"{record['alarms']:.2%}",
    )
    if study != "contaminated":
        return line
    clean = f"{100 * record['clean_auroc']:.2f}"
    return line + _CONTAMINATED.format(f"{record['share']:.0%}", f"{record['reached']:.2%}", clean)


def settings_in_environment() -> str:
    """The variables that change aedetect's defaults in this run; empty where there are none."""
    return ", ".join(
        f"{name}={os.environ[name]}" for name in sorted(os.environ) if name.startswith("AEDETECT_")
    )
