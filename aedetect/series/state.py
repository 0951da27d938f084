"""What a model of time series knows of time and of the series it learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from aedetect.series.channels import filled_forward
from aedetect.series.clock import Clock
from aedetect.series.rows import Rows
from aedetect.series.timeline import Timeline

Matrix = np.ndarray[Any, np.dtype[np.float32]]

# Series are scaled each on its own where, over all channels, their rows then vary this much less.
_WORTHWHILE = 0.7
_LEAST_ROWS = 50
BEGINNING = 200
_LEAST_SPREAD = 0.05


class SeriesState(BaseModel):
    """What of it goes into the manifest. Lengths in steps, durations in seconds.

    `names`: the series with a scale of their own, in the order of the tensors 'series.centers'
    and 'series.spreads' [series, channels]; none where all share one scale.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    clock: Clock
    entity: tuple[str, ...]
    step: float
    gap: float
    window: int
    scaled_apart: bool
    names: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Scales:
    """Centre and spread of each series [series, channels], by name; a new one is scaled by its beginning."""

    names: tuple[tuple[str, ...], ...]
    centers: Matrix
    spreads: Matrix

    @classmethod
    def fit(cls, rows: Rows, names: list[tuple[str, ...]]) -> Scales | None:
        """Scales for each series, or None where one for all does as well.

        Series of fewer rows than can tell their scale are treated as new ones.
        """
        kept = [number for number in range(len(names)) if (rows.series == number).sum() >= _LEAST_ROWS]
        if len(kept) < 2:
            return None
        found = [_scale(rows.values[rows.series == number]) for number in kept]
        centers, spreads = (np.stack(parts).astype(np.float32) for parts in zip(*found, strict=True))
        with np.errstate(invalid="ignore"):
            whole = np.nanstd(rows.values, axis=0)
        within = spreads.mean(axis=0)
        varying = whole > 0
        if not varying.any() or float((within[varying] / whole[varying]).mean()) > _WORTHWHILE:
            return None
        return cls(tuple(names[number] for number in kept), centers, spreads)


def _scale(values: Matrix) -> tuple[Matrix, Matrix]:
    known = ~np.isnan(values)
    counts = np.maximum(known.sum(axis=0), 1)
    center = np.where(known, values, 0).sum(axis=0) / counts
    spread = np.sqrt(np.where(known, (values - center) ** 2, 0).sum(axis=0) / counts)
    return center, np.maximum(spread, _LEAST_SPREAD)


def stretches(
    rows: Rows, timeline: Timeline, names: list[tuple[str, ...]], scales: Scales | None
) -> list[Matrix]:
    """The channels [steps, channels] of each segment, scaled, with missing cells as the last known.

    A series without a scale of its own is scaled by its first `BEGINNING` rows.
    """
    places = {name: index for index, name in enumerate(scales.names)} if scales else {}
    begun: dict[int, tuple[Matrix, Matrix]] = {}
    found = []
    for part, series in zip(timeline.segments, timeline.series.tolist(), strict=True):
        values = rows.values[timeline.order[part]]
        if scales is not None:
            index = places.get(names[series])
            if index is None and series not in begun:
                begun[series] = _scale(values[:BEGINNING])
            center, spread = (
                begun[series] if index is None else (scales.centers[index], scales.spreads[index])
            )
            values = ((values - center) / spread).astype(np.float32)
        found.append(filled_forward(values))
    return found
