"""Time series: the rows of a series are scored together, whichever inputs they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.series.buffer import Gatherer, Rows, together
from aedetect.data.series.channels import Channels
from aedetect.data.series.context import CarryOver, SeriesContext
from aedetect.data.series.counters import with_growth
from aedetect.data.series.entities import Entities, Name
from aedetect.data.series.gross import LONGEST_ACCIDENT
from aedetect.data.series.scaling import standardized_segments, warmup_rows
from aedetect.data.series.segments import Timeline, repeated_instants
from aedetect.data.series.timestamps import Clock, TimeReader
from aedetect.engine.workers import ordered
from aedetect.errors import DataError, ModelError
from aedetect.io.source import Input, batch_rows
from aedetect.models.ensemble import single_threaded, window_scores
from aedetect.scoring.base import NumberedBatch, PriorRows, Scores
from aedetect.scoring.event_table import event_table
from aedetect.scoring.events import Event, event_numbers, find_events
from aedetect.scoring.fitted import FittedModel, SeriesParts
from aedetect.scoring.row_scores import row_scores
from aedetect.scoring.series_attribution import SeriesAttribution

if TYPE_CHECKING:
    import pyarrow as pa


def segment_scores(fitted: FittedModel, segment: Matrix, window: int) -> Floats:
    """Unscaled scores [steps] of a segment [steps, channels]; NaN where it is shorter than a window.

    The one rule from windows to scores of rows: calibrating and scoring use it. Call it within
    `models.ensemble.single_threaded`.
    """
    if len(segment) < window:
        return np.full(len(segment), np.nan)
    settings = fitted.config.series
    raw = window_scores(fitted.members, segment, window, fitted.device)
    return row_scores(raw, window, settings.causal, settings.smoothing)


@dataclass(frozen=True)
class SeriesScorer:
    """Scores the rows of series under a fitted model."""

    fitted: FittedModel
    independent = False
    has_events = True

    @property
    def series(self) -> SeriesParts:
        """What the model knows of time."""
        assert self.fitted.series is not None
        return self.fitted.series

    def open(
        self, inputs: Sequence[Input], prior: PriorRows | None = None, keep: bool = False
    ) -> SeriesSession:
        """A session over `inputs`, all read and scored at once; with `keep` it holds on to their values.

        Raises DataError or ModelError where the history cannot be used.
        """
        return SeriesSession(self, inputs, prior or PriorRows(), keep)


@dataclass(frozen=True)
class SeriesData:
    """What a session has of the rows: as they were read, in time, and as the model is given them.

    `segment_channels`: the channels [steps, channels] of each segment of the timeline.
    """

    rows: Rows
    timeline: Timeline
    segment_channels: list[Matrix]


@dataclass
class _Taken:
    """What was read of one input, and where its rows begin among all."""

    first: int = 0
    count: int = 0
    warnings: list[str] = field(default_factory=list)
    failure: DataError | ModelError | None = None


class SeriesSession:
    """Reads all inputs before it scores: a series may run on from one to the next, in any order.

    Rows of prior inputs and tails are known but not scored anew. Kept in memory: the time, the series
    and the channels of each row, and its score; after that the score alone, unless told to `keep` all.
    An input that cannot be read is met again when its scores are asked for.
    """

    def __init__(self, scorer: SeriesScorer, inputs: Sequence[Input], prior: PriorRows, keep: bool):
        self._scorer = scorer
        self._keep = keep
        self.series_data: SeriesData | None = None
        self.attribution = SeriesAttribution(scorer.fitted, scorer.series)
        self._entities = Entities(scorer.series.state.entity)
        self._times = TimeReader(scorer.series.state.clock)
        self._taken: dict[int, _Taken] = {}
        self._sources: list[tuple[int, Input]] = []
        if scorer.series.state.clock.zone is not None:
            for name, context in (prior.tails or {}).items():
                self._times.resume(self._entities.number_of(name), context.rows.seconds[-2:])
        rows, known = self._gathered(inputs, prior.history)
        self._tails: CarryOver | None = None
        self._before = 0
        self._rows: Rows | None = None
        if prior.tails is not None:
            self._tails, self._rows = _tails_under(scorer, prior.tails), rows
            before = self._recalled(self._tails, prior.earlier, rows)
            self._before = len(before)
            rows = together([before, rows], rows.values.shape[1])
        self._score(rows, self._before + known)

    def _gathered(self, inputs: Sequence[Input], history: Sequence[Input]) -> tuple[Rows, int]:
        """The rows of all inputs, those of `history` first, and how many these are."""
        gathered: list[Rows] = []
        count = known = 0
        for place, source in enumerate((*history, *inputs)):
            taken = self._taken[id(source)] = _Taken(count)
            try:
                rows = self._read(source, taken)
            except (DataError, ModelError) as error:
                if place < len(history):
                    raise
                taken.failure = error
                continue
            gathered.append(rows)
            self._sources.append((count, source))
            taken.count = len(rows)
            count += len(rows)
            known = count if place < len(history) else known
        return together(gathered, Channels.of(self._scorer.fitted.encoder).width), known

    def _recalled(self, tails: CarryOver, earlier: Sequence[Input], rows: Rows) -> Rows:
        """Rows that went before `rows`."""
        width = rows.values.shape[1]
        read: list[Rows] = []
        if not tails.precede(rows, self._entities.names):
            read = [self._read(source, _Taken()) for source in earlier]
        prior_rows = tails.rows(together([*read, rows], width), self._entities.names)
        return together([prior_rows, *read], width)

    def tails(self, source: Input) -> Mapping[Name, SeriesContext]:
        if self._tails is None or self._rows is None:
            return {}
        taken = self._taken[id(source)]
        rows = self._rows.part(slice(taken.first, taken.first + taken.count))
        return self._tails.after(rows, self._entities.names)

    def score(self, source: Input, batch: NumberedBatch) -> Scores:
        taken = self._taken[id(source)]
        if taken.failure:
            raise taken.failure
        begin = self._before + taken.first + batch.first
        part = slice(begin, begin + len(batch.rows))
        shares = np.zeros((len(batch.rows), len(self.columns)), dtype=np.float32)
        flagged = np.flatnonzero(self.flagged[part])
        shares[flagged] = self._shares[self._share_of[part][flagged]]
        return Scores(
            self.scores[part],
            self.p_values[part],
            self.flagged[part],
            self.unscorable[part],
            shares,
            # Encoded once more: kept from the first reading, it would take as much room as all else.
            self._scorer.fitted.encoder.transform(batch.rows),
            self.warmup[part],
            self.event_of[part],
        )

    def warnings(self, source: Input) -> list[str]:
        return self._taken[id(source)].warnings

    def events(self) -> pa.Table:
        return event_table(self)

    @property
    def names(self) -> list[Name]:
        """The series by number."""
        return self._entities.names

    def place(self, row: int) -> tuple[Input, int]:
        """The input of a row (from 0, over all inputs), and its number there, from 1."""
        row -= self._before
        first, source = next((first, source) for first, source in reversed(self._sources) if first <= row)
        return source, row - first + 1

    def check(self, sources: Sequence[Input]) -> None:
        """Raises the DataError or ModelError of an input that could not be read."""
        for source in sources:
            failure = self._taken[id(source)].failure
            if failure:
                raise failure

    def span(self, source: Input) -> tuple[int, int]:
        """The number of an input's first row among all rows, from 0, and how many it has."""
        taken = self._taken[id(source)]
        return self._before + taken.first, taken.count

    @property
    def entity(self) -> tuple[str, ...]:
        """The columns that name a series."""
        return self._scorer.series.state.entity

    @property
    def window(self) -> int:
        """Steps of a window."""
        return self._scorer.series.state.window

    @property
    def causal(self) -> bool:
        """Whether a row's score uses no later rows."""
        return self._scorer.fitted.config.series.causal

    @property
    def step(self) -> float:
        """Seconds between two rows, usually."""
        return self._scorer.series.state.step

    @property
    def gap(self) -> float:
        """Seconds without a row after which a series is taken to pause."""
        return self._scorer.series.state.gap

    @property
    def zone(self) -> str:
        """What is to be said after a time: ' UTC', ' Europe/Berlin', or nothing where no zone is known."""
        return self.clock.zone_name

    @property
    def clock(self) -> Clock:
        """How the time columns are read, and instants are shown."""
        return self._scorer.series.state.clock

    @property
    def columns(self) -> list[str]:
        return self._scorer.fitted.columns

    @property
    def top(self) -> int:
        """How many columns errors are attributed to by name."""
        return self._scorer.fitted.config.scoring.top_features

    def shares(self, rows: Integers) -> Matrix:
        """What each column contributed to the errors of flagged rows, on average; [columns]."""
        return np.asarray(self._shares[self._share_of[rows]].mean(axis=0))

    def _read(self, source: Input, taken: _Taken) -> Rows:
        fitted, clock = self._scorer.fitted, self._scorer.series.state.clock
        gatherer = Gatherer(clock, self._entities, fitted.encoder, self._times, self._scorer.series.exact)
        reader = source.open(batch_rows(fitted.config, len(fitted.encoder.owners)))
        fitted.schema.check(source.name, reader.schema)
        read = timeless = unreadable = 0
        for batch in reader.batches():
            locate = partial(_place, source, read)
            _, times = gatherer.take(batch, locate)
            timeless += int(np.isnan(times.seconds).sum())
            unreadable += int(times.bad.sum())
            read += len(batch)
        if read and unreadable == read:
            raise DataError(f"{source.name}: column {clock.column!r}: no cell can be read as a timestamp")
        if timeless:
            taken.warnings.append(
                f"{source.name}: column {clock.column!r}: {timeless:,} row{'s' * (timeless != 1)} without a "
                f"readable timestamp; {'these rows are' if timeless != 1 else 'this row is'} unscorable"
            )
        rows = gatherer.rows()
        repeated = repeated_instants(rows.seconds, self._timeline(rows))
        if repeated:
            taken.warnings.append(
                f"{source.name}: {repeated:,} row{'s' * (repeated != 1)} repeat the timestamp of another row"
            )
        return rows

    def _timeline(self, rows: Rows) -> Timeline:
        return Timeline.of(rows.seconds, rows.series, self._scorer.series.state.gap)

    def _score(self, rows: Rows, known: int) -> None:
        """Score all rows, of which the first `known` went before and are not of new events."""
        fitted, series = self._scorer.fitted, self._scorer.series
        state, settings = series.state, fitted.config.series
        timeline = self._timeline(rows)
        rows = with_growth(rows, fitted.encoder, state.step)
        sound, self.gross = series.set_aside(rows, self.names)
        strange = np.asarray(self.gross.any(axis=1))
        segment_channels = standardized_segments(sound, timeline, self.names, series.scales, state.beginning)
        raw = self._raw(segment_channels, timeline, len(rows))
        # To tell a gross cell, nothing of what went before need be known.
        self.warmup = np.isnan(raw) & ~rows.unscorable & ~strange
        self.unscorable = rows.unscorable | self.warmup
        if strange.any():
            # How high a gross row scores, it says itself; only its neighbours are judged without it.
            as_read = standardized_segments(rows, timeline, self.names, series.scales, state.beginning)
            raw = np.where(strange, self._raw(as_read, timeline, len(rows), strange), raw)
        scores = raw / float(fitted.scale)
        scores = np.where(rows.infinite | strange, np.fmax(scores, fitted.out_of_range_score), scores)
        self.scores = np.where(self.unscorable, np.nan, scores)
        with np.errstate(invalid="ignore"):
            self.flagged = self.scores > fitted.threshold
        self.p_values = fitted.calibration.p_values(self.scores)
        gap = state.window // 2 if settings.event_gap is None else settings.event_gap
        events = find_events(self.flagged, self.scores, timeline, gap, settings.event_rows)
        self.found_events = _of_rows_from(events, known, self.scores)
        self.event_of = event_numbers(self.found_events, len(rows))
        self.seconds, self.series = rows.seconds, rows.series
        self._attribute(segment_channels, timeline, len(rows))
        if self._keep:
            self.series_data = SeriesData(rows, timeline, segment_channels)

    def _raw(
        self, segment_channels: Sequence[Matrix], timeline: Timeline, rows: int, wanted: Mask | None = None
    ) -> Floats:
        """Unscaled scores [rows]; NaN where too little of a series is known.

        `wanted` [rows]: segments without any of these are left out.
        """
        fitted, series = self._scorer.fitted, self._scorer.series
        window = series.state.window
        warmup = warmup_rows(timeline, self.names, series.scales, window, series.state.beginning)
        raw = np.full(rows, np.nan)
        with single_threaded(fitted.device) as workers:
            work = partial(segment_scores, fitted, window=window)
            places = [timeline.order[part] for part in timeline.segments]
            chosen = [i for i, part in enumerate(places) if wanted is None or wanted[part].any()]
            scored = ordered(work, [segment_channels[index] for index in chosen], workers)
            for index, scores in zip(chosen, scored, strict=True):
                scores[: warmup[index]] = np.nan
                raw[places[index]] = scores
        return raw

    def _attribute(self, segment_channels: Sequence[Matrix], timeline: Timeline, rows: int) -> None:
        """The shares of flagged rows, one row of `_shares` [flagged, columns] each."""
        self._share_of = np.zeros(rows, dtype=np.int64)
        shares = [np.zeros((1, len(self.columns)), dtype=np.float32)]
        count = 1
        with single_threaded(self._scorer.fitted.device):
            for part, segment in zip(timeline.segments, segment_channels, strict=True):
                places = np.flatnonzero(self.flagged[timeline.order[part]])
                if not len(places) or len(segment) < self.window:
                    continue
                start = self.seconds[timeline.order[part.start]]
                shares.append(self.attribution.shares_at(segment, places, start))
                self._share_of[timeline.order[part][places]] = np.arange(count, count + len(places))
                count += len(places)
        gross_rows = np.flatnonzero(self.flagged & self.gross.any(axis=1))
        shares.append(self.attribution.of_gross(self.gross[gross_rows]))
        self._share_of[gross_rows] = np.arange(count, count + len(gross_rows))
        self._shares = np.concatenate(shares)


