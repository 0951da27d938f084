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
