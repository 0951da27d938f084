"""Time series that are known to be normal, scored by an older model: what its threshold follows from anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch

from aedetect.config import Config
from aedetect.data.arrays import Floats
from aedetect.data.series.buffer import Gatherer
from aedetect.data.series.entities import Entities
from aedetect.data.series.scaling import standardized_segments, warmup_rows
from aedetect.data.series.segments import Timeline
from aedetect.engine.callbacks import Monitor
from aedetect.engine.workers import ordered
from aedetect.io.source import Input
from aedetect.models.ensemble import single_threaded, window_scores
from aedetect.models.window_base import SeriesAutoencoder
from aedetect.scoring.fitted import SeriesParts
from aedetect.scoring.row_scores import peaks_of, row_scores
from aedetect.training.fit_series import take
from aedetect.training.survey import LEAST_ROWS, chunks
from aedetect.training.warm_start import Start, too_few


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
    own = standardized_segments(rows, timeline, gatherer.entities.names, series.scales, state.beginning)

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
