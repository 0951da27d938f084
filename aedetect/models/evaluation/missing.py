"""Missing cells of windows: where they are, and what stands in for them."""

from __future__ import annotations

from array_api_compat import device

from aedetect.models.evaluation.arrays import Array
from aedetect.models.evaluation.kernels import any_of, namespace
from aedetect.models.evaluation.window_kernels import running_max, running_min_from_behind, windows_of


def held(values: Array) -> Array:
    """Missing cells [..., steps, channels] as the last known ones, before the first as that, else as 0.

    >>> import numpy as np
    >>> held(np.array([[np.nan], [1.0], [np.nan]])).flatten()
    array([1., 1., 1.])
    """
    xp, count = namespace(values), values.shape[-2]
    missing = xp.isnan(values)
    if any_of(missing) is False:
        return values
    steps = _steps(values)
    last = running_max(xp.where(missing, -1, steps))
    first = xp.min(xp.where(missing, count, steps), axis=-2, keepdims=True)
    places = xp.clip(xp.where(last < 0, first, last), 0, count - 1)
    return _known(xp.take_along_axis(values, places, axis=-2))


def held_windows(segment: Array, length: int) -> Array:
    """`held` of each window of so many steps of a segment [steps, channels]; [windows, length * channels].

    >>> import numpy as np
    >>> held_windows(np.array([[1.0], [np.nan], [3.0]]), 2).flatten()
    array([1., 1., 3., 3.])
    """
    xp = namespace(segment)
    count, channels = segment.shape
    windows, missing, steps = max(count - length + 1, 0), xp.isnan(segment), _steps(segment)
    last = running_max(xp.where(missing, -1, steps))
    following = running_min_from_behind(xp.where(missing, count, steps))[:windows, :]
    known = _known(xp.concat([segment, xp.zeros_like(segment[:1, :])], axis=0))
    starts = steps[:windows, :]
    first = xp.take_along_axis(known, xp.where(following < starts + length, following, count), axis=0)
    carried = xp.take_along_axis(known, xp.clip(last, 0, None), axis=0)
    # So many steps of a window stand before the first that it knows.
    leading = xp.clip(following - starts, 0, length)[:, None, :]
    places = xp.arange(length, device=device(segment))[None, :, None]
    each = xp.reshape(windows_of(carried, length), (windows, length, channels))
    filled = xp.where(places < leading, first[:, None, :], each)
    return xp.reshape(filled, (windows, length * channels))


def _steps(values: Array) -> Array:
    """The number of the step of each of `values` [..., steps, channels]."""
    xp = namespace(values)
    return xp.broadcast_to(xp.arange(values.shape[-2], device=device(values))[:, None], values.shape)


def _known(values: Array) -> Array:
    xp = namespace(values)
    return xp.where(xp.isnan(values), 0.0, values)
