"""What array libraries do in different ways, or at very different speed: once for each, behind one name.

All else is written in the array API, with `namespace` of the arrays at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array, is_torch_array

from aedetect.data.arrays import AnyArray
from aedetect.models.evaluation.arrays import Array

# Matrix products round differently for different numbers of rows and of threads. In blocks of
# one size, the last one padded, each computed by one thread, a row's errors depend on neither
# how the input was cut nor how many cores there are.
BLOCK_ROWS = 1024
# So many rows at a time stay in the processor's cache: twice as fast as all at once.
CACHED_ROWS = 64
# So many fill a GPU, and their distances to a memory bank fit beside it.
_DEVICE_ROWS = 8192
# Runtimes' functions differ by less than this from numpy's.
_SAME = 1e-5
# Far below all that is computed with, and exp of it is no denormal number.
_LOWEST_EXPONENT = -80.0


def namespace(*arrays: Array) -> Any:
    """The functions of the array API for the library that `arrays` are of."""
    return array_namespace(*arrays)


def rows_at_once(values: Array) -> int | None:
    """How many rows are best compared with a memory bank at once; None: all, as a graph has no number."""
    if is_numpy_array(values):
        return CACHED_ROWS
    if is_torch_array(values):
        return CACHED_ROWS if values.device.type == "cpu" else _DEVICE_ROWS
    return None


def contiguous(values: Array) -> Array:
    """The same, row after row in memory: sums and products of other orders round in other ways."""
    if is_numpy_array(values):
        return np.ascontiguousarray(values)
    return values.contiguous() if is_torch_array(values) else values


def padded(block: Array, rows: int) -> Array:
    """`block` [some rows, ...] with rows of zeros behind it; [rows, ...]."""
    filled = block.shape[0]
    if filled == rows:
        return block
    xp = namespace(block)
    rest = xp.zeros((rows - filled, *block.shape[1:]), dtype=block.dtype, device=device(block))
    return xp.concat([block, rest], axis=0)


def by_blocks(work: Callable[[Array], Array], values: Array) -> Array:
    """`work` on a few rows of `values` [rows, width] at a time: what it makes of them, one below the other.

    Blocks are of one size, the last one padded, as products round differently for other numbers of rows.
    """
    size, count = rows_at_once(values), values.shape[0]
    if size is None:
        return work(values)
    xp = namespace(values)
    parts = []
    for start in range(0, max(count, 1), size):
        block = values[start : start + size]
        parts.append(work(padded(block, size))[: block.shape[0]])
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=0)


def product(left: Array, right: Array) -> Array:
    """The matrix product of `left` [..., rows, inner] and `right` [..., inner, columns] or [inner]."""
    if is_numpy_array(left) or is_torch_array(left):
        return left @ right
    # The graph's library would put a branch for matrices without rows around each, which some runtimes lack.
    from spox.opset.ai.onnx.v17 import matmul

    return namespace(left).asarray(matmul(left.unwrap_spox(), right.unwrap_spox()))


def affine(values: Array, weight: Array, bias: Array) -> Array:
    """`values` [..., rows, inputs] times `weight` [..., inputs, outputs] plus `bias` [..., outputs].

    In blocks of one size, numpy's products round each row in the same way, wherever in the block it is.
    """
    if is_numpy_array(values):
        sums = np.matmul(values, weight)
        sums += bias
        return sums
    if is_torch_array(values):
        import torch

        if values.dim() == 2:
            return torch.addmm(bias, values, weight)
        return torch.baddbmm(bias, values, weight)
    return product(values, weight) + bias


def silu(values: Array) -> Array:
    """x / (1 + exp(-x)); the same shape."""
    if is_numpy_array(values):
        # Where exp would overflow, the result is next to 0 either way.
        divisor = np.negative(values)
        np.minimum(divisor, -_LOWEST_EXPONENT, out=divisor)
        np.exp(divisor, out=divisor)
        divisor += 1
        return np.divide(values, divisor, out=divisor)
    if is_torch_array(values):
        from torch.nn import functional

        return functional.silu(values)
    xp = namespace(values)
    return values / (1 + xp.exp(-values))


def gelu(values: Array) -> Array:
    """x · Φ(x), with Φ by the hyperbolic tangent (Hendrycks & Gimpel, 2016); the same shape."""
    if is_torch_array(values):
        from torch.nn import functional

        return functional.gelu(values, approximate="tanh")
    if is_numpy_array(values):
        inner = np.square(values)
        inner *= 0.044715 * 0.7978845608
        inner += 0.7978845608
        inner *= values
        np.tanh(inner, out=inner)
        inner += 1
        inner *= values
        inner *= 0.5
        return inner
    xp = namespace(values)
    return 0.5 * values * (1 + xp.tanh(0.7978845608 * values * (1 + 0.044715 * values * values)))


def sigmoid(values: Array) -> Array:
    """1 / (1 + exp(-x)); the same shape."""
    if is_torch_array(values):
        return values.sigmoid()
    xp = namespace(values)
    return 1 / (1 + xp.exp(xp.clip(-values, None, -_LOWEST_EXPONENT)))


def softmax(logits: Array) -> Array:
    """Shares [rows, choices] that grow with exp of the `logits` [rows, choices]; numpy's are overwritten."""
    if is_numpy_array(logits):
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return logits
    if is_torch_array(logits):
        return logits.softmax(dim=1)
    xp = namespace(logits)
    powers = xp.exp(logits - xp.max(logits, axis=1, keepdims=True))
    return powers / xp.sum(powers, axis=1, keepdims=True)


def lerp(low: Array, high: Array, share: Array) -> Array:
    """From `low` to `high` by `share` in [0, 1]; all of one shape."""
    return low + share * (high - low)


