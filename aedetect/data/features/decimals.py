"""How many decimals the numbers of a column have, told from its quantiles."""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import Floats

MANY = -1
# Most quantiles are cells of the training rows, the others lie between two; their decimals are the column's.
_MOST_DECIMALS, _MOST_BETWEEN = 4, 0.5


def decimals_of(quantiles: Floats) -> int:
    """How many decimals the cells among a feature's quantiles have at most; `MANY` where they have many."""
    finite = quantiles[np.isfinite(quantiles)]
    for decimals in range(1, _MOST_DECIMALS + 1):
        rounded = np.round(finite, decimals) == finite
        if len(finite) and rounded[[0, -1]].all() and rounded.mean() >= _MOST_BETWEEN:
            return decimals
    return MANY
