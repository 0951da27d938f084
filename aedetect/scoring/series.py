"""Who judges the rows of an input: one row by itself, or all rows of a series together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.data.features import Encoded
from aedetect.data.series.buffer import Gatherer, Rows, together
from aedetect.data.series.channels import Channels
from aedetect.data.series.context import SeriesContext
from aedetect.data.series.entities import Entities, Name
from aedetect.data.series.scaling import standardized_segments, warmup_rows
from aedetect.data.series.segments import Timeline, repeated_instants
from aedetect.detector import Detector, Verdicts
from aedetect.engine.workers import ordered
from aedetect.errors import DataError, ModelError
from aedetect.io.source import Input, batch_rows
from aedetect.models.ensemble import BLOCK_ROWS, single_threaded, window_errors, window_scores
from aedetect.scoring.events import Event, event_numbers, find_events
from aedetect.scoring.prior_state import Remembered
from aedetect.scoring.row_scores import row_scores

if TYPE_CHECKING:
    import pyarrow as pa


# Windows that a flagged row's errors are taken from.
_BLAMED_WINDOWS = 16


class Judge(Protocol):
    """Gives the verdicts on the batches of the inputs it was made for."""

    def verdicts(self, source: Input, first: int, batch: pa.RecordBatch) -> Verdicts:
        """Verdicts on a batch of `source` whose first row has the number `first`, from 0."""
        ...

    def warnings(self, source: Input) -> list[str]: ...


def judge_of(
    detector: Detector,
    inputs: Sequence[Input],
    threshold: float,
    history: Sequence[Input] = (),
    remembered: Remembered | None = None,
) -> Judge:
    """The judge of `inputs`. Raises DataError or ModelError where `history` cannot be used."""
    if detector.series is None:
        return _RowJudge(detector, threshold)
    return SeriesJudge(detector, inputs, threshold, history, remembered)


@dataclass(frozen=True)
class _RowJudge:
    detector: Detector
    threshold: float

    def verdicts(self, source: Input, first: int, batch: pa.RecordBatch) -> Verdicts:
        return self.detector.score_batch(batch, self.threshold)

    def warnings(self, source: Input) -> list[str]:
        return []


@dataclass(frozen=True)
class Kept:
    """What a judge has of the rows: as they were read, in time, and as the model is given them.

    `own`: the channels [steps, channels] of each segment of the timeline.
    """

    rows: Rows
    timeline: Timeline
    own: list[Matrix]


@dataclass
class _Taken:
    """What was read of one input: where its rows begin among all, and its batches without their numbers."""

    first: int = 0
    count: int = 0
    batches: dict[int, Encoded] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    failure: DataError | ModelError | None = None


class SeriesJudge:
    """Reads all inputs before it judges: a series may run on from one to the next, in any order.

    Rows of `history` and those remembered are known but not judged anew. Kept in memory: the time, the
    series and the channels of each row, and its verdict; after that the verdict alone, unless asked to
    `keep` all. An input that cannot be read is met again when its verdicts are asked for.
    """

    def __init__(
        self,
        detector: Detector,
        inputs: Sequence[Input],
        threshold: float,
        history: Sequence[Input] = (),
        remembered: Remembered | None = None,
        keep: bool = False,
    ):
        parts = detector.series
        assert parts is not None
        self._detector = detector
        self._parts = parts
        self._threshold = threshold
        self._keep = keep
        self.kept: Kept | None = None
        self._entities = Entities(parts.state.entity)
        self._taken: dict[int, _Taken] = {}
        self._sources: list[tuple[int, Input]] = []
        gathered: list[Rows] = []
        count = 0
        for source in (*history, *inputs):
            taken = self._taken[id(source)] = _Taken(count)
            try:
                rows = self._read(source, taken)
            except (DataError, ModelError) as error:
                if any(source is one for one in history):
                    raise
                taken.failure = error
                continue
            gathered.append(rows)
            self._sources.append((count, source))
            taken.count = len(rows)
            count += len(rows)
        known = sum(len(rows) for rows in gathered[: len(history)])
        rows = together(gathered, Channels.of(detector.encoder).width)
        self._remembered, self._rows = remembered, rows if remembered else None
        self._before = 0
        if remembered:
            before = self._recalled(remembered, rows)
            self._before = len(before)
            rows = together([before, rows], rows.values.shape[1])
        self._judge(rows, self._before + known)

    def _recalled(self, remembered: Remembered, rows: Rows) -> Rows:
        """Rows that went before `rows`."""
        width, earlier = rows.values.shape[1], []
        if not remembered.tails.precede(rows, self._entities.names):
            earlier = [self._read(source, _Taken()) for source in remembered.earlier]
        kept = remembered.tails.rows(together([*earlier, rows], width), self._entities.names)
        return together([kept, *earlier], width)

    def tails_with(self, source: Input) -> dict[Name, SeriesContext]:
        """What is to be kept of the series in `source`, now that it was scored."""
        if self._remembered is None or self._rows is None:
            return {}
        taken = self._taken[id(source)]
        rows = self._rows.part(slice(taken.first, taken.first + taken.count))
        return self._remembered.tails.after(rows, self._entities.names)

    @property
    def names(self) -> list[tuple[str, ...]]:
        """The series by number."""
        return self._entities.names

    def verdicts(self, source: Input, first: int, batch: pa.RecordBatch) -> Verdicts:
        taken = self._taken[id(source)]
        if taken.failure:
            raise taken.failure
        begin = self._before + taken.first + first
        part = slice(begin, begin + len(batch))
        shares = np.zeros((len(batch), len(self._detector.columns)), dtype=np.float32)
        flagged = np.flatnonzero(self.flagged[part])
        shares[flagged] = self._shares[self._share_of[part][flagged]]
        return Verdicts(
            self.scores[part],
            self.p_values[part],
            self.flagged[part],
            self.unscorable[part],
            shares,
            taken.batches[first],
            self.warmup[part],
            self.event_of[part],
        )

    def warnings(self, source: Input) -> list[str]:
        return self._taken[id(source)].warnings

    def place(self, row: int) -> tuple[Input, int]:
        """The input of a row (from 0, over all inputs), and its number there, from 1."""
        row -= self._before
        first, source = next(found for found in reversed(self._sources) if found[0] <= row)
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
        return self._parts.state.entity

    @property
    def window(self) -> int:
        """Steps of a window."""
        return self._parts.state.window

    @property
    def causal(self) -> bool:
        """Whether a row's score uses no later rows."""
        return self._detector.config.series.causal

    @property
    def step(self) -> float:
        """Seconds between two rows, usually."""
        return self._parts.state.step

    @property
    def columns(self) -> list[str]:
        return self._detector.columns

    @property
    def top(self) -> int:
        """How many columns are named as those to blame."""
        return self._detector.config.scoring.top_features

    def shares(self, rows: Integers) -> Matrix:
        """What each column contributed to the errors of flagged rows, on average; [columns]."""
        return np.asarray(self._shares[self._share_of[rows]].mean(axis=0))

    def _read(self, source: Input, taken: _Taken) -> Rows:
        detector = self._detector
        gatherer = Gatherer(self._parts.state.clock, self._entities, detector.encoder)
        reader = source.open(batch_rows(detector.config, len(detector.encoder.owners)))
        detector.schema.check(source.name, reader.schema)
        read = timeless = unreadable = 0
        for batch in reader.batches():
            locate = partial(_place, source, read)
            encoded, times = gatherer.take(batch, locate)
            timeless += int(np.isnan(times.seconds).sum())
            unreadable += int(times.bad.sum())
            nothing = np.empty((0, 0), dtype=np.float32)
            taken.batches[read] = replace(encoded, matrix=nothing)
            read += len(batch)
        column = self._parts.state.clock.column
        if read and unreadable == read:
            raise DataError(f"{source.name}: column {column!r}: no cell can be read as a timestamp")
        if timeless:
            taken.warnings.append(
                f"{source.name}: column {column!r}: {timeless:,} row{'s' * (timeless != 1)} without a "
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
        return Timeline.of(rows.seconds, rows.series, self._parts.state.gap)

    def _judge(self, rows: Rows, known: int) -> None:
        detector, state = self._detector, self._parts.state
        settings = detector.config.series
        timeline = self._timeline(rows)
        own = standardized_segments(rows, timeline, self._entities.names, self._parts.scales, state.beginning)
        raw = np.full(len(rows), np.nan)
        warmup = warmup_rows(
            timeline, self._entities.names, self._parts.scales, state.window, state.beginning
        )
        work = partial(self._stretch_scores, own, warmup)
        with single_threaded(detector.device) as workers:
            for index, scores in enumerate(ordered(work, range(len(own)), workers)):
                raw[timeline.order[timeline.segments[index]]] = scores
        self.unscorable = rows.unscorable | np.isnan(raw)
        self.warmup = np.isnan(raw) & ~rows.unscorable
        scores = raw / detector.scale
        scores = np.where(rows.infinite, np.fmax(scores, detector.outright), scores)
        self.scores = np.where(self.unscorable, np.nan, scores)
        with np.errstate(invalid="ignore"):
            self.flagged = self.scores > self._threshold
        self.p_values = detector.calibration.p_values(self.scores)
        gap = state.window // 2 if settings.event_gap is None else settings.event_gap
        found = find_events(self.flagged, self.scores, timeline, gap, settings.event_rows)
        self.events = _of_rows_from(found, known, self.scores)
        self.event_of = event_numbers(self.events, len(rows))
        self.seconds, self.series = rows.seconds, rows.series
        self._blame(own, timeline, len(rows))
        if self._keep:
            self.kept = Kept(rows, timeline, own)

    def _stretch_scores(self, own: Sequence[Matrix], warmup: Sequence[int], index: int) -> Floats:
        window, settings = self._parts.state.window, self._detector.config.series
        if len(own[index]) < window:
            return np.full(len(own[index]), np.nan)
        raw = window_scores(self._detector.members, own[index], window, self._detector.device)
        scores = row_scores(raw, window, settings.causal, settings.smoothing)
        scores[: warmup[index]] = np.nan
        return scores

    def _blame(self, own: Sequence[Matrix], timeline: Timeline, rows: int) -> None:
        """The shares of flagged rows, one row of `_shares` [flagged, columns] each."""
        self._share_of = np.zeros(rows, dtype=np.int64)
        found = [np.zeros((1, len(self.columns)), dtype=np.float32)]
        count = 1
        with single_threaded(self._detector.device):
            for part, stretch in zip(timeline.segments, own, strict=True):
                places = np.flatnonzero(self.flagged[timeline.order[part]])
                if not len(places) or len(stretch) < self._parts.state.window:
                    continue
                shares = self.shares_at(stretch, places, self.seconds[timeline.order[part.start]])
                self._share_of[timeline.order[part][places]] = np.arange(count, count + len(places))
                found.append(shares)
                count += len(places)
        self._shares = np.concatenate(found)

    def shares_at(self, stretch: Matrix, places: Integers, start: float) -> Matrix:
        """What each column contributed [places, columns] to the errors of steps of a stretch.

        The stretch is as the model is given it and begins `start` seconds after 1970. Call it within
        `single_threaded`.
        """
        columns = {name: index for index, name in enumerate(self.columns)}
        channels = self._channel_errors(stretch, places, round(start / self._parts.state.step))
        shares = np.zeros((len(places), len(columns)), dtype=np.float32)
        for channel, name in enumerate(Channels.of(self._detector.encoder).owners):
            shares[:, columns[name]] += channels[:, channel]
        return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), np.float32(1e-30)))

    def _channel_errors(self, stretch: Matrix, places: Integers, tick: int) -> Matrix:
        """Errors [places, channels] of steps, averaged over some of the windows that contain them.

        Which windows these are follows from the number of steps since 1970 at the start of the
        stretch, `tick`, and not from where a file begins.
        """
        window = self._parts.state.window
        count = len(stretch) - window + 1
        causal = self._detector.config.series.causal
        low = np.clip(places - window + 1, 0, count - 1)
        high = np.minimum(low if causal else places, count - 1) + 1
        wanted = np.zeros(count + 1, dtype=np.int64)
        np.add.at(wanted, low, 1)
        np.add.at(wanted, high, -1)
        every = 1 if causal else max(1, window // _BLAMED_WINDOWS)
        taken = (np.arange(count) + tick) % every == 0
        # Near the ends a step is in few windows.
        taken[[0, -1]] = True
        taken &= np.cumsum(wanted)[:-1] > 0
        starts = np.flatnonzero(taken)
        inside = np.arange(window)
        each = np.zeros((count, stretch.shape[1]))
        for begin in range(0, len(starts), BLOCK_ROWS):
            some = starts[begin : begin + BLOCK_ROWS]
            windows = stretch[some[:, None] + inside]
            each[some] = window_errors(self._detector.members, windows, self._detector.device).mean(axis=1)
        sums = np.concatenate([np.zeros((1, each.shape[1])), np.cumsum(each, axis=0)])
        counts = np.concatenate([[0], np.cumsum(taken)])
        return np.asarray((sums[high] - sums[low]) / (counts[high] - counts[low])[:, None], dtype=np.float32)


def _place(source: Input, before: int, index: int) -> str:
    return f"{source.name}: {source.locate(before + index + 1)}"


def _of_rows_from(events: Sequence[Event], known: int, scores: Floats) -> list[Event]:
    """The events with rows from number `known` on, without the rows before, numbered anew."""
    counts: dict[int, int] = {}
    found = []
    for event in events:
        rows = event.rows[event.rows >= known]
        if len(rows):
            counts[event.series] = counts.get(event.series, 0) + 1
            peak = int(rows[np.argmax(scores[rows])])
            found.append(replace(event, number=counts[event.series], rows=rows, peak=peak))
    return found
