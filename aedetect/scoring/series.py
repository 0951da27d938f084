"""Time series: the rows of a series are scored together, whichever inputs they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import AnyArray, Floats, Integers, Mask, Matrix
from aedetect.data.series.buffer import Rows, together
from aedetect.data.series.context import AlarmState, CarryOver, SeriesContext
from aedetect.data.series.counters import with_growth
from aedetect.data.series.entities import Name
from aedetect.data.series.gross import LONGEST_ACCIDENT
from aedetect.data.series.long_table import rows_as_read
from aedetect.data.series.readings import of_blamed_channels, reading_channels
from aedetect.data.series.scaling import standardized_segments, warmup_rows
from aedetect.data.series.segments import Timeline
from aedetect.data.series.timestamps import Clock
from aedetect.engine.workers import ordered
from aedetect.io.source import Input
from aedetect.models.ensemble import single_threaded
from aedetect.scoring.adoptions import adopted_in_words, find_adoptions, rows_within
from aedetect.scoring.base import NumberedBatch, PriorRows, Scores
from aedetect.scoring.event_numbers import EventNumbers
from aedetect.scoring.event_table import event_table
from aedetect.scoring.events import Event, event_numbers, find_events, usual_gap
from aedetect.scoring.fitted import FittedModel, SeriesParts
from aedetect.scoring.result_columns import LEAST_SHARE
from aedetect.scoring.series_alarms import AlarmTracks, SegmentScores, long_scores, segment_scores
from aedetect.scoring.series_attribution import SeriesAttribution
from aedetect.scoring.series_reader import SeriesReader, Taken

if TYPE_CHECKING:
    import pyarrow as pa


# A share of rows not judged that is worth saying.
_MUCH_WARMUP = 0.1


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
        reader = self._reader = SeriesReader(scorer.fitted, scorer.series)
        if scorer.series.state.clock.zone is not None:
            for name, context in (prior.tails or {}).items():
                reader.times.resume(reader.entities.number_of(name), context.rows.seconds[-2:])
        rows, known = reader.gathered(inputs, prior.history)
        self._begin: dict[int, AlarmState] = {}
        self._tails: CarryOver | None = None
        self._tracks: AlarmTracks | None = None
        self._before = 0
        self._rows: Rows | None = None
        if prior.tails is not None:
            self._tails, self._rows = _tails_under(scorer, prior.tails), rows
            precede = self._tails.precede(rows, self.names)
            before = self._recalled(self._tails, () if precede else prior.earlier, rows)
            self._before = len(before)
            # Rows that earlier runs judged are judged anew, from the beginning, where they come again.
            self._begin = {
                number: prior.tails[name].alarms if precede and name in prior.tails else AlarmState()
                for number, name in enumerate(self.names)
            }
            rows = together([before, rows], rows.values.shape[1])
        self._score(rows, self._before + known)

    def _recalled(self, tails: CarryOver, earlier: Sequence[Input], rows: Rows) -> Rows:
        """Rows that went before `rows`."""
        width = rows.values.shape[1]
        read = [self._reader.read(source, Taken()) for source in earlier]
        prior_rows = tails.rows(together([*read, rows], width), self.names)
        return together([prior_rows, *read], width)

    def tails(self, source: Input) -> Mapping[Name, SeriesContext]:
        if self._tails is None or self._rows is None:
            return {}
        taken = self._reader.taken[id(source)]
        rows = self._rows.part(slice(taken.first, taken.first + taken.count))
        return self._tails.after(rows, self.names, self._alarms_at)

    def _alarms_at(self, series: int, rows: Rows) -> AlarmState:
        """Where alarms stood a window before the end of a series' `rows`: later ones will be judged anew."""
        if self._tracks is None:
            return AlarmState()
        until = float(rows.seconds[-1]) - self.window * self.step
        return self._event_numbers.state_at(series, until, self._tracks.state_at(series, until))

    def score(self, source: Input, batch: NumberedBatch) -> Scores:
        taken = self._reader.taken[id(source)]
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
            self._scorer.fitted.encoder.transform(
                rows_as_read(self._scorer.fitted.as_read(source), batch.rows, batch.first + 1)
            ),
            self.warmup[part],
            self.event_of[part],
        )

    def warnings(self, source: Input) -> list[str]:
        return self._reader.taken[id(source)].warnings

    def events(self) -> pa.Table:
        return event_table(self)

    @property
    def standing(self) -> Integers:
        """The row that stands for each row [rows]: in a long table, the first of its slot; else itself."""
        data = self.series_data
        if data is None or self._scorer.fitted.long_table is None:
            return np.arange(len(self.scores))
        standing, order = np.arange(len(self.scores)), data.timeline.order
        _, first, of_slot = np.unique(data.timeline.slot_of[order], return_index=True, return_inverse=True)
        standing[order] = order[first[of_slot]]
        return standing

    @property
    def names(self) -> list[Name]:
        """The series by number."""
        return self._reader.entities.names

    def place(self, row: int) -> tuple[Input, int]:
        """The input of a row (from 0, over all inputs), and its number there, from 1."""
        row -= self._before
        sources = reversed(self._reader.sources)
        first, source = next((first, source) for first, source in sources if first <= row)
        return source, row - first + 1

    def check(self, sources: Sequence[Input]) -> None:
        """Raises the DataError or ModelError of an input that could not be read."""
        for source in sources:
            failure = self._reader.taken[id(source)].failure
            if failure:
                raise failure

    def span(self, source: Input) -> tuple[int, int]:
        """The number of an input's first row among all rows, from 0, and how many it has."""
        taken = self._reader.taken[id(source)]
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

    def _timeline(self, rows: Rows) -> Timeline:
        return Timeline.of(rows.seconds, rows.series, self._scorer.series.state.grid)

    def _score(self, rows: Rows, known: int) -> None:
        """Score all rows, of which the first `known` went before and are not of new events."""
        fitted, series = self._scorer.fitted, self._scorer.series
        state, settings = series.state, fitted.config.series
        timeline = self._timeline(rows)
        rows = with_growth(rows, fitted.encoder, state.step)
        sound, self.gross = series.set_aside(rows, self.names)
        strange = np.asarray(self.gross.any(axis=1))
        scaling = (series.scales, state.beginning, state.apart)
        segment_channels = standardized_segments(sound, timeline, self.names, *scaling)
        segments = self._segment_scores(segment_channels, timeline)
        raw = timeline.of_rows(_together([segment.raw for segment in segments]), np.nan)
        # To tell a gross cell, nothing of what went before need be known.
        self.warmup = np.isnan(raw) & ~rows.unscorable & ~strange
        self.unscorable = rows.unscorable | self.warmup
        if strange.any():
            # Gross cells are set aside to judge what lies beside them; scores are smooth, and rank all rows.
            as_read = standardized_segments(rows, timeline, self.names, *scaling)
            read_scores = self._long_scores(as_read, timeline, strange)
            raw = np.where(np.isnan(read_scores) | np.isnan(raw) & ~strange, raw, read_scores)
        scores = raw / float(fitted.scale)
        beyond = rows.infinite | strange & np.isnan(scores)
        scores = np.where(beyond, np.fmax(scores, fitted.out_of_range_score), scores)
        self.scores = np.where(self.unscorable, np.nan, scores)
        self.seconds, self.series = rows.seconds, rows.series
        self._flag(segments, timeline, rows.infinite | strange)
        self._attribute(segment_channels, timeline)
        if fitted.long_table is not None:
            self._blame(rows)
        gap = usual_gap(state.window) if settings.event_gap is None else settings.event_gap
        events = find_events(self.flagged, self.scores, timeline, gap, settings.event_rows)
        self._event_numbers = EventNumbers(self._begin, gap, state.step)
        numbered = self._event_numbers.number(events, known, rows.seconds)
        self.found_events = [
            _of_rows_from(event, known, self.scores) for event in numbered if (event.rows >= known).any()
        ]
        self.event_of = event_numbers(self.found_events, len(rows))
        self.adoptions = find_adoptions(numbered, self.silenced, timeline)
        for source in self._reader.sources:
            self._say_warmup(*source)
            self._say_adoptions(*source)
        if self._keep:
            self.series_data = SeriesData(rows, timeline, segment_channels)

    def _blame(self, long_rows: Rows) -> None:
        """Unflag rows of a long table whose own channel has no part in what is odd at that time."""
        flagged = np.flatnonzero(self.flagged)
        channels = reading_channels(long_rows.values[flagged])
        blamed = of_blamed_channels(channels, self._shares[self._share_of[flagged]], LEAST_SHARE)
        self.flagged[flagged[~blamed]] = False

    def _say_warmup(self, first: int, source: Input) -> None:
        """Warn where many rows of a source cannot be judged, as too little is known."""
        taken = self._reader.taken[id(source)]
        begin = self._before + first
        early = int(self.warmup[begin : begin + taken.count].sum())
        if taken.count > self.window and early > _MUCH_WARMUP * taken.count:
            taken.warnings.append(
                f"{source.name}: {early:,} of {taken.count:,} rows ({early / taken.count:.0%}) come too "
                "early in their series, or after too little data, to be judged"
            )

    def _say_adoptions(self, first: int, source: Input) -> None:
        """Warn of what began odd, lasted, and counts as normal since some row of a source."""
        taken = self._reader.taken[id(source)]
        adoptions = rows_within(self.adoptions, self._before + first, taken.count)
        sentences = adopted_in_words(
            adoptions, self.names, lambda row: self.clock.shown(float(self.seconds[row])) + self.zone
        )
        taken.warnings += [f"{source.name}: {sentence}" for sentence in sentences]

    def _segment_scores(self, segment_channels: Sequence[Matrix], timeline: Timeline) -> list[SegmentScores]:
        """The scores of each segment; unknown where too little of a series is known."""
        fitted, series = self._scorer.fitted, self._scorer.series
        window = series.state.window
        warmup = warmup_rows(timeline, self.names, series.scales, window, series.state.beginning)
        with single_threaded(fitted.device) as workers:

            def work(index: int) -> SegmentScores:
                seconds = timeline.seconds[timeline.segments[index]]
                return segment_scores(fitted, segment_channels[index], seconds, window)

            scored = list(ordered(work, range(len(segment_channels)), workers))
        return [scores.without_first(steps) for scores, steps in zip(scored, warmup, strict=True)]

    def _long_scores(self, segment_channels: Sequence[Matrix], timeline: Timeline, wanted: Mask) -> Floats:
        """Unscaled scores [rows] by long windows alone, of segments that have one of the `wanted` [rows]."""
        fitted, slots = self._scorer.fitted, timeline.marked(wanted)
        raw = np.full(len(slots), np.nan)
        chosen = [place for place, part in enumerate(timeline.segments) if slots[part].any()]
        with single_threaded(fitted.device) as workers:

            def work(place: int) -> Floats:
                return long_scores(fitted, segment_channels[place], self.window)[0]

            for place, scores in zip(chosen, ordered(work, chosen, workers), strict=True):
                raw[timeline.segments[place]] = scores
        return timeline.of_rows(raw, np.nan)

    def _flag(self, segments: Sequence[SegmentScores], timeline: Timeline, beyond: Mask) -> None:
        """Set `flagged`, `p_values` and `silenced` [rows] from the scores of the segments.

        Rows marked in `beyond` [rows] are stranger than any normal ones, whatever their scores.
        """
        fitted, rows = self._scorer.fitted, len(beyond)
        self.p_values = fitted.calibration.p_values(self.scores)
        self.silenced = np.zeros(rows, dtype=np.bool_)
        rule = fitted.alarm_rule
        if rule is None:
            with np.errstate(invalid="ignore"):
                self.flagged = self.scores > fitted.threshold
            return
        tracks = self._tracks = AlarmTracks(rule, self._begin)
        alarms = [
            tracks.judge(series, timeline.seconds[part], scores.by_scale)
            for part, series, scores in zip(
                timeline.segments, timeline.series.tolist(), segments, strict=True
            )
        ]
        beyond = beyond & ~self.unscorable
        flagged = timeline.of_rows(_together([one.flagged for one in alarms]), False)
        self.flagged = (flagged.astype(np.bool_) & ~self.unscorable) | beyond
        self.silenced = timeline.of_rows(_together([one.silenced for one in alarms]), False).astype(np.bool_)
        joint = timeline.of_rows(_together([one.p_values for one in alarms]), np.nan)
        extreme = fitted.calibration.p_values(np.fmax(self.scores, fitted.out_of_range_score))
        joint = np.where(beyond, np.fmin(joint, extreme), joint)
        self.p_values = np.where(self.unscorable, np.nan, joint)

    def _attribute(self, segment_channels: Sequence[Matrix], timeline: Timeline) -> None:
        """The shares of flagged rows, one row of `_shares` [flagged, columns] each slot."""
        flagged = timeline.marked(self.flagged)
        share_at = np.zeros(len(flagged), dtype=np.int64)
        shares = [np.zeros((1, len(self.columns)), dtype=np.float32)]
        count = 1
        with single_threaded(self._scorer.fitted.device):
            for part, segment in zip(timeline.segments, segment_channels, strict=True):
                places = np.flatnonzero(flagged[part])
                if not len(places) or len(segment) < self.window:
                    continue
                shares.append(
                    self.attribution.shares_at(segment, places, float(timeline.seconds[part.start]))
                )
                share_at[part][places] = np.arange(count, count + len(places))
                count += len(places)
        self._share_of = timeline.of_rows(share_at, 0).astype(np.int64)
        gross_rows = np.flatnonzero(self.flagged & self.gross.any(axis=1))
        shares.append(self.attribution.of_gross(self.gross[gross_rows]))
        self._share_of[gross_rows] = np.arange(count, count + len(gross_rows))
        self._shares = np.concatenate(shares)


def _tails_under(scorer: SeriesScorer, known: Mapping[Name, SeriesContext]) -> CarryOver:
    """What is kept of each series for its next rows, `known` from earlier runs.

    Two windows: the windows of the next rows reach back one, and so do the scores that decide whether
    an event goes on. Which cells of these are gross is told by up to 16 rows before them.
    """
    state, scales = scorer.series.state, scorer.series.scales
    long = scorer.fitted.long_table is not None
    length = 2 * state.window + scorer.fitted.config.series.smoothing
    length += LONGEST_ACCIDENT if scorer.series.limits is not None else 0
    if scales is None or not scales.apart:
        return CarryOver(known, length * state.step, state.gap, long=long)
    scaled = frozenset(scales.names)
    return CarryOver(known, length * state.step, state.gap, state.beginning, scaled, long)


def _together(parts: Sequence[AnyArray]) -> AnyArray:
    """The values of the slots of all segments, one after the other."""
    return np.concatenate(parts) if parts else np.empty(0)


def _of_rows_from(event: Event, known: int, scores: Floats) -> Event:
    """An event without the rows before number `known`, of which there are others."""
    rows = event.rows[event.rows >= known]
    return replace(event, rows=rows, peak=int(rows[np.argmax(scores[rows])]))
