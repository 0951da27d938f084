"""Series with a daily rhythm, for tests: small, quick to learn, with known anomalies."""

from __future__ import annotations

import numpy as np
import pandas as pd

STEP = 600
DAY = 144


def readings(days: float = 6, machines: int = 1, seed: int = 0, start: str = "2026-01-01") -> pd.DataFrame:
    """Columns time (every ten minutes), machine, temp, load, open; sorted by machine and time."""
    random = np.random.default_rng(seed)
    rows = int(days * DAY)
    frames = []
    for number in range(machines):
        phase = 2 * np.pi * np.arange(rows) / DAY
        frames.append(
            pd.DataFrame(
                {
                    "time": pd.date_range(start, periods=rows, freq="10min"),
                    "machine": f"m{number}",
                    "temp": 20 + 10 * number + 3 * np.sin(phase) + random.normal(0, 0.2, rows),
                    "load": 50 + 20 * np.sin(phase + 1) + random.normal(0, 1, rows),
                    "open": np.sin(phase) > 0.5,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def broken(frame: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """The frame with the temperature stuck, well above, in rows `first` to `last`."""
    frame = frame.copy()
    frame.loc[first : last - 1, "temp"] = frame["temp"].max() + 5
    return frame