def _tails_under(scorer: SeriesScorer, known: Mapping[Name, SeriesContext]) -> CarryOver:
    """What is kept of each series for its next rows, `known` from earlier runs.

    Two windows: the windows of the next rows reach back one, and so do the scores that decide whether
    an event goes on. Which cells of these are gross is told by up to 64 rows before them.
    """
    state, scales = scorer.series.state, scorer.series.scales
    length = 2 * state.window + scorer.fitted.config.series.smoothing
    length += LONGEST_ACCIDENT if scorer.series.limits is not None else 0
    if scales is None or not scales.apart:
        return CarryOver(known, length, state.gap)
    return CarryOver(known, length, state.gap, state.beginning, frozenset(scales.names))


def _place(source: Input, before: int, index: int) -> str:
    return f"{source.name}: {source.locate(before + index + 1)}"


def _of_rows_from(events: Sequence[Event], known: int, scores: Floats) -> list[Event]:
    """The events with rows from number `known` on, without the rows before, numbered anew."""
    counts: dict[int, int] = {}
    new_events = []
    for event in events:
        rows = event.rows[event.rows >= known]
        if len(rows):
            counts[event.series] = counts.get(event.series, 0) + 1
            peak = int(rows[np.argmax(scores[rows])])
            new_events.append(replace(event, number=counts[event.series], rows=rows, peak=peak))
    return new_events
