"""Alarms of time series: are they as rare as promised, and do they tell of what is odd?

    python tests/benchmarks/series_alarms.py --data FOLDER [--files N] [--rates R...] [--damage] [--peer]

Data: the labelled series in FOLDER, univariate in U/ and multivariate in M/, listed in index.csv, as for
`make bench-series`. Protocol: default flags, seed 0; learned from the rows of part 'train', the whole
series scored, and measured on the rows after the training part, by `is_anomaly` alone:
- alarms: normal rows flagged, those within 25 rows of a labelled event apart;
- hits: labelled events with a flagged row, with 25 rows' grace;
- false: false events per 1,000 normal rows, flagged stretches at most 100 rows apart being one;
- ratio: length of the flagged stretch to that of the label, the median of the events hit.
Means over files with their standard errors, over two halves of each track drawn with seed 0: what was
chosen was chosen on the first. With --damage, rows of the normal stretches are lost, sent twice, emptied,
late or grossly wrong, and what that adds is said. With --peer, a rolling z-score at the 99% quantile of
the training rows is judged beside.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from alarm_damage import KINDS, damaged
from alarm_measures import (
    events_hit,
    false_events_per_1000,
    halves,
    length_ratio,
    near_labels,
    normal_flagged,
)
from series_data import TIME, Array, Series, labelled, read_series
from series_runs import as_least
from vus import vus_pr

from aedetect import Detector

OURS, PEER, ROLLING = "aedetect", "rolling z-score", 25
FEW = 0.03
FIGURES = ("alarms", "hits", "false", "ratio", "vus_pr", "fit_s", "score_s")

Record = dict[str, Any]


def flags_of(scored: pd.DataFrame) -> Array:
    """Which rows [rows] are flagged; those that are not judged are not."""
    return scored["is_anomaly"].fillna(False).to_numpy(dtype=bool)


def measured(flags: Array, series: Series) -> Record:
    """The figures of the rows after the training part."""
    later = ~series.train
    flagged, labels = flags[later], series.labels[later] > 0
    hits, events = events_hit(flagged, labels)
    return {
        "alarms": normal_flagged(flagged, labels),
        "hits": hits / events if events else float("nan"),
        "false": false_events_per_1000(flagged, labels),
        "ratio": length_ratio(flagged, labels),
    }


def of_file(
    folder: Path, rates: Sequence[float], damage: bool, peer: bool, place: tuple[str, str, int]
) -> list[Record]:
    """The records of one series: ours at each rate, damaged, and the peer's."""
    series = read_series(folder, *place)
    named = {"track": series.track, "file": series.name}
    clock = time.perf_counter()
    detector = Detector({"series.time": TIME, "training.device": "cpu", "training.seed": 0})
    detector.fit(series.frame[series.train])
    fit = time.perf_counter() - clock
    records = []
    for rate in rates:
        clock = time.perf_counter()
        scored = detector.score(series.frame, alert_rate=rate)
        seconds = time.perf_counter() - clock
        scores = as_least(scored["anomaly_score"].to_numpy(dtype=np.float64))
        records.append(
            {
                **named,
                "detector": f"{OURS} at {rate:g}",
                **measured(flags_of(scored), series),
                "vus_pr": vus_pr(scores, series.labels, series.window),
                "fit_s": fit,
                "score_s": seconds,
            }
        )
    if peer:
        records.append({**named, "detector": PEER, **measured(rolling(series), series)})
    if damage:
        records += [{**named, **record} for record in of_damage(detector, series)]
    return records


def rolling(series: Series) -> Array:
    """Rows [rows] of a mean absolute z-score over a few rows beyond the 99% quantile of training rows."""
    values = series.values
    center, spread = values[series.train].mean(axis=0), values[series.train].std(axis=0)
    sizes = np.abs((values - center) / np.maximum(spread, 1e-9)).mean(axis=1)
    scores = pd.Series(sizes).rolling(ROLLING, center=True, min_periods=1).mean().to_numpy()
    return np.asarray(scores > np.quantile(scores[series.train], 0.99))


def of_damage(detector: Detector, series: Series) -> Iterator[Record]:
    """What each kind of damage to normal rows adds to those flagged, as shares; and what gross rows do."""
    near = near_labels(series.labels > 0)
    eligible = np.flatnonzero(~series.train & ~near)
    intact = flags_of(detector.score(series.frame))
    for kind in KINDS:
        frame, rows, gross = damaged(series.frame, kind, eligible)
        flags = flags_of(detector.score(frame))
        normal = (~series.train & ~near)[rows] & ~gross
        record = {
            "detector": kind,
            "added": float(flags[normal].mean() - intact[~series.train & ~near].mean()),
        }
        if gross.any():
            record["smeared"] = float((flags & ~intact[rows] & normal).sum() / gross.sum())
            record["found"] = float(flags[gross].mean())
        yield record


def summary(records: Sequence[Record]) -> Iterator[str]:
    """A line for each detector and half, of means and standard errors over files."""
    half_of = {}
    for track in sorted({record["track"] for record in records}):
        names = sorted({record["file"] for record in records if record["track"] == track})
        half_of |= {(track, name): half for half, chosen in enumerate(halves(names)) for name in chosen}
    for detector in dict.fromkeys(record["detector"] for record in records):
        for half, title in enumerate(("choosing", "confirming")):
            rows = [
                record
                for record in records
                if record["detector"] == detector and half_of[record["track"], record["file"]] == half
            ]
            if rows:
                yield f"{detector:<18}{title:<12}{len(rows):>3} files  {_figures(rows)}"


def _figures(rows: Sequence[Record]) -> str:
    said = []
    for name in (*FIGURES, "added", "smeared", "found"):
        values = np.array([row[name] for row in rows if name in row], dtype=np.float64)
        values = values[~np.isnan(values)]
        if len(values) and name == "ratio":
            said.append(f"ratio {np.median(values):.2f}")
        elif len(values):
            scale = 100 if name in ("alarms", "hits", "added", "found") else 1
            error = values.std() / np.sqrt(len(values))
            said.append(f"{name} {scale * values.mean():.3g}±{scale * error:.2g}{'%' if scale > 1 else ''}")
    many = sum(row.get("alarms", 0) > FEW for row in rows)
    return ", ".join([*said, *([f"{many} above 3%"] if "alarms" in rows[0] else [])])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with U/, M/ and index.csv")
    parser.add_argument("--files", type=int, help="only so many files of each track")
    parser.add_argument("--rates", type=float, nargs="+", default=[0.01], help="alert rates")
    parser.add_argument("--damage", action="store_true", help="damage normal rows, too")
    parser.add_argument("--peer", action="store_true", help="judge a rolling z-score, too")
    parser.add_argument("--jobs", type=int, default=1, help="files at a time")
    parser.add_argument("--json", type=Path, help="write all records here")
    options = parser.parse_args()
    places = [place for track in ("U", "M") for place in labelled(options.data, [track], 1)[: options.files]]
    work = partial(of_file, options.data, options.rates, options.damage, options.peer)
    records: list[Record] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for each in pool.map(work, places):
            records += each
            for record in each:
                print(
                    f"{record['track']} {record['file']:<44}{record['detector']:<18}{_figures([record])}",
                    flush=True,
                )
    print("\n".join(summary(records)))
    if options.json:
        options.json.write_text(json.dumps(records), encoding="utf-8")


if __name__ == "__main__":
    main()
