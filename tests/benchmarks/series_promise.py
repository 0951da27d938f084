"""Do thresholds on time series keep their promise? False alarms on fresh normal stretches.

    python tests/benchmarks/series_promise.py [--nab DIR] [--runs 30]

Each run generates a normal series anew, learns its first part with default settings, and scores the rest,
which is as normal. 'daily': a rhythm of 288 steps (five minutes each) with noise that hangs together
(autoregressive, 0.9); 'steady': such noise alone; 'plant': three channels, one of them a switch, of a
rhythm with a slowly wandering amplitude. Given is the share of the scored rows that were flagged, mean and
median over the runs, at an alert rate of 0.01, and the false events a day at --alarms-per-day 0.2.
--nab DIR: the machine temperature of the Numenta Anomaly Benchmark, its rows from 2013-12-18 to 2014-01-25;
learned are all days but a block of seven, which are scored, for each such block in turn.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from series_data import TIME, temperature

from aedetect import Detector

_DAY = 288
_RATE, _ALARMS = 0.01, 0.2
_TESTED = 20
_BLOCK = 7


def generated(kind: str, days: int, seed: int) -> pd.DataFrame:
    """`days` of a normal series."""
    random = np.random.default_rng(seed)
    rows = days * _DAY
    noise = np.zeros((rows, 3))
    pushed = random.normal(0, 1, (rows, 3))
    for row in range(1, rows):
        noise[row] = 0.9 * noise[row - 1] + pushed[row]
    phase = 2 * np.pi * np.arange(rows) / _DAY
    frame = pd.DataFrame({TIME: pd.date_range("2026-01-01", periods=rows, freq="5min")})
    if kind == "steady":
        return frame.assign(x=noise[:, 0])
    if kind == "daily":
        return frame.assign(x=10 * np.sin(phase) + noise[:, 0])
    wander = 1 + 0.1 * np.sin(phase / 11 + seed) + 0.02 * noise[:, 2]
    load = 10 * wander * np.sin(phase)
    return frame.assign(load=load + noise[:, 0], temp=0.5 * load + noise[:, 1], on=np.sin(phase) > 0.3)


def learned(train: pd.DataFrame, test: pd.DataFrame) -> tuple[float, float, int]:
    """The share of rows flagged at the alert rate, events a day at that many alarms, and the window."""
    shares, events = 0.0, 0.0
    window = 0
    for settings in ({"threshold.alert_rate": _RATE}, {"threshold.alarms_per_day": _ALARMS}):
        detector = Detector({"series.time": TIME, "training.device": "cpu", **settings}).fit(train)
        assert detector.fitted.series is not None
        window = detector.fitted.series.state.window
        scored = detector.score(test, history=train[-2 * window :])
        if "threshold.alert_rate" in settings:
            shares = float(scored["is_anomaly"].fillna(False).mean())
        else:
            events = float(scored["anomaly_event"].nunique())
    days = len(test) * detector.fitted.series.state.step / 86_400
    return shares, events / days, window


def blocks(folder: Path) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """The machine's normal rows without seven days, and these."""
    frame, normal, _ = temperature(folder)
    calm = frame[normal].reset_index(drop=True)
    for start in range(0, len(calm) - _BLOCK * _DAY + 1, _BLOCK * _DAY):
        inside = (calm.index >= start) & (calm.index < start + _BLOCK * _DAY)
        yield calm[~inside], calm[inside]


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--nab", type=Path, metavar="DIR")
    parser.add_argument("--runs", type=int, default=30)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| data | days learned | runs | window | rows flagged, mean | median | events a day |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for kind in ("daily", "steady", "plant"):
        for days in (4, 15, 60):
            found = []
            for seed in range(options.runs):
                frame = generated(kind, days + _TESTED, seed)
                found.append(learned(frame[: days * _DAY], frame[days * _DAY :]))
            _row(kind, str(days), found)
    if options.nab:
        _row("machine temperature", "31", [learned(*pair) for pair in blocks(options.nab)])


def _row(kind: str, days: str, found: list[tuple[float, float, int]]) -> None:
    shares, events, windows = (np.array(part) for part in zip(*found, strict=True))
    print(
        f"| {kind} | {days} | {len(found)} | {int(np.median(windows))} | {shares.mean():.2%} | "
        f"{np.median(shares):.2%} | {events.mean():.2f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
