"""Which of many are alike: the few nearest of each row, and rows that equal one another."""

from __future__ import annotations

import numpy as np
from array_api_compat import is_numpy_array, is_torch_array

from aedetect.data.arrays import AnyArray, Integers
from aedetect.models.evaluation.arrays import Array

# How many choices are compared through the least of them.
_GROUPED = 16
# Of so many groups for each place that is asked for, most are left out.
_WORTH_GROUPING = 4


def few_smallest(values: Array, count: int) -> Array:
    """Places [rows, count] of the smallest of each row of `values` [rows, choices], in ascending order.

    `count` is at most the number of choices.
    """
    if is_torch_array(values):
        import torch

        if values.device.type == "cpu":
            # On a CPU, this way is several times faster than torch's.
            return torch.from_numpy(_few_smallest(values.detach().numpy(), count))
        return values.topk(count, dim=1, largest=False).indices
    return _few_smallest(values, count)


def distinct(rows: Array) -> tuple[Array, Array]:
    """The different ones [those, width] of `rows` [rows, width], and which of them each row is [rows]."""
    if is_numpy_array(rows):
        rows = np.ascontiguousarray(rows)
        as_bytes = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
        _, first, which = np.unique(as_bytes, return_index=True, return_inverse=True)
        return rows[first], which.ravel()
    import torch

    return torch.unique(rows, dim=0, return_inverse=True)  # type: ignore[no-any-return]


def _few_smallest(values: AnyArray, count: int) -> Integers:
    rows, choices = values.shape
    groups = choices // _GROUPED
    if groups < _WORTH_GROUPING * count:
        return _sorted_out(values, np.broadcast_to(np.arange(choices), values.shape), count)
    # Each of the smallest lies in one of as many groups, those whose least is smallest. Members of a group
    # lie far apart, so that the least of all groups are found in few steps over long stretches.
    least = values[:, :groups].copy()
    for start in range(groups, _GROUPED * groups, groups):
        np.minimum(least, values[:, start : start + groups], out=least)
    chosen = np.argpartition(least, count - 1, axis=1)[:, :count]
    members = chosen[:, :, None] + groups * np.arange(_GROUPED)
    rest = np.broadcast_to(np.arange(_GROUPED * groups, choices), (rows, choices - _GROUPED * groups))
    candidates = np.concatenate([members.reshape(rows, -1), rest], axis=1)
    return _sorted_out(np.take_along_axis(values, candidates, axis=1), candidates, count)


def _sorted_out(values: AnyArray, places: Integers, count: int) -> Integers:
    """Those of `places` [rows, choices] that belong to the smallest `values` [rows, choices], in order."""
    if count < values.shape[1]:
        smallest = np.argpartition(values, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(values, smallest, axis=1)
        places = np.take_along_axis(places, smallest, axis=1)
    order = np.lexsort((places, values))
    return np.take_along_axis(places, order, axis=1)
