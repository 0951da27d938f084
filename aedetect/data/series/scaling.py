"""What a model of time series knows of time and of the series it learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from aedetect.data.arrays import Floats, Mask, Matrix
from aedetect.data.series.buffer import Rows
from aedetect.data.series.channels import filled_forward, log_compressed
from aedetect.data.series.entities import Name
from aedetect.data.series.grid import Grid
from aedetect.data.series.order import by_series
from aedetect.data.series.segments import Timeline, segment_values
from aedetect.data.series.timestamps import Clock

# Series are scaled each on its own where, in some channel, they vary on average so much less than all
# together, or one of them does.
_WORTHWHILE, _MUCH_LESS = 0.7, 0.5
_LEAST_ROWS = 50
_CLIPPED = (0.01, 0.99)
# The spread of a constant, in those of its peers, and the least difference that is not rounding.
_CONSTANT, _RESOLUTION = 0.05, 1e-11
# What a row of a series that resembles itself from step to step knows of the logarithm of its spread:
# a variance of so much over the number of rows. Series vary at least so much.
_ONE_ROW, _LEAST_VARIANCE = 10.0, 0.25


class SeriesState(BaseModel):
    """What of it goes into the manifest. Lengths in steps, durations in seconds.

    `names`: the series with a scale of their own, in the order of the tensors 'series.centers'
    and 'series.spreads' [series, channels]; none where all share one scale. A new series is then
    scaled by its warm-up, its first `beginning` rows. (That field is a key of model files: models
    of 0.1.0 must load, so it keeps its name.) `phase`: when in a step rows are, usually, and `apart`
    [channels]: for how many steps a known cell holds; both None in files of formats before 4.
    `on_the_wall`: whether slots follow the clock in its zone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    clock: Clock
    entity: tuple[str, ...]
    step: float
    gap: float
    window: int
    beginning: int
    scaled_apart: bool
    names: tuple[tuple[str, ...], ...]
    phase: float | None = None
    apart: tuple[int, ...] | None = None
    on_the_wall: bool = False

    @property
    def grid(self) -> Grid:
        """The slots that rows fall into."""
        return Grid(self.step, self.gap, self.phase, self.clock.zone if self.on_the_wall else None)


@dataclass(frozen=True)
class Scales:
    """Centre and spread of each series [series, channels], by name; a new one is scaled by its warm-up.

    Without names there is one row, the scale of all series. Only numbers are scaled, not binary and
    categorical channels; `measured` [channels] says which are.
    """

    names: tuple[Name, ...]
    centers: Floats
    spreads: Floats
    measured: Mask

    @classmethod
    def fit(cls, rows: Rows, names: Sequence[Name], measured: Mask) -> Scales | None:
        """Scales for each series, or None where one for all does as well.

        Series of fewer rows than can tell their scale are treated as new ones.
        """
        members = {
            number: places
            for number, places in by_series(rows.seconds, rows.series)
            if len(places) >= _LEAST_ROWS
        }
        if len(members) < 2 or not measured.any():
            return None
        parts = [_location(rows.values[places], measured) for places in members.values()]
        centers, spreads, counts = (np.stack(each) for each in zip(*parts, strict=True))
        spreads = _shrunk(spreads, counts, centers, *_peers(spreads, centers))
        spreads = np.where(measured, spreads, 1)
        whole = np.maximum(_location(rows.values, measured)[1], _RESOLUTION)
        if not _differ(spreads, whole, measured):
            return None
        chosen = tuple(names[number] for number in members)
        return cls(chosen, centers, spreads, measured)

    @classmethod
    def shared(cls, rows: Rows, measured: Mask) -> Scales:
        """One scale for all series, from the cells that are not missing."""
        center, spread, _ = _location(rows.values, measured)
        spread = np.where(measured & (spread > _RESOLUTION), spread, 1)
        return cls((), center[None], spread[None], measured)

    @property
    def apart(self) -> bool:
        """Whether each series has its own."""
        return bool(self.names)

    @cached_property
    def places(self) -> Mapping[Name, int]:
        """Where the scale of each series is, by its name."""
        return {name: index for index, name in enumerate(self.names)}

    def of_new(self, values: Matrix | Floats) -> tuple[Floats, Floats]:
        """Centre and spread [channels] of a series that begins with `values` [steps, channels]."""
        if not self.apart:
            return self.centers[0], self.spreads[0]
        center, spread, _ = _location(values, self.measured)
        peers, _ = _peers(self.spreads.astype(np.float64), self.centers.astype(np.float64))
        # A warm-up of whole periods tells the spread; only constants need the peers'.
        spread = _shrunk(spread[None], np.ones(1), center[None], peers, np.zeros(1))[0]
        return center, np.where(self.measured, spread, 1)


