"""What array libraries do differently with windows and their steps; see `kernels`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from array_api_compat import device, is_numpy_array, is_torch_array

from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.kernels import (
    BLOCK_ROWS,
    CACHED_ROWS,
    matmul,
    namespace,
    padded,
    rows_at_once,
)

# Steps that numpy takes through all layers at once: what they become stays in the processor's cache.
_CACHED_STEPS = 2048
_CACHED_VALUES = 2**17


def windows_of(segment: Array, steps: int) -> Array:
    """Each so many steps of a segment [steps, channels], row after row; [windows, steps * channels].

    Libraries that can look at the same cells several times copy nothing.

    >>> windows_of(np.arange(6).reshape(3, 2), 2)
    array([[0, 1, 2, 3],
           [2, 3, 4, 5]])
    """
    length, channels = segment.shape
    width, count = steps * channels, max(length - steps + 1, 0)
    xp = namespace(segment)
    flat = xp.reshape(segment, (length * channels,))
    if not count:
        return xp.reshape(flat[:0], (0, width))
    if is_numpy_array(segment):
        return np.lib.stride_tricks.sliding_window_view(flat, width)[::channels]
    if is_torch_array(segment):
        return flat.unfold(0, width, channels)
    places = np.arange(count)[:, None] * channels + np.arange(width)
    return xp.reshape(xp.take(flat, xp.asarray(places.reshape(-1)), axis=0), (count, width))


def many_at_once(values: Array) -> int | None:
    """As `kernels.rows_at_once` where there are many: of narrow rows [rows, width] more fit the cache."""
    size = rows_at_once(values)
    if size != CACHED_ROWS:
        return size
    while 2 * size * values.shape[1] <= _CACHED_VALUES and 2 * size <= BLOCK_ROWS:
        size *= 2
    return size


def projected(
    windows: Array, center: Array, basis: Array, counted: Array | None = None
) -> tuple[Array, Array]:
    """Codes [windows, codes] of `windows` [windows, width], and squared distances [windows] from the plane.

    The plane goes through `center` [width] along the orthonormal `basis` [width, codes]. Only those cells
    count for distances that are 1 in `counted` [windows, width].
    """
    # The squared length less that of the codes is quicker, and nothing but rounding where windows fit.
    if is_numpy_array(windows):
        return _projected_in_numpy(windows, center, basis, counted)
    xp = namespace(windows)
    apart = windows - center
    codes = matmul(apart, basis)
    off = apart - matmul(codes, basis.T)
    return codes, xp.sum(xp.square(off if counted is None else off * counted), axis=1)


def _projected_in_numpy(
    windows: Array, center: Array, basis: Array, counted: Array | None
) -> tuple[Array, Array]:
    count, width = windows.shape
    size = many_at_once(windows) or count
    rows = -(-count // size) * size
    codes, squared = np.empty((rows, basis.shape[1]), windows.dtype), np.empty(rows, windows.dtype)
    # Room that is used again stays in the processor's cache.
    apart, along = np.empty((2, size, width), windows.dtype)
    for start in range(0, rows, size):
        block = slice(start, start + size)
        np.subtract(padded(windows[block], size), center, out=apart)
        matmul(apart, basis, out=codes[block])
        matmul(codes[block], basis.T, out=along)
        off = np.subtract(apart, along, out=apart)
        if counted is not None:
            off *= padded(counted[block], size)
        np.einsum("ij,ij->i", off, off, out=squared[block])
    return codes[:count], squared[:count]


def few_at_once(work: Callable[[Array], Array], windows: Array) -> Array:
    """`work` on `windows` [windows, steps, channels], in numpy a few at a time, for the cache."""
    size = max(_CACHED_STEPS // max(windows.shape[1], 1), 1)
    if not is_numpy_array(windows) or windows.shape[0] <= size:
        return work(windows)
    starts = range(0, windows.shape[0], size)
    return np.concatenate([work(windows[start : start + size]) for start in starts])


def running_max(values: Array) -> Array:
    """The largest of `values` [..., steps, channels] up to each step; the same shape."""
    if is_numpy_array(values):
        return np.maximum.accumulate(values, axis=-2)
    if is_torch_array(values):
        return values.cummax(dim=-2).values
    xp, steps = namespace(values), values.shape[-2]
    until = xp.asarray(np.tri(steps, dtype=np.bool_))[:, :, None]
    lowest = xp.min(values)
    return xp.max(xp.where(until, xp.expand_dims(values, axis=-3), lowest), axis=-2)


def running_min_from_behind(values: Array) -> Array:
    """The smallest of `values` [..., steps, channels] from each step on; the same shape."""
    xp = namespace(values)
    return -xp.flip(running_max(xp.flip(-values, axis=-2)), axis=-2)


def as_series(windows: Array) -> Array:
    """Windows [windows, steps, channels] in the order a `Convolution` works in: torch's has steps last."""
    return windows.transpose(1, 2) if is_torch_array(windows) else windows


def as_windows(series: Array) -> Array:
    """The inverse of `as_series`."""
    return series.transpose(1, 2) if is_torch_array(series) else series


class Convolution:
    """Each step of a series from the step and one at `dilation` to either side, or from the step alone.

    Beyond its ends, a series is 0. A step's results do not depend on how many there are.

    Shape: what `as_series` makes of [windows, steps, inputs] → the same of [windows, steps, outputs].
    """

    def __init__(self, arrays: Arrays, inputs: int, outputs: int, dilation: int = 0):
        self.dilation = dilation
        self.weight = arrays.take("weight", outputs, inputs, 3 if dilation else 1)
        self.bias = arrays.take("bias", outputs)

    def __call__(self, series: Array) -> Array:
        if is_torch_array(series):
            from torch.nn import functional

            steps = max(self.dilation, 1)
            return functional.conv1d(series, self.weight, self.bias, padding=self.dilation, dilation=steps)
        xp = namespace(series)
        windows, length, inputs = series.shape
        if self.dilation:
            beyond = xp.zeros((windows, self.dilation, inputs), dtype=series.dtype, device=device(series))
            wide = xp.concat([beyond, series, beyond], axis=1)
            places = (0, self.dilation, 2 * self.dilation)
            series = xp.concat([wide[:, place : place + length, :] for place in places], axis=2)
        rows = xp.reshape(series, (windows * length, series.shape[2]))
        return xp.reshape(self._product(rows), (windows, length, self.weight.shape[0]))

    def _product(self, rows: Array) -> Array:
        """`rows` [rows, taps * inputs] times the weights; [rows, outputs]."""
        if not is_numpy_array(rows):
            return matmul(rows, self._matrix) + self.bias
        # A product of as many rows each rounds them alike, wherever they are.
        count = len(rows)
        filled = padded(rows, -(-count // CACHED_ROWS) * CACHED_ROWS)
        product = matmul(filled.reshape(-1, CACHED_ROWS, rows.shape[1]), self._matrix)
        product += self.bias
        return product.reshape(-1, product.shape[2])[:count]

    @cached_property
    def _matrix(self) -> Array:
        """The weights [taps * inputs, outputs]."""
        xp = namespace(self.weight)
        outputs, inputs, taps = self.weight.shape
        return xp.reshape(xp.permute_dims(self.weight, (2, 1, 0)), (taps * inputs, outputs))
