"""Learning from time series: one network or a few folds of time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from aedetect.config import ModelConfig
from aedetect.data.arrays import Floats, Mask, Matrix
from aedetect.data.cells import CellRules
from aedetect.data.reference import Sketch
from aedetect.data.series.buffer import Gatherer, Rows
from aedetect.data.series.channels import interpolated, steps_apart
from aedetect.data.series.clock_detection import find_clock, guess_notice
from aedetect.data.series.counters import CounterSearch, counter_notices, growth_per_step, with_growth
from aedetect.data.series.entities import Entities
from aedetect.data.series.grid import Grid
from aedetect.data.series.gross import find_gross_cells, limits_of, without
from aedetect.data.series.order import runs
from aedetect.data.series.readings import repeated_readings
from aedetect.data.series.repeats import check_order
from aedetect.data.series.scaling import Scales, SeriesState, series_scales, standardized_segments
from aedetect.data.series.segments import Timeline, repeated_instants, segment_values
from aedetect.data.series.series_columns import SeriesColumns, entity_flags
from aedetect.data.series.timestamps import Clock, joined, span
from aedetect.data.series.window_length import USUAL_WINDOW, period, whole_periods, window_steps
from aedetect.models.base import WindowAutoencoder
from aedetect.models.ensemble import window_scores
from aedetect.models.evaluation.base import WindowEvaluation
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.registry import build_series, build_short
from aedetect.models.threads import single_threaded
from aedetect.scoring.alarms import AlarmParts, TimeScale, log_scores, short_steps
from aedetect.scoring.fitted import SeriesParts
from aedetect.scoring.locality import StepScores
from aedetect.scoring.manifest import TrainingRecord
from aedetect.scoring.row_scores import peaks_of, row_scores
from aedetect.scoring.scale_shares import CALENDAR, SHORT, STEP
from aedetect.scoring.series_alarms import step_scores_of
from aedetect.scoring.step_deviation import step_deviations, step_scores, usual_deviations
from aedetect.training.checkpoint import Checkpointer
from aedetect.training.contamination import presumed_share
from aedetect.training.feed import WindowFeed
from aedetect.training.gross_notice import RowOrigins, gross_notices
from aedetect.training.left_out import labelled_notice
from aedetect.training.loop import has_weights, seeded
from aedetect.training.members import MemberTask, member_seed, train_members
from aedetect.training.passes import Chunk, chunks
from aedetect.training.profiling import TrainingProfile
from aedetect.training.request import Learned, TrainingRun
from aedetect.training.series_calendar import calendar_scale, follows_the_clock, learn_calendar
from aedetect.training.series_rows import take
from aedetect.training.series_split import (
    TimeSplit,
    TrainingSegments,
    is_folded,
    single_time_split,
    time_splits,
    too_few_windows,
    whole,
)  # fmt: skip
from aedetect.training.series_times import check_span, times_in_words
from aedetect.training.split import USUAL_FOLDS

# Windows that reach into what was learned are known in part. A span is scored by windows inside it
# alone, or, where it is shorter than so many, by those at least half inside.
_BARE = 1.5
# A stretch of the training rows that scores so many times the median looks anomalous itself.
_STANDS_OUT = 4.0
_Builder = Callable[[WindowLayout, ModelConfig], WindowAutoencoder]


@dataclass(frozen=True)
class _Series:
    """All rows to learn from, in the order of time, and what is known of them."""

    gatherer: Gatherer
    sketch: Sketch
    rows: Rows
    origins: RowOrigins
    grid: Grid
    timeline: Timeline

    @property
    def names(self) -> list[tuple[str, ...]]:
        return self.gatherer.entities.names

    def without_rows(self) -> _Series:
        """The same without its rows, which take much memory and are not needed once they are segments."""
        return replace(self, rows=self.rows.part(np.empty(0, dtype=np.int64)))

    def name_of(self, number: int) -> str:
        """What the series of that number is called."""
        return " ".join(self.names[number])


def fit_series(run: TrainingRun, profile: TrainingProfile) -> Learned:
    """Networks, and the scores of the steps that calibrate them.

    Raises DataError, UsageError or ModelError for what the user can repair.
    """
    series = _read(run, profile)
    _note(run, series, profile)
    series, scales = _without_gross_cells(run, series)
    series = _by_its_clock(series, scales)
    apart = _steps_apart(series)
    segments, beginning = _segments(run, series, scales, apart)
    window, limits, rows = segments.window, _limits(series, scales), len(series.rows)
    series = series.without_rows()
    run.callback.stage("training")
    training = _SeriesTraining(run, segments, build_series)
    checkpointer = run.checkpointer(lambda: _fingerprint(run, profile, segments))
    run.note_resuming(checkpointer, training.trained)
    members, records, scores = training.fit(checkpointer)
    if not run.config.training.contamination:
        _warn_of_strangest(run, series, scores, window)
    state = SeriesState(
        clock=series.gatherer.clock,
        entity=series.gatherer.entities.columns,
        step=series.grid.step,
        gap=series.grid.gap,
        phase=series.grid.phase,
        apart=apart,
        on_the_wall=series.grid.zone is not None,
        window=window,
        beginning=beginning,
        scaled_apart=scales is not None and scales.apart,
        names=scales.names if scales else (),
    )
    peaks = np.concatenate([peaks_of(part, window) for part in scores.spans])
    return Learned(
        members=members,
        records=records,
        scores=np.concatenate(scores.spans),
        folded=training.folded,
        rows=rows,
        rows_left_out={"labelled": profile.labelled},
        normal_rows=np.empty((0, profile.encoder.layout.width), dtype=np.float32),
        sketch=series.sketch,
        series=SeriesParts(state, scales, peaks, limits, _alarm_parts(run, series, segments, scores)),
        encoder=series.gatherer.encoder,
    )


def _segments(
    run: TrainingRun, series: _Series, scales: Scales | None, apart: tuple[int, ...]
) -> tuple[TrainingSegments, int]:
    """What is to be learned from, and how many rows scale a series that was not learned.

    Raises DataError for too few rows.
    """
    segments_of = partial(standardized_segments, series.rows, series.timeline, series.names, scales)
    first = [interpolated(segment) for segment in segments_of(USUAL_WINDOW, apart)]
    beginning = whole_periods(USUAL_WINDOW, period(first))
    del first
    values = segments_of(beginning, apart)
    window = window_steps(run.config.series.window, series.grid.step, [interpolated(part) for part in values])
    return TrainingSegments.of(values, window, run.request.inputs[0].name), beginning


def _without_gross_cells(run: TrainingRun, series: _Series) -> tuple[_Series, Scales | None]:
    """The series, its gross cells missing, and their scales; which cells those were is said."""
    channels = series.gatherer.channels
    gross = find_gross_cells(series.rows, channels.measured)
    for text in gross_notices(gross, channels.owners, series.origins):
        run.callback.notice(text)
    rows = without(series.rows, gross)
    for place in np.flatnonzero(gross.any(axis=0)).tolist():
        # Explanations compare with the range of what was learned.
        encoder = series.gatherer.encoder
        raw = rows.values[:, place] * encoder.deviation[place] + encoder.mean[place]
        series.gatherer.encoder = encoder.ranged(place, raw)
    scales = Scales.fit(rows, series.names, channels.measured)
    if scales is None and gross.any():
        # The columns were standardised with them.
        scales = Scales.shared(rows, channels.measured)
    return replace(series, rows=rows), scales


def _by_its_clock(series: _Series, scales: Scales | None) -> _Series:
    """The series in the slots of the clock on the wall, where it goes by that."""
    clock, rows, grid = series.gatherer.clock, series.rows, series.grid
    segments = standardized_segments(rows, series.timeline, series.names, scales, USUAL_WINDOW, None)
    if clock.zone is None or not follows_the_clock(clock, series.timeline, grid.step, segments):
        return series
    grid = grid.on_the_wall(rows.seconds, clock.zone)
    return replace(series, grid=grid, timeline=Timeline.of(rows.seconds, rows.series, grid))


def _steps_apart(series: _Series) -> tuple[int, ...]:
    """For how many steps a known cell of each channel holds."""
    values = segment_values(series.rows, series.timeline)
    return tuple(steps_apart(values, series.rows.values.shape[1]).tolist())


def _limits(series: _Series, scales: Scales | None) -> Matrix:
    """Beyond which cells are gross [2, channels], in the scale of their series."""
    rows, measured = series.rows, series.gatherer.channels.measured
    centers, spreads = series_scales(rows, series.names, scales, len(rows))

    def limits(place: int) -> Matrix:
        values = rows.values[:, place] - centers[rows.series, place]
        return limits_of((values / spreads[rows.series, place])[:, None], measured[[place]])

    # Channel by channel: all of them, scaled, would take as much memory as the rows.
    nothing = np.empty((2, 0), dtype=np.float32)
    return np.concatenate([nothing, *map(limits, range(len(measured)))], axis=1)


def _read(run: TrainingRun, profile: TrainingProfile) -> _Series:
    settings, sketch = run.config.series, Sketch.empty(profile.encoder)
    gatherer: Gatherer | None = None
    origins, search = RowOrigins(), CounterSearch(profile.encoder)
    for chunk in chunks(run.request.inputs, run.config):
        if not len(chunk.batch):
            continue
        if gatherer is None:
            clock = _clock(run, chunk, profile.schema.rules)
            entities = Entities(settings.entity)
            gatherer = Gatherer(clock, entities, profile.encoder, exact=bool(settings.entity))
        encoded = take(gatherer, chunk)
        search.take(encoded, gatherer.newest.series)
        origins.add(chunk)
        sketch.update(encoded.matrix, encoded.changed_constants)
        last = chunk
    assert gatherer is not None
    rows = gatherer.rows()
    if not settings.entity and settings.series_name is None:
        formatted = settings.time_format is not None
        find = partial(_series_columns, run, gatherer, rows.seconds)
        check_order(last.source.name, gatherer.clock, rows.seconds, last.batch, formatted, find)
    check_span(run.request.inputs[0].name, gatherer.clock, rows.seconds)
    grid = Grid.fit(rows.seconds, rows.series, settings.every)
    timeline = Timeline.of(rows.seconds, rows.series, grid)
    series = _Series(gatherer, sketch, rows, origins, grid, timeline)
    return _with_growth(run, series, search)


def _with_growth(run: TrainingRun, series: _Series, search: CounterSearch) -> _Series:
    """The series, the growth of raw counters in place of their levels; which columns those are is said."""
    rows, gatherer, step = series.rows, series.gatherer, series.grid.step
    if not gatherer.encoder.counters:
        places, readings = search.result(rows.seconds, rows.series)
        growth = growth_per_step(readings, rows.seconds, rows.series, step)
        gatherer.counting(gatherer.encoder.counting(places, growth))
        rows = replace(rows, readings=readings)
    for place in gatherer.encoder.counters:
        series.sketch.leave_out(place)
    for text in counter_notices(gatherer.encoder):
        run.callback.notice(text)
    return replace(series, rows=with_growth(rows, gatherer.encoder, step))


def _apart_by(run: TrainingRun, series: _Series) -> str:
    """What to give for series that are mixed up, as the end of a sentence; empty where it is not known."""
    columns = _series_columns(run, series.gatherer, series.rows.seconds)
    if not columns:
        return ""
    names = " and ".join(map(repr, columns))
    before = series.gatherer.entities.columns
    verb = "tells" if len(columns) == 1 else "tell"
    return (
        f": column{'s' * (len(columns) != 1)} {names} {verb} series apart that are mixed up here; "
        f"{entity_flags([*before, *columns])} learns each by itself"
    )


def _series_columns(run: TrainingRun, gatherer: Gatherer, seconds: Floats) -> tuple[str, ...]:
    """The columns that tell apart series which nobody named; `seconds` [rows]: in the order of reading."""
    schema, known = gatherer.encoder.schema, (*gatherer.clock.columns, *gatherer.entities.columns)
    names = [
        column.name for column in schema.columns if column.role != "datetime" and column.name not in known
    ]
    columns = SeriesColumns(names, len(seconds))
    for chunk in chunks(run.request.inputs, run.config):
        columns.take(chunk.batch, schema.rules)
    return columns.result(seconds)


def _clock(run: TrainingRun, chunk: Chunk, rules: CellRules) -> Clock:
    """How the time columns are read; where that is a guess, it is said."""
    settings = run.config.series
    columns = settings.time_columns
    array = joined([chunk.batch.column(name) for name in columns], rules)
    clock = find_clock(columns, array, rules, settings.time_format, settings.time_zone, chunk.locate)
    notice = guess_notice(clock, array, rules) if settings.time_format is None else None
    if notice:
        run.callback.notice(notice)
    return clock


def _note(run: TrainingRun, series: _Series, profile: TrainingProfile) -> None:
    seconds, clock = series.rows.seconds, series.gatherer.clock
    run.callback.remark(times_in_words(clock, seconds, series.timeline, series.grid))
    long = run.config.series.series_name is not None
    rows, timeline = series.rows, series.timeline
    repeated = repeated_readings(rows) if long else repeated_instants(rows.seconds, timeline)
    if repeated:
        said = (
            f"{repeated:,} row{'s' * (repeated != 1)} repeat{'s' * (repeated == 1)} the timestamp of another"
        )
        run.callback.notice(f"{said} row{'' if long else _apart_by(run, series)}")
    gaps = int((~series.timeline.first).sum())
    if gaps:
        run.callback.notice(
            f"{gaps:,} gap{'s' * (gaps != 1)} in the series, whose steps are "
            f"{span(series.grid.step)}; no window spans one"
        )
    empty = int(series.timeline.empty().sum())
    if empty:
        run.callback.notice(
            f"{empty:,} step{'s' * (empty != 1)} of {span(series.grid.step)} "
            f"{'are' if empty != 1 else 'is'} absent ({empty / len(series.timeline.seconds):.1%}); windows "
            "are judged by what they have"
        )
    if profile.labelled:
        asked = run.request
        run.callback.notice(labelled_notice(profile.labelled, asked.inputs, run.config, asked.workers))


def _alarm_parts(
    run: TrainingRun, series: _Series, segments: TrainingSegments, long_scores: _Scores
) -> AlarmParts:
    """What the segments teach of short windows, single steps and the calendar."""
    window = long_scores.window
    causal, left_out = run.config.series.causal, presumed_share(run.config.training.contamination)
    parts = segments.parts
    deviations = [step_deviations(segment, causal) for segment in parts]
    usual = usual_deviations(deviations)
    by_step = np.concatenate([step_scores(part, usual) for part in deviations])[long_scores.calibrates]
    by_step = by_step[~np.isnan(by_step)]
    del deviations
    scales = {STEP: TimeScale.of([StepScores(by_step, by_step, by_step)], by_step, left_out)}
    short: list[WindowEvaluation] = []
    steps = short_steps(window)
    if steps is not None:
        short_segments = segments.with_windows(steps, run.request.inputs[0].name)
        training = _SeriesTraining(run, short_segments, build_short)
        short, _, scores = training.fit(Checkpointer.none())
        scales = {SHORT: scores.scale(left_out), **scales}
    calendar = learn_calendar(run, series.gatherer.clock, series.timeline, series.grid.step, parts, window)
    if calendar is not None:
        scales[CALENDAR] = calendar_scale(calendar, run.config.series, left_out)
    long_scale = long_scores.scale(left_out)
    model = None if calendar is None else calendar.model
    return AlarmParts(short, usual, scales, long_scale.locality, long_scale.spread, model)


@dataclass(frozen=True)
class _Scores:
    """Scores by networks that never saw what they score.

    `spans`: unscaled ones of each span of the calibration sets [steps of the span, without unscored
    ones]; `scales`, `windows`: logarithms of the same, and of those of all windows of these spans;
    `by_step` [steps]: of each step, unscaled, 0 where there is none; `calibrates` [steps]: which steps
    are of a calibration set; `window`: steps of a window.
    """

    spans: list[Floats]
    scales: list[StepScores]
    windows: list[Floats]
    by_step: Floats
    calibrates: Mask
    window: int

    def scale(self, left_out: float) -> TimeScale:
        """What these scores come to as a scale of time; see `TimeScale.of`."""
        return TimeScale.of(self.scales, np.concatenate(self.windows), left_out)


class _SeriesTraining:
    """One run: what is planned, trained and scored.

    A model without weights to train is made anew from all windows once its folds have calibrated
    it; those with weights are kept, one a fold, and their scores averaged.
    """

    def __init__(self, run: TrainingRun, segments: TrainingSegments, builder: _Builder):
        self.run = run
        self.segments = segments
        self.builder = builder
        with seeded(run.config.training.seed, run.device):
            self.trained = has_weights(self._build())
        self.folded = is_folded(segments, self.trained)

    def fit(self, checkpointer: Checkpointer) -> tuple[list[WindowEvaluation], list[TrainingRecord], _Scores]:
        """Members, a record of each, and the scores of what calibrates them."""
        run, folds = self.run, self.run.config.training.folds or USUAL_FOLDS
        splits = time_splits(self.segments, folds) if self.folded else single_time_split(self.segments)
        members, records = train_members(run, self._tasks(splits), len(splits), checkpointer)
        with single_threaded(run.device.type):
            scores = self._score(members, splits)
            if self.folded and not self.trained:
                last = whole(self.segments, folds)
                merged, records = train_members(run, self._tasks([last]), 1, Checkpointer.none())
                merged[0].merge_folds(members)
                members = merged
        return [model.settled() for model in members], records, scores

    def _build(self) -> WindowAutoencoder:
        segments = self.segments
        return self.builder(WindowLayout(segments.window, segments.steps.shape[1]), self.run.config.model)

    def _tasks(self, splits: Sequence[TimeSplit]) -> Iterator[MemberTask[WindowAutoencoder]]:
        segments, settings = self.segments, self.run.config.training
        for split in splits:
            seed = member_seed(settings.seed, split.index)
            feed = WindowFeed(
                segments.filled, split.learned, segments.window, settings.batch_size, seed, self.run.device
            )
            yield MemberTask(self._build, feed, feed.windows(torch.from_numpy(split.validation)), seed)

    def _score(self, members: Sequence[WindowAutoencoder], splits: Sequence[TimeSplit]) -> _Scores:
        steps = len(self.segments.steps)
        scores = _Scores([], [], [], np.zeros(steps), np.zeros(steps, dtype=np.bool_), self.segments.window)
        for model, split in zip(members, splits, strict=True):
            scores.calibrates[split.calibration] = True
            held_out = _calibration_scores(self.run, model, self.segments, split.calibration)
            for first, rows, by_scale, windows in held_out:
                scores.by_step[first : first + len(rows)] = np.nan_to_num(rows)
                known = ~np.isnan(rows)
                if known.any():
                    scores.spans.append(rows[known])
                    scores.scales.append(by_scale.part(known))
                    scores.windows.append(windows[~np.isnan(windows)])
        if not scores.spans:
            raise too_few_windows(self.segments.window)
        return scores


def _calibration_scores(
    run: TrainingRun, model: WindowAutoencoder, segments: TrainingSegments, marked: Mask
) -> Iterator[tuple[int, Floats, StepScores, Floats]]:
    """Scores of the steps marked [steps], from windows that hold little or nothing learned.

    A span of them at a time: the place of its first step, its scores [steps of the span], NaN where
    there is none, the same as logarithms, and those of the windows [windows].
    """
    settings, window, judge = run.config.series, segments.window, model.settled()
    for start, length in zip(segments.starts.tolist(), segments.lengths.tolist(), strict=True):
        if length < window:
            continue
        for first, last in runs(marked[start : start + length]).tolist():
            reach = 0 if last - first >= _BARE * window else window // 2
            low, high = max(first - reach, 0), min(last + reach, length)
            if high - low < window:
                continue
            raw = window_scores([judge], segments.steps[start + low : start + high], window, run.device.type)
            row = row_scores(raw, window, settings.causal, settings.smoothing)
            scores = step_scores_of(row, raw, window, settings.causal)
            inside = slice(first - low, last - low)
            yield start + first, row[inside], scores.part(inside), log_scores(raw)


def _warn_of_strangest(run: TrainingRun, series: _Series, scores: _Scores, window: int) -> None:
    """Say where the training rows look anomalous themselves."""
    by_step, timeline = scores.by_step, series.timeline
    peak = int(by_step.argmax())
    usual = float(np.median(np.concatenate(scores.spans)))
    times = float(by_step[peak]) / max(usual, 1e-12)
    if times < _STANDS_OUT:
        return
    calm = np.flatnonzero(by_step < by_step[peak] / 2)
    before, after = calm[calm < peak], calm[calm > peak]
    # What is odd lies within half a window of the rows that score high.
    owners = np.repeat(timeline.series, timeline.lengths)
    series_steps = np.flatnonzero(owners == owners[peak])
    first = max(int(before[-1]) + 1 - window // 2 if len(before) else 0, int(series_steps[0]))
    last = min(int(after[0]) - 1 + window // 2 if len(after) else len(by_step) - 1, int(series_steps[-1]))
    start, end = timeline.seconds[[first, last]].tolist()
    name, when = series.name_of(int(owners[peak])), series.gatherer.clock.stretch(start, end)
    run.callback.notice(
        f"rows {f'of {name} ' if name else ''}somewhere {when} look "
        f"anomalous themselves: scores there are up to {times:.1f} times the usual; if they are, leave them "
        "out or mark them (--label), and fainter anomalies will be found"
    )


def _fingerprint(run: TrainingRun, profile: TrainingProfile, segments: TrainingSegments) -> str:
    digests = profile.fingerprint(run.config), segments.fingerprint()
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
