"""Makes what the golden tests compare with: inputs, stored models, expected results.

    python tests/golden/make.py            inputs and stored models, where they are missing
    python tests/golden/make.py --write    expected results, by running every case anew

Run it from the root of the repository. `--write` says that today's behaviour is the right one: read
the difference in expected/ before it is committed. The stored models are those of release 0.1.0 and
are never made anew, nor are the inputs: later releases must read them, and score them as before.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.sensors import DAY, readings
from support.tables import tiny_frame

from aedetect import Detector, __version__

HERE = Path(__file__).resolve().parent
INPUTS, MODELS = HERE / "inputs", HERE / "models"
QUICK = {"training.epochs": 2, "training.folds": 2, "training.device": "cpu", "training.seed": 0}
SETTINGS = {
    "table": {**QUICK, "model.width": 16, "data.id": "no", "threshold.alert_rate": 0.05},
    "series": {
        **QUICK,
        "model.width": 16,
        "series.time": "time",
        "series.entity": "machine",
        "series.window": 12,
        "threshold.alert_rate": 0.02,
    },
}


def mixed_table(rows: int, seed: int, first: int) -> pd.DataFrame:
    """Rows of each kind of column: an id, a date, numbers, categories, a truth value, a constant."""
    random = np.random.default_rng(seed)
    frame = tiny_frame(rows, seed).astype({"load": object, "site": object})
    frame.insert(0, "no", [f"n{first + number:04}" for number in range(rows)])
    hours = pd.Timestamp("2025-03-01") + pd.to_timedelta(np.arange(rows) * 5 + first, unit="h")
    frame.insert(1, "day", hours.strftime("%Y-%m-%d %H:%M"))
    frame["count"] = random.poisson(4, rows)
    frame["price"] = np.exp(random.normal(2, 1, rows)).round(2)
    frame["unit"] = "C"
    for column, share in (("load", 0.04), ("site", 0.03), ("price", 0.05)):
        frame.loc[random.random(rows) < share, column] = None
    return frame


def new_table(rows: int = 60) -> pd.DataFrame:
    """Fresh rows, eight of them odd: each in a way of its own."""
    frame = mixed_table(rows, seed=5, first=200).astype({"temp": object, "price": object})
    faults = {
        3: {"load": 98.2},
        8: {"temp": 500, "load": -900},
        14: {"site": "mars"},
        20: {"unit": "F"},
        26: {"temp": "?"},
        33: {"price": "inf"},
        41: {"temp": None, "load": None, "site": None},
        50: {"temp": 29.5, "load": 21.0, "count": 19},
    }
    frame["odd"] = 0
    for row, cells in faults.items():
        for column, value in cells.items():
            frame.loc[row, column] = value
        frame.loc[row, "odd"] = 1
    return frame


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.round({"temp": 3, "load": 2})


def new_series() -> pd.DataFrame:
    """A day and a quarter of both machines and a short third: two events, gaps, one unreadable cell."""
    rows = DAY + DAY // 4
    frame = rounded(readings(1.25, 2, seed=5, start="2026-01-06")).astype({"temp": object, "load": object})
    frame["odd"] = 0
    frame.loc[60:75, ["temp", "odd"]] = [31.5, 1]
    frame.loc[rows + 150 : rows + 160, ["load", "odd"]] = [5.0, 1]
    frame.loc[[20, 21, rows + 40], "temp"] = None
    frame.loc[100, "load"] = "?"
    third = rounded(readings(0.2, 1, seed=9, start="2026-01-06")).assign(machine="m7", odd=0)
    return pd.concat([frame.drop(index=[120, 121, 122]), third], ignore_index=True)


def make_inputs() -> None:
    INPUTS.mkdir(exist_ok=True)
    table, series = new_table(), new_series()
    late = series["time"] >= "2026-01-07"
    frames = {
        "table.csv": mixed_table(200, seed=0, first=0),
        "table-new.csv": table,
        "table-more.csv": mixed_table(25, seed=7, first=300).assign(odd=0),
        "series.csv": rounded(readings(5, 2)),
        "series-new.csv": series,
        "series-a.csv": series[~late],
        "series-b.csv": series[late],
    }
    for name, frame in frames.items():
        if not (INPUTS / name).exists():
            frame.to_csv(INPUTS / name, index=False)


def make_models() -> None:
    MODELS.mkdir(exist_ok=True)
    for kind, settings in SETTINGS.items():
        path = MODELS / f"{kind}-0.1.0.aed"
        if path.exists():
            continue
        if __version__ != "0.1.0":
            raise SystemExit(f"{path} is missing; take it from the history, for this is {__version__}")
        with contextlib.chdir(INPUTS):
            # A model file names its inputs as they were given.
            Detector(settings).fit(f"{kind}.csv").save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the expected results anew")
    if parser.parse_args().write:
        from golden.expected import write_all

        write_all()
    else:
        make_inputs()
        make_models()


if __name__ == "__main__":
    main()
