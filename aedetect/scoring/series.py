"""Time series: the rows of a series are scored together, whichever inputs they come from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.series.buffer import Rows, together
from aedetect.data.series.channels import Channels
from aedetect.data.series.context import AlarmState, CarryOver, SeriesContext
from aedetect.data.series.counters import with_growth
from aedetect.data.series.entities import Name
from aedetect.data.series.grid import Grid
from aedetect.data.series.gross import LONGEST_ACCIDENT
from aedetect.data.series.long_table import rows_as_read
from aedetect.data.series.readings import of_blamed_channels, reading_channels
from aedetect.data.series.row_store import HELD_BYTES, RowStore
from aedetect.data.series.segments import Timeline
from aedetect.data.series.timestamps import Clock
from aedetect.engine.heap import give_back
from aedetect.io.source import Input
from aedetect.models.threads import single_threaded
from aedetect.scoring.adoptions import Adoption, adopted_in_words, find_adoptions, rows_within
from aedetect.scoring.base import AdoptedState, NumberedBatch, PriorRows, Scores
from aedetect.scoring.blame import LEAST_SHARE
from aedetect.scoring.event_numbers import EventNumbers
from aedetect.scoring.event_table import event_table
from aedetect.scoring.events import Event, event_gap, find_events
from aedetect.scoring.fitted import FittedModel, SeriesParts
from aedetect.scoring.flagged_shares import FlaggedShares
from aedetect.scoring.one_series import OneSeries, grid_of, prepared, scored
from aedetect.scoring.row_columns import row_column
from aedetect.scoring.series_alarms import AlarmTracks
from aedetect.scoring.series_attribution import SeriesAttribution
from aedetect.scoring.series_reader import SeriesReader, Taken
from aedetect.scoring.silences import SilenceFinder
from aedetect.scoring.suppression import (
    FlaggedRows,
    MutedEvent,
    Reason,
    SeenRows,
    SeriesRows,
    Suppression,
    without_muted,
)
from aedetect.scoring.verdicts import Verdicts

if TYPE_CHECKING:
    import pyarrow as pa


# Is shown each series of a session once it is scored.
SeriesWatch = Callable[["SeriesSession", OneSeries], None]
# A share of rows not judged that is worth saying.
_MUCH_WARMUP = 0.1
# After so many rows, what scoring them took goes back to the system.
_GIVEN_BACK = 200_000


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
        self,
        inputs: Sequence[Input],
        prior: PriorRows | None = None,
        suppression: Suppression | None = None,
        keep: bool = False,
    ) -> SeriesSession:
        """A session over `inputs`, all read and scored at once; with `keep` it holds on to their values.

        Raises DataError or ModelError where the history cannot be used.
        """
        return SeriesSession(self, inputs, prior or PriorRows(), suppression, keep)

    def open_watched(self, inputs: Sequence[Input], watch: SeriesWatch) -> SeriesSession:
        """A session over `inputs`, of which `watch` is shown each series once it is scored."""
        return SeriesSession(self, inputs, PriorRows(), None, False, watch)


@dataclass(frozen=True)
class SeriesData:
    """What a session has of the rows: as they were read, in time, and as the model is given them.

    `segment_channels`: the channels [steps, channels] of each segment of the timeline; `read_channels`: the
    same with what is set aside. `gross` [rows, channels]: which cells are.
    """

    rows: Rows
    timeline: Timeline
    segment_channels: list[Matrix]
    gross: Mask
    read_channels: list[Matrix] = field(default_factory=list)

    @classmethod
    def before_scoring(cls, fitted: FittedModel, rows: Rows, grid: Grid) -> SeriesData:
        """Of all series together, as they were read; each is to be added."""
        gross = np.zeros(rows.values.shape, dtype=np.bool_)
        timeline = Timeline.of(rows.seconds, rows.series, grid)
        return cls(with_growth(rows, fitted.encoder, grid.step), timeline, [], gross)

    def standing(self, fitted: FittedModel) -> Integers:
        """The row that stands for each row [rows]: in a long table, the first of its slot; else itself."""
        standing = np.arange(len(self.rows))
        if fitted.long_table is not None:
            order = self.timeline.order
            _, first, of_slot = np.unique(
                self.timeline.slot_of[order], return_index=True, return_inverse=True
            )
            standing[order] = order[first[of_slot]]
        return standing

    def add(self, one: OneSeries) -> None:
        """Take in the next series, by their numbers."""
        self.segment_channels.extend(one.segment_channels)
        self.read_channels.extend(one.read_channels)
        self.gross[one.places] = one.gross


class SeriesSession:
    """Reads all inputs before it scores: a series may run on from one to the next, in any order.

    Rows of prior inputs and tails are known but not scored anew. Where there are many rows, those of a
    few series at a time are in memory, and all others in temporary files, as is what is said of each row.
    Told to `keep` them, or given tails, it holds all in memory.
    An input that cannot be read is met again when its scores are asked for. `watch` is shown each series,
    with the scores that all alert rates have in common; what alarms of one rate adapted to is not said then.
    """

    independent = False

    def __init__(
        self,
        scorer: SeriesScorer,
        inputs: Sequence[Input],
        prior: PriorRows,
        suppression: Suppression | None,
        keep: bool,
        watch: SeriesWatch | None = None,
        reader: SeriesReader | None = None,
    ):
        """`reader`: what reads the inputs, where they are not read from their files."""
        self._scorer = scorer
        self._suppression = suppression
        self._keep = keep
        self._watch = watch
        self.series_data: SeriesData | None = None
        self.attribution = SeriesAttribution(scorer.fitted, scorer.series)
        reader = self._reader = reader or SeriesReader(scorer.fitted, scorer.series)
        if scorer.series.state.clock.zone is not None:
            for name, context in (prior.tails or {}).items():
                reader.times.resume(reader.entities.number_of(name), context.rows.seconds[-2:])
        last_rows = {name: float(each.rows.seconds[-1]) for name, each in (prior.tails or {}).items()}
        self._silences = SilenceFinder(scorer.fitted.config.series.silence, last_rows)
        self._begin: dict[int, AlarmState] = {}
        self._tails: CarryOver | None = None
        self._tracks: AlarmTracks | None = None
        self._before = 0
        # Whether what earlier runs left comes before all rows.
        self.precede = True
        self._rows: Rows | None = None
        with RowStore(self._width, None if keep or prior.tails is not None else HELD_BYTES) as store:
            known = reader.gather(inputs, prior.history, store)
            if prior.tails is not None:
                store = self._after_tails(prior, prior.tails, store.rows())
            self._score(store, self._before + known)

    def _after_tails(self, prior: PriorRows, tails: Mapping[Name, SeriesContext], rows: Rows) -> RowStore:
        """The rows that were read, behind those that earlier runs left."""
        self._tails, self._rows = _tails_under(self._scorer, tails), rows
        self.precede = self._tails.precede(rows, self.names)
        precede = self.precede if prior.precede is None else prior.precede
        before = self._recalled(self._tails, () if precede else prior.earlier, rows)
        self._before = len(before)
        # Rows that earlier runs judged are judged anew, from the beginning, where they come again.
        self._begin = {
            number: tails[name].alarms if precede and name in tails else AlarmState()
            for number, name in enumerate(self.names)
        }
        return RowStore.of(together([before, rows], self._width))

    @property
    def _width(self) -> int:
        """How many channels there are."""
        return Channels.of(self._scorer.fitted.encoder).width

    def _recalled(self, tails: CarryOver, earlier: Sequence[Input], rows: Rows) -> Rows:
        """Rows that went before `rows`."""
        store = RowStore(self._width, None)
        for source in earlier:
            self._reader.read(source, Taken(), store)
            store.settle()
        read = store.rows()
        prior_rows = tails.rows(together([read, rows], self._width), self.names)
        return together([prior_rows, read], self._width)

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
        state = self._event_numbers.state_at(series, until, self._tracks.state_at(series, until))
        adoption = self.adoptions.get((series, state.event))
        if adoption is not None and adoption.began is not None and self.seconds[adoption.row] <= until:
            # What comes soon after is another event.
            return replace(state, event_until=-math.inf)
        return state

    def score(self, source: Input, batch: NumberedBatch) -> Scores:
        taken = self._reader.taken[id(source)]
        if taken.failure:
            raise taken.failure
        begin = self._before + taken.first + batch.first
        part = slice(begin, begin + len(batch.rows))
        shares = np.zeros((len(batch.rows), len(self.columns)), dtype=np.float32)
        shown = self.shown_within(part)
        shares[shown] = self.row_shares(begin + shown)
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
            self.reasons_within(part),
        )

    def muted_within(self, source: Input) -> int:
        """How many rows of an input are muted."""
        first, count = self.span(source)
        return len(self.reasons_within(slice(first, first + count)))

    def shown_within(self, part: slice) -> Integers:
        """Which rows of a part of all rows are flagged or muted, by their places in it."""
        muted = list(self.reasons_within(part))
        return np.sort(np.r_[np.flatnonzero(self.flagged[part]), muted].astype(np.int64))

    def row_shares(self, rows: Integers) -> Matrix:
        """What each column contributed to the errors of rows that are flagged or muted; [rows, columns]."""
        return self._shares.of(rows)

    def reasons_within(self, part: slice) -> dict[int, Reason]:
        """Why rows are muted, by their places in a part of all rows."""
        if not self.reasons:
            return {}
        rows = np.fromiter(self.reasons, dtype=np.int64)
        within = rows[(rows >= part.start) & (rows < part.stop)].tolist()
        return {row - part.start: self.reasons[row] for row in within}

    def warnings(self, source: Input) -> list[str]:
        return self._reader.taken[id(source)].warnings

    def events(self) -> pa.Table:
        return event_table(self, self._silences.silences())

    def silences(self) -> SilenceFinder:
        return self._silences

    @property
    def muted_event_count(self) -> int:
        return len(self.muted_events)

    def adopted_states(self) -> Sequence[AdoptedState]:
        return [
            self.adopted_state(one)
            for first, source in self._reader.sources
            for one in rows_within(self.adoptions, self._before + first, self._reader.taken[id(source)].count)
        ]

    def adopted_state(self, one: Adoption) -> AdoptedState:
        """An event that lasted, as it is shown."""
        return AdoptedState(
            dict(zip(self.entity, self.names[one.event.series], strict=False)),
            one.event.number,
            self._moment(float(self.seconds[one.event.rows[0]]) if one.began is None else one.began),
            self._moment(float(self.seconds[one.row])),
            one.seconds,
        )

    @property
    def standing(self) -> Integers:
        """See `SeriesData.standing`; of a session that keeps its rows."""
        if self.series_data is None:
            return np.arange(len(self.scores))
        return self.series_data.standing(self.fitted)

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
    def fitted(self) -> FittedModel:
        """The model that rows are judged under."""
        return self._scorer.fitted

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
        return np.asarray(self._shares.of(rows).mean(axis=0))

    @property
    def series(self) -> Integers:
        """The series of each row [rows]; of a session that keeps its rows."""
        assert self.series_data is not None
        return self.series_data.rows.series

    def _score(self, store: RowStore, known: int) -> None:
        """Score all rows, of which the first `known` went before and are not of new events."""
        fitted, grid = self._scorer.fitted, grid_of(self._scorer.series, store)
        column = partial(row_column, len(store), in_file=store.in_file)
        self.scores, self.p_values, self.seconds = (column(np.nan) for _ in range(3))
        self.flagged, self.unscorable, self.warmup = (column(False) for _ in range(3))
        self.event_of = column(0)
        self.found_events: list[Event] = []
        self.reasons: dict[int, Reason] = {}
        self.muted_events: list[MutedEvent] = []
        # By series and number, the last row of an event, muted or not; and which events earlier runs began.
        self.last_rows: dict[tuple[int, int], int] = {}
        self.going_on: set[tuple[int, int]] = set()
        self._event_numbers = EventNumbers(self._begin, self.event_gap, self.step)
        self.adoptions: dict[tuple[int, int], Adoption] = {}
        self._shares = FlaggedShares(self.attribution, len(self.columns))
        rule = fitted.alarm_rule
        if rule is not None and self._tails is not None:
            self._tracks = AlarmTracks(rule, self._begin)
        each = prepared(fitted, self._scorer.series, self.names, store, grid)
        if self._keep:
            self.series_data = SeriesData.before_scoring(fitted, store.rows(), grid)
        judged = 0
        with single_threaded(fitted.device) as workers:
            for one in scored(fitted, each, self.window, workers, self._watch is not None):
                tracks = self._tracks or (AlarmTracks(rule, self._begin) if rule is not None else None)
                self._judge(one, Verdicts.of(one, fitted, tracks), known)
                if self.series_data is not None:
                    self.series_data.add(one)
                if self._watch is not None:
                    self._watch(self, one)
                judged += len(one.places)
                if judged > _GIVEN_BACK:
                    give_back()
                    judged = 0
        self._shares.join()
        for source in self._reader.sources:
            self._say_warmup(*source)
            if self._watch is None:
                self._say_adoptions(*source)
            self._say_of_muting(source[1])

    def _judge(self, one: OneSeries, verdicts: Verdicts, known: int) -> None:
        """Enter what is said of the rows of a series."""
        self._silences.see(self.names[one.number], one.rows.seconds, one.places >= known)
        fitted, places = self._scorer.fitted, one.places
        shares = self._shares.add(one, verdicts.flagged)
        if fitted.long_table is not None:
            shares = _blame(one, verdicts.flagged, shares)
        self.seconds[places], self.scores[places] = one.rows.seconds, verdicts.scores
        self.p_values[places], self.flagged[places] = verdicts.p_values, verdicts.flagged
        self.unscorable[places], self.warmup[places] = verdicts.unscorable, verdicts.warmup
        among_all = [one.among_all(event) for event in self._events_of(one, verdicts)]
        numbered = self._event_numbers.number(among_all, known, self.seconds)
        new = [_of_rows_from(event, known, self.scores) for event in numbered if (event.rows >= known).any()]
        self.going_on |= {
            (event.series, event.number)
            for event in numbered
            if event.continued or int(event.rows[0]) < known
        }
        if self._suppression is not None:
            self._show(one, self._suppression)
            self._mute(one, verdicts.flagged, shares, numbered)
            self.last_rows |= {(event.series, event.number): int(event.rows[-1]) for event in new}
            new, muted = without_muted(new, self.reasons, self.scores)
            self.muted_events += muted
        self.found_events += new
        for event in new:
            self.event_of[event.rows] = event.number
        by_event = {event.number: event for event in numbered}
        if fitted.config.series.adopt_after is not None:
            self._adopt(one, verdicts.adopted, numbered)
            return
        here = [one.by_itself(event) for event in numbered]
        for (_, number), adoption in find_adoptions(here, verdicts.silenced, one.timeline).items():
            self.adoptions[one.number, number] = replace(
                adoption, event=by_event[number], row=int(places[adoption.row])
            )

    def _show(self, one: OneSeries, suppression: Suppression) -> None:
        """Show the rows of a series to what may mute some, source by source."""
        sources = self._reader.sources
        begins = self._before + np.array([first for first, _ in sources], dtype=np.int64)
        of_source = np.searchsorted(begins, one.places, side="right") - 1
        entity = dict(zip(self.entity, self.names[one.number], strict=False))
        for place in np.unique(of_source[of_source >= 0]).tolist():
            seconds = one.rows.seconds[of_source == place]
            suppression.watch(SeenRows(sources[place][1], 1, seconds=seconds, entity=entity))

    def _adopt(self, one: OneSeries, adopted: Mapping[int, float], events: Sequence[Event]) -> None:
        """Enter which events of a series lasted for as long as was asked.

        `adopted`: by rows of the series, how many seconds they had.
        """
        for place, lasted in adopted.items():
            row = int(one.places[place])
            time = float(self.seconds[row])
            before = [event for event in events if self.seconds[event.rows[0]] < time]
            # An earlier run may have had all of its rows.
            number = self._begin.get(one.number, AlarmState()).event
            event = before[-1] if before else Event(one.number, number, np.array([row]), row)
            adoption = Adoption(event, row, round(lasted), False, time - lasted)
            self.adoptions[one.number, event.number] = adoption

    def _mute(self, one: OneSeries, flagged: Mask, shares: Matrix, events: Sequence[Event]) -> None:
        """Mute rows of a series that are fine.

        `flagged` [rows]: those of the series that are not, unless they are fine; `shares` [flagged, columns].
        """
        assert self._suppression is not None
        places = np.flatnonzero(flagged)
        rows = one.places[places]
        number, lasted = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows))
        for event in events:
            inside = np.isin(rows, event.rows)
            number[inside] = event.number
            lasted[inside] = self.seconds[event.rows[-1]] - self.seconds[event.rows[0]]
        entity = dict(zip(self.entity, self.names[one.number], strict=False))
        of_series = SeriesRows(
            entity, one, places, self.seconds[rows], number, lasted, self.scores[one.places], flagged
        )
        flagged_rows = FlaggedRows(self.columns, shares, self.scores[rows], self.top, series=of_series)
        for place, reason in self._suppression.reasons(flagged_rows).items():
            self.reasons[int(rows[place])] = reason
            self.flagged[rows[place]] = False

    def judged_at(self, fitted: FittedModel, one: OneSeries) -> tuple[Mask, list[Event]]:
        """Which rows [rows] of a series are flagged at the alert rate of a model, and the events.

        `one`: as `watch` is shown it; `fitted`: the model of this session at any rate. Events are by the
        rows of `one`; nothing that went before is known. Safe to call from several threads at once.
        """
        rule, one = fitted.alarm_rule, one.at(fitted)
        verdicts = Verdicts.of(one, fitted, None if rule is None else AlarmTracks(rule, {}))
        if fitted.long_table is not None:
            shares = FlaggedShares(self.attribution, len(self.columns)).add(one, verdicts.flagged)
            _blame(one, verdicts.flagged, shares)
        return verdicts.flagged, self._events_of(one, verdicts)

    def _events_of(self, one: OneSeries, verdicts: Verdicts) -> list[Event]:
        """The events of a series, by its rows."""
        flagged, continued, ends = verdicts.flagged, verdicts.continued, verdicts.adopted.keys()
        least, gap = self._scorer.fitted.config.series.event_rows, self.event_gap
        return find_events(flagged, continued, verdicts.scores, one.timeline, gap, least, ends)

    @property
    def event_gap(self) -> int:
        """Steps between two flagged rows of one event, at most."""
        return event_gap(self._scorer.fitted.config.series, self.window)

    def _say_warmup(self, first: int, source: Input) -> None:
        """Warn where many rows of a source cannot be judged, as too little is known."""
        taken = self._reader.taken[id(source)]
        begin = self._before + first
        early = int(self.warmup[begin : begin + taken.count].sum())
        taken.warnings += much_warmup(source.name, early, taken.count, self.window)

    def _say_adoptions(self, first: int, source: Input) -> None:
        """Warn of what began odd, lasted, and counts as normal since some row of a source."""
        taken = self._reader.taken[id(source)]
        adoptions = rows_within(self.adoptions, self._before + first, taken.count)
        sentences = adopted_in_words(
            adoptions, self.names, lambda row: self._moment(float(self.seconds[row])), self._moment
        )
        taken.warnings += [f"{source.name}: {sentence}" for sentence in sentences]

    def _say_of_muting(self, source: Input) -> None:
        """Warn of what may mute rows and does not apply to a source."""
        if self._suppression is not None:
            self._reader.taken[id(source)].warnings += self._suppression.notices(source)

    def _moment(self, seconds: float) -> str:
        """A time in seconds since 1970, as it is shown."""
        return self.clock.shown(seconds) + self.zone


def much_warmup(name: str, early: int, rows: int, window: int) -> list[str]:
    """What is to be said of an input of so many rows, where many come too early to be judged."""
    if rows <= window or early <= _MUCH_WARMUP * rows:
        return []
    return [
        f"{name}: {early:,} of {rows:,} rows ({early / rows:.0%}) come too "
        "early in their series, or after too little data, to be judged"
    ]


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


def _blame(one: OneSeries, flagged: Mask, shares: Matrix) -> Matrix:
    """Unflag rows of a long table whose own channel has no part in what is odd at that time.

    `flagged` [rows] is changed; `shares` [flagged, columns]; gives those of the rows that stay flagged.
    """
    rows = np.flatnonzero(flagged)
    blamed = of_blamed_channels(reading_channels(one.rows.values[rows]), shares, LEAST_SHARE)
    flagged[rows[~blamed]] = False
    return shares[blamed]


def _of_rows_from(event: Event, known: int, scores: Floats) -> Event:
    """An event without the rows before number `known`, of which there are others."""
    rows = event.rows[event.rows >= known]
    return replace(event, rows=rows, peak=int(rows[np.argmax(scores[rows])]))
