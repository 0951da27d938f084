"""Rows that are known to be normal, scored by an older model: what its threshold follows from anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aedetect.config import Config
from aedetect.data.arrays import Floats, Integers
from aedetect.data.series.buffer import Gatherer
from aedetect.data.series.counters import with_growth
from aedetect.data.series.entities import Entities
from aedetect.data.series.scaling import standardized_segments, warmup_rows
from aedetect.data.series.segments import Timeline
from aedetect.engine.callbacks import Callback
from aedetect.engine.cluster import Here, Workers
from aedetect.engine.workers import ordered
from aedetect.errors import UsageError
from aedetect.io.source import Input
from aedetect.models.device import CPU
from aedetect.models.ensemble import mean_errors
from aedetect.models.threads import single_threaded
from aedetect.scoring.calibration import Calibration
from aedetect.scoring.feedback_store import Note
from aedetect.scoring.fitted import FittedModel, SeriesParts
from aedetect.scoring.group_thresholds import by_group
from aedetect.scoring.locality import StepScores
from aedetect.scoring.row_scores import peaks_of
from aedetect.scoring.scale_shares import LONG
from aedetect.scoring.series_alarms import segment_scores
from aedetect.scoring.table import raw_scores
from aedetect.training.feedback_rows import with_notes
from aedetect.training.inputs_with_rows import with_rows
from aedetect.training.left_out import left_out_notice
from aedetect.training.lone_values import with_changed_constants
from aedetect.training.passes import Part, Passes, chunks
from aedetect.training.planned_rows import settle_clock
from aedetect.training.profiling import LEAST_ROWS
from aedetect.training.series_rows import take
from aedetect.training.split import Encoding
from aedetect.training.warm_start import Start, too_few


def calibrated(
    fitted: FittedModel,
    inputs: Sequence[Input] | None,
    callback: Callback,
    notes: Sequence[Note] = (),
    workers: Workers | None = None,
) -> FittedModel:
    """A model with the threshold and p-values that the normal rows of `inputs` give; scores stay.

    `notes`: what people said of rows; those called normal count as well, those called anomalies do not.
    `workers` score the rows of tables; None for this process.
    Without inputs only the threshold follows the settings. Raises ModelError for lacking columns,
    DataError for cells that cannot be read or too few rows.
    """
    start = Start.of(fitted, "calibrated")
    training = fitted.training.model_copy(update={"lineage": start.lineage})
    if inputs is None:
        return replace(fitted, training=training, sha256=None)
    noted = with_notes(with_rows(inputs, callback), notes, fitted.config, callback, repeat=False)
    inputs = noted.inputs
    if noted.left_out:
        callback.notice(left_out_notice(noted.left_out, "called anomalies by people", noted.first))
    for source in inputs:
        for text in fitted.check(source):
            callback.notice(text)
    inputs = [fitted.as_read(source) for source in inputs]
    series, beyond, groups = fitted.series, fitted.beyond, None
    if series is None:
        raw, beyond, rows_of = _table_scores(fitted, inputs, workers or Here())
        groups = by_group(raw / float(fitted.scale), rows_of, fitted.encoder)
        raw = np.sort(raw)
    else:
        raw, series = _series_scores(fitted, series, inputs, fitted.config)
    if len(raw) < LEAST_ROWS:
        raise too_few(inputs, len(raw), "calibration")
    names = ", ".join(source.name for source in inputs)
    description = f"split-conformal, on {len(raw):,} rows of {names}"
    return replace(
        fitted,
        calibration=Calibration(raw / float(fitted.scale)),
        series=series,
        beyond=beyond,
        groups=groups,
        training=training.model_copy(update={"calibration": description}),
        sha256=None,
    )


def _table_scores(
    fitted: FittedModel, inputs: Sequence[Input], workers: Workers
) -> tuple[Floats, float | None, Integers]:
    """Unscaled scores of normal rows, what each constant that they change adds, scaled, and their groups."""
    settle_clock(inputs, fitted.config)
    if not isinstance(workers, Here) and fitted.device != CPU:
        raise UsageError("workers elsewhere score on CPUs: load the model with device 'cpu'")
    scores, changes, groups = [np.empty(0)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for of_part in Passes(inputs, workers).map(_Scoring(fitted)):
        for ordinary, changed, group in of_part:
            scores.append(ordinary)
            changes.append(changed)
            groups.append(group)
    ordinary, constants, rows_of = np.concatenate(scores), np.concatenate(changes), np.concatenate(groups)
    if not constants.any():
        return ordinary, None, rows_of
    counted, beyond = with_changed_constants(ordinary, constants)
    return counted, beyond / float(fitted.scale), rows_of


@dataclass(frozen=True)
class _Scoring:
    """Scores the rows of a part: of each block, scores, constants changed and groups, each [rows]."""

    fitted: FittedModel

    def __call__(self, part: Part) -> list[tuple[Floats, Integers, Integers]]:
        fitted = self.fitted
        with single_threaded(fitted.device):
            return [
                (
                    raw_scores(mean_errors(fitted.members, block.matrix, fitted.device)),
                    block.changed.sum(axis=1),
                    block.groups,
                )
                for block in Encoding(fitted.encoder, fitted.config).blocks(part)
            ]


def _series_scores(
    fitted: FittedModel, series: SeriesParts, inputs: Sequence[Input], config: Config
) -> tuple[Floats, SeriesParts]:
    """Unscaled scores of the rows of normal series, ascending, and the parts that follow from them.

    The first rows of a series, of which too little is known, are left out.
    """
    state = series.state
    gatherer = Gatherer(state.clock, Entities(state.entity), fitted.encoder, exact=series.exact)
    for chunk in chunks(inputs, config):
        take(gatherer, chunk)
    rows, names = gatherer.rows(), gatherer.entities.names
    rows, gross = series.set_aside(with_growth(rows, fitted.encoder, state.step), names)
    timeline = Timeline.of(rows.seconds, rows.series, state.grid)
    segment_channels = standardized_segments(
        rows, timeline, names, series.scales, state.beginning, state.apart
    )
    usable_slots = ~timeline.marked(rows.infinite | rows.unscorable | gross.any(axis=1)) & ~timeline.empty()
    warmup = warmup_rows(timeline, names, series.scales, series.unjudged, state.beginning)

    def scores_of(index: int) -> tuple[Floats, dict[str, StepScores]]:
        slots = timeline.segments[index]
        scores = segment_scores(fitted, segment_channels[index], timeline.seconds[slots], state.window)
        scores = scores.without_first(warmup[index])
        usable = usable_slots[slots] & ~np.isnan(scores.raw)
        known = {name: part.part(usable & ~np.isnan(part.score)) for name, part in scores.by_scale.items()}
        return np.asarray(scores.raw[usable]), known

    with single_threaded(fitted.device) as workers:
        scored = list(ordered(scores_of, range(len(segment_channels)), workers))
    raw = np.sort(np.concatenate([np.empty(0), *(part for part, _ in scored)]))
    peaks = [peaks_of(part, state.window) for part, _ in scored if len(part)]
    alarms = series.alarms
    if alarms is not None and len(raw):
        alarms = alarms.recalibrated(
            {name: [parts[name] for _, parts in scored] for name in (LONG, *alarms.scales)}
        )
    return raw, replace(series, peaks=np.concatenate([np.empty(0), *peaks]), alarms=alarms)
