"""Tables: a row is scored by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from aedetect.data.arrays import Floats


def raw_scores(errors: np.ndarray[Any, Any]) -> Floats:
    """One number a row from its errors [rows, features]: their mean, in float64."""
    return np.asarray(errors.mean(axis=1, dtype=np.float64))
