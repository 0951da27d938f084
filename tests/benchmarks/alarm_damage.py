"""Five kinds of everyday damage to a series, on the rows given as eligible only."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

KINDS = ("drop", "dup", "nan", "jitter", "gross")


def damaged(
    frame: pd.DataFrame, kind: str, eligible: NDArray[np.intp]
) -> tuple[pd.DataFrame, NDArray[np.intp], NDArray[np.bool_]]:
    """The damaged frame, the row each of its rows came from, and which of its rows were made gross."""
    rng = np.random.default_rng(100 + KINDS.index(kind))
    share = 0.005 if kind == "gross" else 0.05
    pick = rng.choice(eligible, max(1, round(len(eligible) * share)), replace=False)
    frame, rows, gross = frame.copy(), np.arange(len(frame)), np.zeros(len(frame), dtype=bool)
    channels = [name for name in frame.columns if name != "timestamp"]
    if kind == "drop":
        rows = np.setdiff1d(rows, pick)
    elif kind == "dup":
        rows = np.sort(np.concatenate((rows, pick)))
    elif kind == "jitter":
        late = np.zeros(len(frame))
        late[eligible] = rng.uniform(0, 0.3, len(eligible))
        step = frame["timestamp"].diff().median().total_seconds()
        frame["timestamp"] += pd.to_timedelta(late * step, unit="s").round("ms")
    for name in channels if kind in ("nan", "gross") else ():
        values = frame[name].to_numpy(dtype=float, copy=True)
        low, high = np.nanmin(values), np.nanmax(values)
        if kind == "gross":
            values[pick] = -999.0 if low > -99 else low - 10 * max(high - low, 1.0)
        else:
            values[rng.choice(eligible, len(pick), replace=False)] = np.nan
        frame[name] = values
    gross[pick] = kind == "gross"
    return frame.iloc[rows].reset_index(drop=True), rows, gross[rows]
