"""Trains and scores an everyday case as a user does, and judges the alarms."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from everyday.generators import Case
from numpy.typing import NDArray
from support.prompt import Prompt

RATE = 0.01
"""The rate of alarms asked for: the default."""

_SLACK = 0.2
_FEWEST_STEPS = 2
_SIGNALLED = (128 + signal.SIGINT, 128 + signal.SIGTERM)


@dataclass(frozen=True)
class Judgement:
    """What the alarms of a case are worth.

    `normal_flagged`: share of the normal rows that were judged; `begin_off` and `end_off`: steps by which the
    fault's alarm begins or ends later than the fault, NaN where it is missed; `length`: the fault's steps.
    """

    normal_flagged: float
    begin_off: float
    end_off: float
    length: int
    unjudged: float
    seconds: float

    @property
    def is_rare(self) -> bool:
        """Normal rows are flagged at most twice as often as asked."""
        return self.normal_flagged <= 2 * RATE

    @property
    def is_hit(self) -> bool:
        return bool(np.isfinite(self.begin_off))

    @property
    def is_bounded(self) -> bool:
        """The alarm begins and ends within 20% of the fault's length, or two steps."""
        slack = max(_SLACK * self.length, _FEWEST_STEPS)
        return self.is_hit and abs(self.begin_off) <= slack and abs(self.end_off) <= slack

    @property
    def complaints(self) -> list[str]:
        """What is wrong, in words; empty if all is well."""
        said = []
        if not self.is_rare:
            said.append(f"{self.normal_flagged:.1%} of normal rows flagged")
        if not self.is_hit:
            said.append("fault missed")
        elif not self.is_bounded:
            said.append(
                f"begins {self.begin_off:+.0f} and ends {self.end_off:+.0f} steps off of {self.length}"
            )
        return said


def judged(case: Case, folder: Path) -> Judgement:
    """Run `train` and `score` in `folder` with default settings and judge what they say.

    Raises AssertionError where a command fails or gives back other rows than it got, SystemExit where one is
    terminated.
    """
    clock = time.perf_counter()
    prompt = Prompt(folder)
    case.train.to_csv(folder / "train.csv", index=False)
    case.fresh.to_csv(folder / "fresh.csv", index=False)
    history = ("--history", "train.csv") if case.has_history else ()
    for words in (
        ("train", "train.csv", "-o", "m.aed", "--device", "cpu", *case.flags),
        ("score", "fresh.csv", "-m", "m.aed", "-o", "scored.csv", "--device", "cpu", *history),
    ):
        result = prompt(*words)
        # The command line takes SIGINT and SIGTERM for itself; they are meant for us as well.
        if result.exit_code in _SIGNALLED:
            raise SystemExit(result.exit_code)
        assert result.exit_code == 0, result.output
    scored = pd.read_csv(folder / "scored.csv", dtype={"is_anomaly": str, "anomaly_event": "Int64"})
    assert len(scored) == len(case.fresh)
    return of_rows(case, scored, time.perf_counter() - clock)


def of_rows(case: Case, scored: pd.DataFrame, seconds: float) -> Judgement:
    """Judge the columns `is_anomaly` (text), `anomaly_event` and `anomaly_score` of `scored`, row by row."""
    flags = (scored["is_anomaly"].str.lower() == "true").to_numpy()
    events = scored["anomaly_event"].to_numpy(dtype=np.float64, na_value=np.nan)
    series = _same_series(case)
    odd = np.flatnonzero(case.odd[series])
    begin, length = int(odd[0]), int(odd[-1] - odd[0] + 1)
    hit = np.unique(events[series][begin : begin + length])
    in_events = np.flatnonzero(np.isin(events[series], hit[np.isfinite(hit)]) & flags[series])
    # Rows at the edges of a fault are neither normal nor odd.
    slack = int(max(_SLACK * length, _FEWEST_STEPS))
    near = np.zeros(len(series), dtype=bool)
    near[max(0, begin - slack) : begin + length + slack] = True
    scored_rows = scored["anomaly_score"].notna().to_numpy()
    # A row that was not judged keeps no promise.
    normal = scored_rows.copy()
    normal[series[near]] = False
    if case.ignored is not None:
        normal &= ~case.ignored
    begins, ends = (in_events[0], in_events[-1]) if len(in_events) else (np.nan, np.nan)
    return Judgement(
        float(flags[normal].mean()),
        float(begins - begin),
        float(ends - (begin + length - 1)),
        length,
        float(1 - scored_rows.mean()),
        seconds,
    )


def _same_series(case: Case) -> NDArray[np.intp]:
    """The rows, by number, of the series that holds the fault."""
    if not case.series:
        return np.arange(len(case.fresh))
    columns = case.fresh[list(case.series)]
    return np.flatnonzero((columns == columns[case.odd].iloc[0]).all(axis=1))
