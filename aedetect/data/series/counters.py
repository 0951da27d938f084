"""Raw counters: columns that only grow but for resets to near 0, and are learned by their growth per row.

Of bytes sent since a machine started, the level says nothing: every row is higher than all that were
learned. What one row adds to the one before it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from aedetect.data.arrays import Floats, Integers
from aedetect.data.features.encoder import Encoded, FeatureEncoder
from aedetect.data.series.buffer import Rows
from aedetect.data.series.order import by_series

# Of the steps of a counter, so many at most lead down, and nearly all of these to near 0.
_FALLS, _RESETS, _RESET = 0.01, 0.9, 0.5
# Fewer rises, or a smaller share of the steps, are changes of a state.
_LEAST_RISES, _LEAST_SHARE, _LEAST_VALUES = 20, 0.01, 10
# The standard deviation of what meters grow by, at least, in means.
_LEAST_VARIATION = 0.05
# A column that went up and down so often, and so often of all its changes, needs no second look.
_TELLING_TURNS, _TELLING_SHARE = 5, 0.1
# A pause of about a step is one; a shorter one counts as part of a step.
_WHOLE_STEP = 0.75
_LARGEST = 1e6


class CounterSearch:
    """Looks for counters among the numeric columns of training rows, batch by batch."""

    def __init__(self, encoder: FeatureEncoder):
        columns: list[int] = []
        start = 0
        for column in encoder.state.numeric:
            if column.role == "numeric" and encoder.quantiles[start, 0] >= 0:
                columns.append(start)
            start += column.width
        self._parts: dict[int, list[Floats]] = {place: [] for place in columns}
        self._rises, self._falls = dict.fromkeys(columns, 0), dict.fromkeys(columns, 0)

    def take(self, encoded: Encoded, series: Integers) -> None:
        """The next rows and the series of each. A column that is clearly none is held no longer."""
        order = np.argsort(series, kind="stable")
        same = series[order][1:] == series[order][:-1]
        for place in list(self._parts):
            numbers = encoded.numbers[:, place]
            steps = np.diff(numbers[order])[same]
            self._rises[place] += int((steps > 0).sum())
            self._falls[place] += int((steps < 0).sum())
            self._parts[place].append(numbers.copy())
            if self._goes_both_ways(place):
                del self._parts[place]

    def _goes_both_ways(self, place: int) -> bool:
        rises, falls = self._rises[place], self._falls[place]
        # Rows of a file may also stand from the last to the first.
        return min(rises, falls) > max(_TELLING_TURNS, _TELLING_SHARE * (rises + falls))

    def result(self, seconds: Floats, series: Integers) -> tuple[list[int], Floats]:
        """Which numeric features are counters, and the readings [rows, counters] of all that was taken."""
        members = [places for _, places in by_series(seconds, series)]
        readings = {place: np.concatenate(parts) for place, parts in self._parts.items() if parts}
        counters = [place for place, values in readings.items() if is_counter(values, members)]
        table = [readings[place] for place in counters]
        return counters, np.stack(table, axis=1) if table else np.empty((len(seconds), 0))


def is_counter(values: Floats, members: Sequence[Integers]) -> bool:
    """Whether values [rows] only grow in each series but for resets; `members`: its rows in time order."""
    rises = falls = resets = steps = 0
    growth = 0.0
    for places in members:
        known = values[places]
        known = known[~np.isnan(known)]
        change = np.diff(known)
        steps += len(change)
        rises += int((change > 0).sum())
        falls += int((change < 0).sum())
        resets += int(((change < 0) & (known[1:] <= _RESET * known[:-1])).sum())
        growth += float(change[change > 0].sum())
    if rises < max(_LEAST_RISES, _LEAST_SHARE * steps) or falls > _FALLS * steps:
        return False
    return growth > 0 and resets >= _RESETS * falls and _counts(values, members)


def _counts(values: Floats, members: Sequence[Integers]) -> bool:
    """Whether values [rows] count something: many of them, whole numbers or growing now more, now less.

    What grows by the same fraction in each step is a position or a clock, whose level tells.
    """
    known = values[~np.isnan(values)]
    if len(np.unique(known)) < _LEAST_VALUES:
        return False
    if (known == np.round(known)).all():
        return True
    changes = np.concatenate([np.diff(values[places][~np.isnan(values[places])]) for places in members])
    rises = changes[changes > 0]
    return float(rises.std()) >= _LEAST_VARIATION * float(rises.mean())


def growth_per_step(readings: Floats, seconds: Floats, series: Integers, step: float) -> Floats:
    """By how much readings [rows, counters] grew per step since the last known one of their series.

    NaN for the first of a series, at a reset (at most half of what there was), and for a second row of
    one instant. A fall that is no reset is a negative growth. `step`: seconds.
    """
    growth = np.full(readings.shape, np.nan)
    for _, places in by_series(seconds, series):
        for column in range(readings.shape[1]):
            values = readings[places, column]
            known = places[~np.isnan(values) & ~np.isnan(seconds[places])]
            if len(known) < 2:
                continue
            before, now = readings[known[:-1], column], readings[known[1:], column]
            elapsed = np.diff(seconds[known]) / step
            elapsed = np.where(elapsed >= _WHOLE_STEP, np.round(elapsed), elapsed)
            usable = (elapsed > 0) & ~((now < before) & (now <= _RESET * before))
            growth[known[1:][usable], column] = (now - before)[usable] / elapsed[usable]
    return growth


def with_growth(rows: Rows, encoder: FeatureEncoder, step: float) -> Rows:
    """The rows, the channels of counters holding their growth per step in standard deviations."""
    places = encoder.counters
    if not places or rows.readings is None:
        return rows
    growth = growth_per_step(rows.readings, rows.seconds, rows.series, step)
    standardised = (growth - encoder.mean[places]) / encoder.deviation[places]
    values = rows.values.copy()
    values[:, places] = np.clip(standardised, -_LARGEST, _LARGEST)
    return replace(rows, values=values)


def counter_notices(encoder: FeatureEncoder) -> Iterator[str]:
    """What users are told of each counter."""
    for place in encoder.counters:
        yield f"column {encoder.owners[place]!r} only grows: its growth per row is learned instead"
