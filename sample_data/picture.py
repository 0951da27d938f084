"""Draw what `make demo` found in the machine's temperature (needs matplotlib: pip install '.[plots]').

Run it after the demo: python sample_data/picture.py machine.png
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent


def main(path: str) -> None:
    scored = pd.read_csv(ROOT / "demo/machine_scored.csv", parse_dates=["timestamp"])
    events = pd.read_csv(ROOT / "demo/machine_events.csv", parse_dates=["start", "end"])
    known = json.loads((ROOT / "sample_data/machine_temperature_windows.json").read_text(encoding="utf-8"))
    figure, (above, below) = plt.subplots(2, sharex=True, figsize=(9, 4), height_ratios=(2, 1))
    above.plot(scored["timestamp"], scored["value"], color="#30506e", linewidth=0.6)
    above.set_ylabel("temperature")
    below.plot(scored["timestamp"], scored["anomaly_score"], color="#30506e", linewidth=0.9)
    below.set_ylabel("anomaly score")
    for event in events.itertuples():
        for axes in (above, below):
            axes.axvspan(
                event.start.tz_localize(None), event.end.tz_localize(None), color="#d1495b", alpha=0.25
            )
    low = above.get_ylim()[0]
    for first, last in known:
        above.plot([pd.Timestamp(first), pd.Timestamp(last)], [low, low], color="black", linewidth=5)
    above.set_title("red: events found; black bars: what is known to have happened", fontsize=9, loc="left")
    figure.tight_layout()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main(sys.argv[1])
