"""Gross cells: values that are impossible beside the rest of their channel, and stand alone.

A typing error, a sensor's code for 'no reading' or a bit that flipped must neither widen what counts as
normal nor colour the windows around it. In training such cells are looked for; when rows are scored,
limits that training left behind tell them, without a look at what comes later.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.series.buffer import Rows
from aedetect.data.series.entities import Name
from aedetect.data.series.order import by_series, places_in_runs
from aedetect.data.series.scaling import Scales, series_scales

# Central range of a channel, and how many of its widths off a cell must lie.
_CENTRAL = (0.05, 0.5, 0.95)
_WIDTHS = 5.0
# So many times further out than all others, and so many times further than their own tail goes on average
# from its beginning, the outermth twentieth: values of a heavy tail lie apart as well.
_APART, _TAILS, _TAIL_SHARE, _LEAST_TAIL = 3.0, 6.0, 0.05, 10
_LARGEST_SHARE, _LONGEST_RUN = 0.025, 256
_LEAST_CELLS, _FEW_VALUES = 50, 8
# Peaks that recur are normal: pauses between them that vary (standard deviation over mean) no more than
# so much, where there are many of them or few; or times of the day or week that most of them share.
_RECURRING, _MANY, _FEW = {10: 0.45, 4: 0.2}, 10, 4
_CYCLES, _PHASES, _CROWDED = (86400.0, 604800.0), 48, 0.4
# Limits lie beyond the remaining cells by so many of their ranges, which count at least so much.
_REACH, _LEAST_RANGE = 3.0, 4.0
_FARTHEST = float(np.finfo(np.float32).max)
# More gross rows on end are another level.
LONGEST_ACCIDENT = 16


def find_gross_cells(rows: Rows, measured: Mask) -> Mask:
    """The cells [rows, channels] that are impossible beside the rest of their channel and series.

    They lie far outside, apart from all others, are few (at most 2.5% of the channel's cells of that
    series, no more than 256 on end), and do not recur: neither heavy tails nor a peak every night nor
    a channel of few values are gross. Only numbers are looked at: the channels `measured` [channels].
    """
    gross = np.zeros(rows.values.shape, dtype=np.bool_)
    for _, places in by_series(rows.seconds, rows.series):
        for channel in np.flatnonzero(measured):
            values = rows.values[places, channel]
            known = np.flatnonzero(~np.isnan(values))
            outliers = _outliers(values[known].astype(np.float64))
            if not len(outliers) or places_in_runs(_mask(outliers, len(known))).max() > _LONGEST_RUN:
                continue
            if not _recur(known[outliers], rows.seconds[places]):
                gross[places[known[outliers]], channel] = True
    return gross


def _mask(places: Integers, length: int) -> Mask:
    mask = np.zeros(length, dtype=np.bool_)
    mask[places] = True
    return mask


def _outliers(values: Floats) -> Integers:
    """The places of values [cells] far outside and apart from the rest; none where they are many."""
    nothing = np.empty(0, dtype=np.int64)
    if len(values) < _LEAST_CELLS:
        return nothing
    low, middle, high = np.quantile(values, _CENTRAL).tolist()
    width = high - low
    reach = _WIDTHS * width
    if width <= 0 or (values.min() >= low - reach and values.max() <= high + reach):
        return nothing
    most = int(_LARGEST_SHARE * len(values))
    least = math.log(width / 2)
    outliers = np.concatenate(
        [
            _apart(values - middle, high - middle + reach, least, most),
            _apart(middle - values, middle - low + reach, least, most),
        ]
    )
    if len(outliers) > most:
        return nothing
    rest = values[~_mask(outliers, len(values))]
    # Distinct values are counted only until there are enough of them.
    if len(np.unique(rest[:1000])) <= _FEW_VALUES and len(np.unique(rest)) <= _FEW_VALUES:
        return nothing
    return np.sort(outliers)


def _apart(distances: Floats, far: float, least: float, most: int) -> Integers:
    """The places of the largest `distances` [cells] beyond `far`, at most `most`, behind a gap.

    Those whose logarithm is less than `least` count as of that size.
    """
    tail = max(int(_TAIL_SHARE * len(distances)), _LEAST_TAIL)
    count = min(most + tail + 1, len(distances))
    order = np.argpartition(-distances, count - 1)[:count]
    order = order[np.argsort(-distances[order], kind="stable")]
    logs = np.log(np.maximum(distances[order], math.exp(least)))
    splits = np.arange(1, count - tail)
    sums = np.concatenate([[0.0], np.cumsum(logs)])
    # How far the tail of the rest goes, beginning behind each split.
    lengths = (sums[splits + tail] - sums[splits]) / tail - logs[splits + tail]
    gaps = logs[splits - 1] - logs[splits]
    behind = (gaps >= np.maximum(math.log(_APART), _TAILS * lengths)) & (distances[order[splits - 1]] > far)
    return order[: splits[behind].max()] if behind.any() else np.empty(0, dtype=np.int64)


def _recur(steps: Integers, seconds: Floats) -> bool:
    """Whether outliers at `steps`, ascending, of a series with these times [steps] come back regularly."""
    starts = steps[np.r_[True, np.diff(steps) > _FEW]]
    times = seconds[starts]
    pauses = np.diff(times)
    if len(times) < _FEW or not pauses.sum():
        return False
    most = _RECURRING[_MANY if len(times) >= _MANY else _FEW]
    if float(pauses.std() / pauses.mean()) <= most:
        return True
    if len(times) < _MANY:
        return False
    # Of so many random times of a day, this share would lie in different parts of it.
    expected = _PHASES * (1 - (1 - 1 / _PHASES) ** len(times))
    span = float(times[-1] - times[0])
    return any(
        len(np.unique(np.floor(times % cycle / cycle * _PHASES))) <= _CROWDED * expected
        for cycle in _CYCLES
        if span >= _FEW * cycle
    )


def limits_of(values: Matrix | Floats, measured: Mask) -> Matrix:
    """The lowest and highest value [2, channels] that is none of a gross cell, from those that are not.

    `values` [rows, channels], in the scale of their series. Channels without numbers have no limits.
    """
    limits = np.empty((2, values.shape[1]), dtype=np.float32)
    limits[0], limits[1] = -_FARTHEST, _FARTHEST
    for channel in np.flatnonzero(measured):
        known = values[:, channel][~np.isnan(values[:, channel])].astype(np.float64)
        if len(known):
            low, high = float(known.min()), float(known.max())
            reach = _REACH * max(high - low, _LEAST_RANGE)
            limits[:, channel] = np.clip([low - reach, high + reach], -_FARTHEST, _FARTHEST)
    return limits


def gross_cells(values: Matrix | Floats, limits: Matrix) -> Mask:
    """Which cells [rows, channels] lie beyond the limits [2, channels]; missing ones do not."""
    with np.errstate(invalid="ignore"):
        return np.asarray((values < limits[0]) | (values > limits[1]))


def accidents(rows: Rows, scaled: Matrix | Floats, limits: Matrix) -> Mask:
    """The gross cells [rows, channels] of rows to be scored; `scaled`: their values, scaled by series.

    Gross cells that go on for more than 16 rows of their series are another level, and the later ones
    of them ordinary; rows where the channel is missing do not count. What is one depends on no later row.
    """
    gross = gross_cells(scaled, limits)
    far = np.flatnonzero(gross.any(axis=0)).tolist()
    for _, places in by_series(rows.seconds, rows.series) if far else ():
        for channel in far:
            known = places[~np.isnan(scaled[places, channel])]
            gross[known, channel] &= places_in_runs(gross[known, channel]) <= LONGEST_ACCIDENT
    return gross


def set_aside(
    rows: Rows, names: Sequence[Name], scales: Scales | None, limits: Matrix | None, warmup: int
) -> tuple[Rows, Mask]:
    """Rows to be scored without their gross cells, and which those were [rows, channels].

    `names`, `scales`, `warmup`: see `series_scales`. Without limits nothing is gross.
    """
    if limits is None:
        return rows, np.zeros(rows.values.shape, dtype=np.bool_)
    centers, spreads = series_scales(rows, names, scales, warmup)
    gross = accidents(rows, (rows.values - centers[rows.series]) / spreads[rows.series], limits)
    return without(rows, gross), gross


def without(rows: Rows, gross: Mask) -> Rows:
    """The rows, their gross cells [rows, channels] missing; the same where there is none."""
    if not gross.any():
        return rows
    values = np.where(gross, np.float32(np.nan), rows.values)
    return replace(rows, values=values)


def rows_by_column(gross: Mask, owners: Sequence[str]) -> dict[str, Integers]:
    """The rows with gross cells [rows, channels], by the column of the channel."""
    columns: dict[str, Mask] = {}
    for channel in np.flatnonzero(gross.any(axis=0)):
        column = columns.setdefault(owners[int(channel)], np.zeros(len(gross), dtype=np.bool_))
        column |= gross[:, channel]
    return {name: np.flatnonzero(marked) for name, marked in columns.items()}
