"""Which columns are named as the reason for a row's score."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from aedetect.data.arrays import Matrix

LEAST_SHARE = 0.05


def blamed_columns(shares: Matrix, top: int) -> list[int]:
    """The places of the columns to blame for a row, of its shares [columns], most to blame first.

    They are at most `top`, and but for the first those with a share that is worth naming.
    """
    order = np.argsort(-shares, kind="stable")[:top]
    return [int(index) for place, index in enumerate(order) if place == 0 or shares[index] >= LEAST_SHARE]


def top_attribution(shares: Matrix, columns: Sequence[str], top: int) -> str:
    """The columns that contributed most to one row's error, as a JSON object of their shares."""
    return json.dumps(
        {columns[index]: round(float(shares[index]), 2) for index in blamed_columns(shares, top)},
        ensure_ascii=False,
        allow_nan=False,
    )
