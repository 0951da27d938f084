"""Time series that are known to be normal, scored by an older model: what its threshold follows from anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch

from aedetect.config import Config
from aedetect.fitting.fit import SeriesParts
from aedetect.fitting.series import peaks_of, row_scores, take
from aedetect.fitting.start import Start, too_few
from aedetect.fitting.survey import LEAST_ROWS, chunks
from aedetect.inference import ordered, single_threaded, window_scores
from aedetect.io.source import Input
from aedetect.models.series import SeriesAutoencoder
from aedetect.monitor import Monitor
from aedetect.series.entities import Entities
from aedetect.series.rows import Gatherer
from aedetect.series.state import stretches, warmup_rows
from aedetect.series.timeline import Timeline

Floats = np.ndarray[Any, np.dtype[np.float64]]


def series_scores(
    start: Start,
    series: SeriesParts,
    inputs: Sequence[Input],
    config: Config,
    device: torch.device,
    monitor: Monitor,
) -> tuple[Floats, Floats]:
    """Unscaled scores of the rows of normal series, ascending, and the largest of each window's length.

    The first rows of a series, of which too little is known, are left out. Raises ModelError for
    lacking columns, DataError for cells that cannot be read or too few rows.
    """
    for text in start.check(inputs, config):
        monitor.notice(text)
    state = series.state
    gatherer = Gatherer(state.clock, Entities(state.entity), start.encoder)
    for chunk in chunks(inputs, config):
        take(gatherer, chunk)
    rows = gatherer.rows()
    timeline = Timeline.of(rows.seconds, rows.series, state.gap)
    members = cast("Sequence[SeriesAutoencoder]", start.members)
    own = stretches(rows, timeline, gatherer.entities.names, series.scales, state.beginning)

    names = gatherer.entities.names
    warmup = warmup_rows(timeline, names, series.scales, state.window, state.beginning)

    def scores_of(index: int) -> Floats:
        if len(own[index]) < state.window:
            return np.empty(0)
        raw = window_scores(members, own[index], state.window, device)
        scores = row_scores(raw, state.window, config.series.causal, config.series.smoothing)
        known = warmup[index]
        usable = ~(rows.infinite | rows.unscorable)[timeline.order[timeline.segments[index]]][known:]
        return np.asarray(scores[known:][usable & ~np.isnan(scores[known:])])

    with single_threaded(device) as workers:
        found = list(ordered(scores_of, range(len(own)), workers))
    raw = np.sort(np.concatenate([np.empty(0), *found]))
    if len(raw) < LEAST_ROWS:
        raise too_few(inputs, len(raw), "calibration")
    return raw, np.concatenate([peaks_of(scores, state.window) for scores in found if len(scores)])
