"""What array libraries do in different ways, or at very different speed: once for each, behind one name.

All else is written in the array API, with `namespace` of the arrays at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array, is_torch_array

from aedetect.data.arrays import AnyArray
from aedetect.models.evaluation.arrays import Array

# Matrix products round differently for different numbers of rows and of threads. In blocks of
# one size, the last one padded, each computed by one thread, a row's errors depend on neither
# how the input was cut nor how many cores there are.
BLOCK_ROWS = 1024
# So few rows are rounded alike by all processors, in products with a multiple of so many columns.
EVEN_ROWS, EVEN_OUTPUTS = 8, 16
# So many rows at a time stay in the processor's cache: twice as fast as all at once.
CACHED_ROWS = 64
# So many fill a GPU, and their distances to a memory bank fit beside it.
_DEVICE_ROWS = 8192
# Runtimes' functions differ by less than this from numpy's.
_SAME = 1e-5
# Far below all that is computed with, and exp of it is no denormal number.
_LOWEST_EXPONENT = -80.0


# Whether numpy itself follows the array API.
_NUMPY_IS_ONE = hasattr(np, "cumulative_sum")


def namespace(*arrays: Array) -> Any:
    """The functions of the array API for the library that `arrays` are of."""
    # Since 2.1, numpy has them all itself; to wrap it would load its random numbers and more.
    # To ask by the type first takes a tenth of the time, and this is asked often.
    if _NUMPY_IS_ONE and all(type(array) is np.ndarray or is_numpy_array(array) for array in arrays):
        return np
    return array_namespace(*arrays)


def rows_at_once(values: Array) -> int | None:
    """How many rows are best compared with a memory bank at once; None: all, as a graph has no number."""
    if is_numpy_array(values):
        return CACHED_ROWS
    if is_torch_array(values):
        if values.device.type == "cpu":
            return CACHED_ROWS
        # Where there was no memory for large blocks, there is none for such of the distances.
        return min(_DEVICE_ROWS, max(-(-len(values) // BLOCK_ROWS), 1) * BLOCK_ROWS)
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


def counted(count: int, like: Array) -> Array:
    """0, 1, … [count], of the kind that `like` is of, and where that is."""
    xp = namespace(like)
    if is_torch_array(like):
        return xp.arange(count, dtype=like.dtype, device=like.device)
    return xp.arange(count, dtype=like.dtype)


def by_blocks(work: Callable[[Array], Array], values: Array) -> Array:
    """`work` on a few rows of `values` [rows, width] at a time: what it makes of all of them."""
    return side_by_side(work, values, size=rows_at_once(values))


def side_by_side(work: Callable[..., Array], *values: Array, size: int | None) -> Array:
    """`work` on `size` rows at a time, the same ones of several `values` [rows, ...]; None: on all at once.

    Blocks are of one size, the last one padded, as products round differently for other numbers of rows.
    """
    if size is None:
        return work(*values)
    count, parts = values[0].shape[0], []
    for start in range(0, max(count, 1), size):
        blocks = [padded(array[start : start + size], size) for array in values]
        parts.append(work(*blocks)[: max(count - start, 0)])
    return parts[0] if len(parts) == 1 else namespace(*parts).concat(parts, axis=0)


def matmul(values: Array, weight: Array, out: Array | None = None) -> Array:
    """`values` [..., rows, inner] times `weight` [..., inner, outputs]; in numpy to `out`, if that is given.

    In numpy, a row of a block of one size is rounded in the same way, wherever in the block it is.
    """
    if is_torch_array(values):
        return values @ weight
    if not is_numpy_array(values):
        # The graph's library would put a branch for matrices without rows around each product.
        from spox.opset.ai.onnx.v17 import matmul as product_of

        return namespace(values).asarray(product_of(values.unwrap_spox(), weight.unwrap_spox()))
    if rows_round_alike():
        return np.matmul(values, weight, out=out)
    product = _in_even_tiles(values, weight)
    if out is None:
        return product
    out[...] = product
    return out


@cache
def rows_round_alike() -> bool:
    """Whether this processor's matrix products round a row alike wherever it stands in a block.

    OpenBLAS does with the instructions of AVX-512, and does not with those of AVX2.
    """
    for inner in (9, 21):
        rows = _irregular(CACHED_ROWS, inner)
        for columns in (1, 20, 128):
            matrix = _irregular(inner, columns)
            moved = np.roll(rows, 1, axis=0) @ matrix
            if not np.array_equal(np.roll(moved, -1, axis=0), rows @ matrix):
                return False
    return True


def _irregular(rows: int, columns: int) -> AnyArray:
    """Numbers [rows, columns] of which no product is exact. To load those at random takes longer."""
    places = np.arange(1, rows * columns + 1, dtype=np.float32)
    return np.asarray(np.sin(places * 12.9898)).reshape(rows, columns)


def _in_even_tiles(values: AnyArray, weight: AnyArray) -> AnyArray:
    count, inner, outputs = values.shape[-2], values.shape[-1], weight.shape[-1]
    spare = [(0, 0)] * (weight.ndim - 1) + [(0, -outputs % EVEN_OUTPUTS)]
    rest = [(0, 0)] * (values.ndim - 2) + [(0, -count % EVEN_ROWS), (0, 0)]
    filled = np.pad(values, rest)
    height = filled.shape[-2]
    tiles = filled.reshape(*values.shape[:-2], height // EVEN_ROWS, EVEN_ROWS, inner)
    products = tiles @ np.pad(weight, spare)[..., None, :, :]
    rows = products.reshape(*values.shape[:-2], height, products.shape[-1])
    return np.asarray(rows[..., :count, :outputs])


def affine(values: Array, weight: Array, bias: Array) -> Array:
    """`values` [..., rows, inputs] times `weight` [..., inputs, outputs] plus `bias` [..., outputs].

    See `matmul`.
    """
    if is_numpy_array(values):
        product = matmul(values, weight)
        product += bias
        return product
    if is_torch_array(values):
        import torch

        if values.dim() == 2:
            return torch.addmm(bias, values, weight)
        return torch.baddbmm(bias, values, weight)
    return matmul(values, weight) + bias


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
    if on_gpu(values):
        return values.index_select(1, index_on(values, places))
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
    """`distances` [rows, others] without that to `itself` [rows], if it is one of these; may be changed."""
    itself = namespace(itself).where(itself < distances.shape[1], itself, -1)
    if is_numpy_array(distances) or is_torch_array(distances):
        if is_torch_array(distances) and on_gpu(distances):
            # Which rows these are is not asked: the answer would have to be waited for.
            places = itself.clamp_min(0)[:, None]
            kept = distances.gather(1, places)
            return distances.scatter_(1, places, kept.masked_fill(itself[:, None] >= 0, float("inf")))
        rows = (itself >= 0).nonzero()
        rows = rows[0] if is_numpy_array(distances) else rows[:, 0]
        distances[rows, itself[rows]] = float("inf")
        return distances
    xp = namespace(distances)
    from spox.opset.ai.onnx.v17 import scatter_elements

    places = xp.where(itself >= 0, itself, 0)[:, None]
    kept = xp.where(itself[:, None] >= 0, xp.inf, xp.take_along_axis(distances, places, axis=1))
    kept = xp.astype(kept, distances.dtype)
    changed = scatter_elements(distances.unwrap_spox(), places.unwrap_spox(), kept.unwrap_spox(), axis=1)
    return xp.asarray(changed)


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
        if on_gpu(values):
            return _sums_in_order(values, owners, count)
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
    return matmul(values, membership)


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
    if is_torch_array(values) and not on_gpu(values):
        # On a CPU, numpy's is ten times faster than torch's.
        import torch

        return torch.from_numpy(values.detach().numpy().argmin(axis=1))
    return namespace(values).argmin(values, axis=1)


def at_hand(values: Array) -> bool:
    """Whether what `values` hold can be looked at now: not before a graph is run, and on a GPU only once
    it has nothing else to do."""
    return is_numpy_array(values) or (is_torch_array(values) and values.device.type == "cpu")


def on_gpu(values: Array) -> bool:
    """Whether `values` are on a GPU."""
    return bool(is_torch_array(values) and values.device.type != "cpu")


def index_on(values: Array, places: AnyArray) -> Array:
    """`places`, in numpy, as an index of `values`: on a GPU sent there once, as sending is waited for."""
    if not on_gpu(values):
        return places
    return _sent_once(str(values.device), np.ascontiguousarray(places, dtype=np.int64).tobytes())


@lru_cache(maxsize=1024)
def _sent_once(device: str, places: bytes) -> Array:
    import torch

    return torch.from_numpy(np.frombuffer(places, dtype=np.int64).copy()).to(device)


def all_of(values: Array) -> bool | None:
    """Whether all `values` are true, which a GPU is waited for; None before a graph is run."""
    return bool(values.all()) if is_numpy_array(values) or is_torch_array(values) else None


def any_of(values: Array) -> bool | None:
    """Whether any of `values` is true, which a GPU is waited for; None before a graph is run."""
    return bool(values.any()) if is_numpy_array(values) or is_torch_array(values) else None


def _sums_in_order(values: Array, owners: Array, count: int) -> Array:
    """As `sums_of`: a GPU adds by index in any order, and the last digits would differ from run to run."""
    import torch

    membership = owners[:, None] == torch.arange(count, device=values.device)
    # Sums are of full precision, whatever products are in training.
    with torch.autocast(values.device.type, enabled=False):
        return values @ membership.to(values.dtype)