def _location(values: Matrix | Floats, measured: Mask) -> tuple[Floats, Floats, Floats]:
    """Mean, standard deviation and count [channels] of what is not missing; 0, 1 and 0 where not measured.

    Clipped to the 1% and 99% quantiles, as columns are when they are standardised; not so where the
    outermost hundredths alone differ.
    """
    width = values.shape[1]
    center, spread, counts = np.zeros(width), np.ones(width), np.zeros(width)
    for channel in np.flatnonzero(measured):
        known = values[:, channel].astype(np.float64)
        known = known[~np.isnan(known)]
        counts[channel] = len(known)
        if not len(known):
            spread[channel] = 0
            continue
        clipped = np.clip(known, *np.quantile(known, _CLIPPED))
        center[channel], spread[channel] = clipped.mean(), clipped.std()
        if spread[channel] < _RESOLUTION:
            center[channel], spread[channel] = known.mean(), known.std()
    return center, spread, counts


def _least(centers: Floats) -> Floats:
    """The spread below which values around `centers` differ by rounding alone."""
    return np.asarray(_RESOLUTION * np.maximum(np.abs(centers), 1))


def _peers(spreads: Floats, centers: Floats) -> tuple[Floats, Floats]:
    """Of the spreads [series, channels] that are not of constants: logarithm of the median, and the
    rows that outweigh it; [channels]. A series counts for its own scale the sooner the more series differ.
    """  # fmt: skip
    logs = np.log(np.where(spreads > _least(centers), spreads, np.nan))
    known = ~np.isnan(logs)
    any_known = known.any(axis=0)
    logs[:, ~any_known] = 0.0
    return np.nanmedian(logs, axis=0), _ONE_ROW / np.maximum(np.nanvar(logs, axis=0), _LEAST_VARIANCE)


def _shrunk(spreads: Floats, counts: Floats, centers: Floats, peers: Floats, equal_rows: Floats) -> Floats:
    """Spreads [series, channels] drawn towards the peers' on the log scale; constants get a floor."""
    share = counts / (counts + equal_rows)
    constant = spreads <= _least(centers)
    logs = np.log(np.where(constant, 1.0, spreads))
    floor = np.maximum(_CONSTANT * np.exp(peers), _least(centers))
    return np.where(constant, floor, np.exp(share * logs + (1 - share) * peers))


def _differ(spreads: Floats, whole: Floats, measured: Mask) -> bool:
    """Whether series [series, channels] lie apart, or some vary much less than all do together."""
    ratios = (spreads / whole)[:, measured]
    return bool(ratios.mean(axis=0).min() <= _WORTHWHILE or ratios.min() < _MUCH_LESS)


def series_scales(
    rows: Rows, names: Sequence[Name], scales: Scales | None, warmup: int
) -> tuple[Floats, Floats]:
    """Centre and spread [series, channels] of each series of `names`.

    A series without a scale of its own is scaled by its first `warmup` rows.
    """
    shape = len(names), rows.values.shape[1]
    # Older models hold scales in 32 bits, and are to score as they did.
    kind: Any = np.float64 if scales is None else scales.centers.dtype
    centers, spreads = np.zeros(shape, dtype=kind), np.ones(shape, dtype=kind)
    if scales is None:
        return centers, spreads
    for number, in_series in by_series(rows.seconds, rows.series):
        index = scales.places.get(names[number])
        if index is not None:
            centers[number], spreads[number] = scales.centers[index], scales.spreads[index]
        else:
            centers[number], spreads[number] = scales.of_new(rows.values[in_series[:warmup]])
    return centers, spreads


def scalings(
    rows: Rows, timeline: Timeline, names: list[Name], scales: Scales | None, warmup: int
) -> list[tuple[Floats, Floats]]:
    """Centre and spread [channels] of each segment."""
    centers, spreads = series_scales(rows, names, scales, warmup)
    return [(centers[number], spreads[number]) for number in timeline.series.tolist()]


def warmup_rows(
    timeline: Timeline, names: list[Name], scales: Scales | None, unjudged: int, warmup: int
) -> list[int]:
    """How many rows at the start of each segment too little is known of to be judged.

    That is the first `unjudged` of each series; one without a scale of its own has none until its warm-up
    is over.
    """
    known = scales.places if scales else {}
    apart = scales is not None and scales.apart
    counts = []
    for first, series in zip(timeline.first.tolist(), timeline.series.tolist(), strict=True):
        new = apart and names[series] not in known
        counts.append(max(unjudged, warmup - 1 if new else 0) if first else 0)
    return counts


def standardized_segments(
    rows: Rows,
    timeline: Timeline,
    names: list[Name],
    scales: Scales | None,
    warmup: int,
    apart: Sequence[int] | None,
) -> list[Matrix]:
    """The channels [steps, channels] of each segment, a step a slot, scaled; NaN where nothing is known.

    `apart` [channels]: for so many steps the last known cell holds; None: for ever, as in older models.
    """
    segments = []
    holds = None if apart is None else np.asarray(apart, dtype=np.int64)
    scaling = scalings(rows, timeline, names, scales, warmup)
    for values, (center, spread) in zip(segment_values(rows, timeline), scaling, strict=True):
        if scales is None:
            scaled = values.astype(np.float32)
        else:
            scaled = ((values - center) / spread).astype(np.float32)
        segments.append(log_compressed(filled_forward(scaled, holds)))
    return segments
