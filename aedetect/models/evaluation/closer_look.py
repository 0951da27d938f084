"""Looking at rows more closely that are not quite normal at first sight."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from array_api_compat import is_numpy_array

from aedetect.models.evaluation.arrays import Array
from aedetect.models.evaluation.kernels import CACHED_ROWS, namespace, padded

# A gate is at least so wide: of equal surprises, rounding must not open it for some.
_LEAST_WIDTH = 0.01


def share_between(surprise: Array, gate: Array) -> Array:
    """How much a closer look counts [rows]: not at all up to the first of the `gate` [2], from the second on
    in full. `surprise` [rows] is that of the first sight."""
    xp = namespace(surprise)
    return xp.clip((surprise - gate[0]) / xp.clip(gate[1] - gate[0], _LEAST_WIDTH, None), 0.0, 1.0)


def looked_closer(surprise: Array, further: Array, share: Array, parts: int) -> Array:
    """The `surprise` [rows] of so many parts, and the `further` one [rows] as far as its `share` [rows] goes.

    Where it does not look, it is taken to be as surprised as the others are in the mean: scores have no step.
    """
    return share * (surprise + further) + (1 - share) * (surprise * (1 + 1 / parts))


def where_counted(work: Callable[..., Array], share: Array, *values: Array) -> Array:
    """What `work` makes of those rows of `values` [rows, ...] whose `share` [rows] is above 0; 0 of others.

    Only numpy leaves the others out: a GPU would be waited for, and a graph has no rows until it is run.
    What `work` makes of a row must not depend on how many there are, in multiples of 64.
    """
    if not is_numpy_array(share):
        return work(*values)
    places = np.flatnonzero(share > 0)
    size = max(-(-len(places) // CACHED_ROWS), 1) * CACHED_ROWS
    some = work(*(padded(array[places], size) for array in values))
    results = np.zeros((len(share), *some.shape[1:]), some.dtype)
    results[places] = some[: len(places)]
    return results
