"""Small tables that tests share."""

from __future__ import annotations

import numpy as np
import pandas as pd

TINY_ROWS = 200


def tiny_frame(rows: int = TINY_ROWS, seed: int = 0) -> pd.DataFrame:
    """Normal rows: `load` follows `temp`, `site` is one of three, `open` is a truth value."""
    random = np.random.default_rng(seed)
    temp = random.normal(20, 4, rows).round(3)
    return pd.DataFrame(
        {
            "temp": temp,
            "load": (2 * temp + random.normal(0, 1, rows)).round(3),
            "site": random.choice(["north", "south", "west"], rows, p=[0.5, 0.3, 0.2]),
            "open": random.choice(["true", "false"], rows),
        }
    )


def regions_frame(rows: int = 3000, seed: int = 0, regions: int = 10) -> pd.DataFrame:
    """Orders, and revenue that follows from them, of regions each twice as large as the one before.

    Waiting times are the same in all.
    """
    random = np.random.default_rng(seed)
    region = random.integers(0, regions, rows)
    orders = 100 * 2.0**region * random.lognormal(0, 0.08, rows)
    revenue = 25 * orders * random.lognormal(0, 0.05, rows)
    return pd.DataFrame(
        {
            "region": [f"r{number}" for number in region],
            "orders": orders.round(),
            "revenue": revenue.round(2),
            "waiting": random.gamma(4, 2, rows).round(1),
        }
    )


def dropped(frame: pd.DataFrame, region: str) -> pd.DataFrame:
    """The rows of one region, whose orders and revenue have fallen by 80%."""
    rows = frame[frame["region"] == region].reset_index(drop=True)
    return rows.assign(orders=(rows["orders"] * 0.2).round(), revenue=(rows["revenue"] * 0.2).round(2))
