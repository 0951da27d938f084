"""Layouts for tests of models."""

from __future__ import annotations

import numpy as np

from aedetect.data.features.layout import Layout


def layout(numeric: int, *cardinalities: int, gaps: bool = False) -> Layout:
    """`numeric` numeric features, every second one with gaps if asked for, and categories."""
    gappy = (np.arange(numeric) % 2 == 1) & gaps
    return Layout(
        missing_rates=np.where(gappy, 0.2, 0.001),
        gaps=gappy,
        gain=np.ones(numeric),
        shift=np.zeros(numeric),
        priors=tuple(np.full(size, 1 / size) for size in cardinalities),
    )
