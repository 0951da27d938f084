"""Files of one dump in several formats, with cells of every kind, labels, gaps and infinite numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def mixed_rows(count: int, seed: int = 0) -> pd.DataFrame:
    """So many rows."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "load": random.normal(50, 9, count).round(2),
            "count": random.poisson(4, count),
            "site": random.choice(["berlin", "paris", "rome"], count),
            "seen": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(count) * 3607, "s"),
            "price": [f"{value:,.2f} €" for value in random.gamma(2, 2000, count)],
            "note": random.choice(["-", "a b", ""], count),
            "flag": random.choice(["yes", "no"], count),
            "bad": (random.random(count) < 0.03).astype(int),
        }
    )
    frame.loc[random.random(count) < 0.05, "load"] = np.nan
    frame.loc[random.random(count) < 0.004, "load"] = np.inf
    return frame


def mixed_files(folder: Path) -> Path:
    """Two Parquet files, one of many groups of rows, and two CSV files, one of a column less, in `folder`."""
    for name, frame in (("a", mixed_rows(1500)), ("b", mixed_rows(300, 1))):
        table = pa.Table.from_pandas(frame, preserve_index=False)
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=100 if name == "a" else None)
    mixed_rows(400, 2).to_csv(folder / "c.csv", index=False)
    mixed_rows(500, 3).drop(columns="flag").to_csv(folder / "d.csv.gz", index=False)
    return folder
