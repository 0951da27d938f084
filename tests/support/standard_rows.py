"""Encoded rows of two numbers, of unlike scale, and a category."""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import Matrix


def rows(count: int, seed: int = 0) -> Matrix:
    """So many rows [rows, 3]."""
    random = np.random.default_rng(seed)
    numbers = random.standard_normal((count, 2)) * [1, 3] + [0, 2]
    return np.column_stack([numbers, random.integers(0, 3, count)]).astype(np.float32)