def take_columns(values: Array, places: AnyArray) -> Array:
    """The columns `places` [those], in numpy, of `values` [rows, width]; [rows, those]."""
    if is_numpy_array(values) or is_torch_array(values):
        return values[:, places]
    xp = namespace(values)
    return xp.take(values, xp.asarray(places), axis=1)


def look_up(values: Array, places: Array) -> Array:
    """Those of `values` [entries] with the numbers `places`, of any shape; of that shape."""
    if is_numpy_array(values) or is_torch_array(values):
        return values[places]
    xp = namespace(places)
    taken = xp.take(values, xp.reshape(places, (-1,)), axis=0)
    return xp.reshape(taken, places.dynamic_shape)


def excluding(distances: Array, itself: Array) -> Array:
    """`distances` [rows, others] without that to `itself` [rows], where not negative; may be changed."""
    if is_numpy_array(distances) or is_torch_array(distances):
        rows = (itself >= 0).nonzero()
        rows = rows[0] if is_numpy_array(distances) else rows[:, 0]
        distances[rows, itself[rows]] = float("inf")
        return distances
    xp = namespace(distances)
    others = xp.arange(0, distances.dynamic_shape[1], 1)
    return xp.where(itself[:, None] == others[None, :], xp.inf, distances)


def along_rows(values: Array, index: Array) -> Array:
    """Of each row of `values` [rows, choices], those with the numbers `index` [rows, those]."""
    return namespace(values).take_along_axis(values, index, axis=1)


def searchsorted_rows(knots: Array, values: Array) -> Array:
    """Where each of `values` [rows, these] would stand among the ascending `knots` [rows, knots]."""
    if is_numpy_array(values):
        places = np.empty(values.shape, np.int64)
        for row, levels in enumerate(knots):
            places[row] = np.searchsorted(levels, values[row])
        return places
    if is_torch_array(values):
        import torch

        return torch.searchsorted(knots, values.contiguous())
    xp, count = namespace(values), knots.shape[1]
    # Halving, as often as it takes, with what is larger than any number behind the knots.
    steps = [2**power for power in reversed(range(count.bit_length()))]
    behind = xp.full((knots.shape[0], sum(steps) - count), xp.inf, dtype=knots.dtype)
    levels = xp.concat([knots, behind], axis=1)
    places = xp.zeros_like(values, dtype=xp.int64)
    for step in steps:
        below = xp.take_along_axis(levels, places + (step - 1), axis=1) < values
        places = places + step * xp.astype(below, xp.int64)
    return places


def sums_of(values: Array, owners: Array, count: int) -> Array:
    """Sums [rows, count] of the `values` [rows, width] that belong to each of `owners` [width]."""
    if is_torch_array(values):
        return values.new_zeros(len(values), count).index_add(1, owners, values)
    if is_numpy_array(values):
        if len(owners) == count and np.array_equal(owners, np.arange(count)):
            return values.copy()
        order = np.argsort(owners, kind="stable")
        present, first = np.unique(owners[order], return_index=True)
        sums = np.zeros((len(values), count), values.dtype)
        if len(present):
            sums[:, present] = np.add.reduceat(values[:, order], first, axis=1)
        return sums
    xp = namespace(values)
    membership = xp.astype(owners[:, None] == xp.arange(count)[None, :], values.dtype)
    return product(values, membership)


def with_codes(background: Array, peaks: Array, places: Array) -> Array:
    """Rows of `background` [width], but for `places` [rows, columns], which hold `peaks` of that shape."""
    if is_numpy_array(places):
        values = np.repeat(background[None], len(places), axis=0)
        np.put_along_axis(values, places, peaks, axis=1)
        return values
    if is_torch_array(places):
        return background.repeat(len(places), 1).scatter(1, places, peaks)
    xp, values = namespace(places), background[None, :]
    index = xp.arange(background.shape[0])
    for column in range(places.shape[1]):
        here = places[:, column, None] == index[None, :]
        values = xp.where(here, peaks[:, column, None], values)
    return values


def repeated(values: Array, count: int) -> Array:
    """`values` so many times one behind the other; [count, ...]."""
    xp = namespace(values)
    if is_numpy_array(values) or is_torch_array(values):
        return xp.broadcast_to(values[None], (count, *values.shape))
    shape = xp.concat([xp.asarray([count], dtype=xp.int64), values.dynamic_shape], axis=0)
    return xp.broadcast_to(values[None, ...], shape)


def in_numpy(values: Array) -> AnyArray:
    """The values of an array that depends on no input."""
    if is_numpy_array(values):
        return np.asarray(values)
    return np.asarray(values.cpu().numpy() if is_torch_array(values) else values.unwrap_numpy())


def same(values: Array, others: Array) -> Array:
    """Where two arrays of one shape are equal: a graph's to the few last digits that its runtime rounds."""
    if is_numpy_array(values) or is_torch_array(values):
        return values == others
    xp = namespace(values)
    return xp.abs(values - others) <= _SAME * (1 + xp.abs(others))


def smallest(values: Array) -> Array:
    """The place [rows] of the smallest of each row of `values` [rows, choices]."""
    if is_torch_array(values) and values.device.type == "cpu":
        # On a CPU, numpy's is ten times faster than torch's.
        import torch

        return torch.from_numpy(values.detach().numpy().argmin(axis=1))
    return namespace(values).argmin(values, axis=1)


def all_of(values: Array) -> bool | None:
    """Whether all `values` are true; None where that is not known before a graph is run."""
    return bool(values.all()) if is_numpy_array(values) or is_torch_array(values) else None


def any_of(values: Array) -> bool | None:
    """Whether any of `values` is true; None where that is not known before a graph is run."""
    return bool(values.any()) if is_numpy_array(values) or is_torch_array(values) else None
