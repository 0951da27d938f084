"""What a model of time series knows of time and of the series it learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict

from aedetect.data.arrays import Mask, Matrix
from aedetect.data.series.buffer import Rows
from aedetect.data.series.channels import filled_forward, log_compressed
from aedetect.data.series.segments import Timeline
from aedetect.data.series.timestamps import Clock

# Series are scaled each on its own where the rows of some channel then vary this much less.
_WORTHWHILE = 0.7
_LEAST_ROWS = 50
_LEAST_SPREAD = 0.05


class SeriesState(BaseModel):
    """What of it goes into the manifest. Lengths in steps, durations in seconds.

    `names`: the series with a scale of their own, in the order of the tensors 'series.centers'
    and 'series.spreads' [series, channels]; none where all share one scale. A new series is then
    scaled by its warm-up, its first `beginning` rows. (That field is a key of model files: models
    of 0.1.0 must load, so it keeps its name.)
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


@dataclass(frozen=True)
class Scales:
    """Centre and spread of each series [series, channels], by name; a new one is scaled by its warm-up.

    Only numbers are scaled, not binary and categorical channels; `measured` [channels] says which are.
    """

    names: tuple[tuple[str, ...], ...]
    centers: Matrix
    spreads: Matrix
    measured: Mask

    @classmethod
    def fit(cls, rows: Rows, names: list[tuple[str, ...]], measured: Mask) -> Scales | None:
        """Scales for each series, or None where one for all does as well.

        Series of fewer rows than can tell their scale are treated as new ones.
        """
        series_numbers = [
            number for number in range(len(names)) if (rows.series == number).sum() >= _LEAST_ROWS
        ]
        if len(series_numbers) < 2 or not measured.any():
            return None
        scales = [_scale(rows.values[rows.series == number], measured) for number in series_numbers]
        centers, spreads = (np.stack(parts).astype(np.float32) for parts in zip(*scales, strict=True))
        whole = _scale(rows.values, measured)[1]
        if float((spreads.mean(axis=0) / whole)[measured].min()) > _WORTHWHILE:
            return None
        return cls(tuple(names[number] for number in series_numbers), centers, spreads, measured)


def _scale(values: Matrix, measured: Mask) -> tuple[Matrix, Matrix]:
    known = ~np.isnan(values)
    counts = np.maximum(known.sum(axis=0), 1)
    center = np.where(known, values, 0).sum(axis=0) / counts
    spread = np.sqrt(np.where(known, (values - center) ** 2, 0).sum(axis=0) / counts)
    return np.where(measured, center, 0), np.where(measured, np.maximum(spread, _LEAST_SPREAD), 1)


def scalings(
    rows: Rows, timeline: Timeline, names: list[tuple[str, ...]], scales: Scales | None, warmup: int
) -> list[tuple[Matrix, Matrix]]:
    """Centre and spread [channels] of each segment.

    A series without a scale of its own is scaled by its first `warmup` rows.
    """
    places = {name: index for index, name in enumerate(scales.names)} if scales else {}
    width = rows.values.shape[1]
    alike = np.zeros(width, dtype=np.float32), np.ones(width, dtype=np.float32)
    begun: dict[int, tuple[Matrix, Matrix]] = {}
    segment_scales = []
    for part, series in zip(timeline.segments, timeline.series.tolist(), strict=True):
        index = places.get(names[series])
        if scales is None:
            segment_scales.append(alike)
        elif index is not None:
            segment_scales.append((scales.centers[index], scales.spreads[index]))
        else:
            if series not in begun:
                begun[series] = _scale(rows.values[timeline.order[part]][:warmup], scales.measured)
            segment_scales.append(begun[series])
    return segment_scales


def warmup_rows(
    timeline: Timeline, names: list[tuple[str, ...]], scales: Scales | None, window: int, warmup: int
) -> list[int]:
    """How many rows at the start of each segment too little is known of to be judged.

    With what went before they would be in more windows; a series without a scale of its own has
    none until its warm-up is over.
    """
    known = set(scales.names) if scales else set()
    counts = []
    for first, series in zip(timeline.first.tolist(), timeline.series.tolist(), strict=True):
        new = scales is not None and names[series] not in known
        counts.append(max(window - 1, warmup - 1 if new else 0) if first else 0)
    return counts


def standardized_segments(
    rows: Rows, timeline: Timeline, names: list[tuple[str, ...]], scales: Scales | None, warmup: int
) -> list[Matrix]:
    """The channels [steps, channels] of each segment, scaled, with missing cells as the last known."""
    segments = []
    scaling = scalings(rows, timeline, names, scales, warmup)
    for part, (center, spread) in zip(timeline.segments, scaling, strict=True):
        values = rows.values[timeline.order[part]]
        if scales is not None:
            values = ((values - center) / spread).astype(np.float32)
        segments.append(log_compressed(filled_forward(values)))
    return segments
