"""Pass 2: the series of a bucket are judged by a session of their own, over their rows of all inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import AnyArray, Integers
from aedetect.data.series.context import SeriesContext
from aedetect.data.series.entities import Name
from aedetect.data.series.row_records import rows_of
from aedetect.data.series.row_store import RowStore
from aedetect.errors import DataError, ModelError
from aedetect.io.source import Input, Reader, TableInput
from aedetect.scoring.adoptions import Adoption, rows_within
from aedetect.scoring.base import AdoptedState, PriorRows
from aedetect.scoring.event_table import event_table
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.series import SeriesScorer, SeriesSession
from aedetect.scoring.series_reader import SeriesReader, Taken, TimesSeen
from aedetect.scoring.silences import SilenceFinder
from aedetect.scoring.spread.cutting import Load, check_shared
from aedetect.scoring.spread.pieces import Pieces
from aedetect.scoring.spread.verdict_files import (
    FLAGGED,
    UNSCORABLE,
    WARMUP,
    BucketFiles,
    Key,
    shares_of,
    verdicts,
)
from aedetect.scoring.suppression import Reason, Suppression

# What mutes rows, made in another process; it can be pickled.
Mute = Callable[[FittedModel], Suppression | None]


@dataclass(frozen=True)
class PieceInput:
    """Stands for an input of which only the series of one bucket are read, from files of pass 1."""

    name: str
    pieces: Sequence[Pieces]
    failure: DataError | ModelError | None
    is_text: bool = False

    def open(self, batch_rows: int) -> Reader:
        """A table of nothing: its rows are read as those of series alone."""
        return TableInput(pa.table({}), self.name).open(batch_rows)

    def locate(self, row: int) -> str:
        return f"row {row}"


@dataclass(frozen=True)
class BucketItem:
    """A bucket that is to be judged.

    `history`, `earlier`: inputs before those that are judged; see `PriorRows`. `tails`: of series in this
    bucket, with their places among all; None where no run keeps any. `precede`: whether what is kept comes
    before all rows of every bucket, as far as that is known.
    """

    bucket: int
    inputs: Sequence[PieceInput]
    history: Sequence[PieceInput] = ()
    earlier: Sequence[PieceInput] = ()
    tails: Mapping[Name, tuple[int, SeriesContext]] | None = None
    precede: bool | None = None


@dataclass(frozen=True)
class Adopted:
    """What lasted until it counted as normal, of the series `key`, called `name`.

    `began`, `since`: seconds since 1970 of the first row of the event, and of the first that is normal.
    """

    key: Key
    name: Name
    adoption: Adoption
    state: AdoptedState
    began: float
    since: float


@dataclass(frozen=True)
class JudgedBucket:
    """What came of a bucket, but for what is said of rows, which is in files.

    By input: `times`, `warmup` rows, `reasons` by row from 0, and what watchers have `seen` of it; `adopted`
    are those of the history, then those of the inputs. `events`: the table of events
    without silences, with the series and the first second of each in `event_order`. `keys`: those of all
    series, by name; empty where no silences are asked for. `precede`: whether what is kept of this bucket
    comes before all of its rows.
    """

    times: list[TimesSeen]
    warmup: list[int]
    adopted: list[list[Adopted]]
    reasons: list[dict[int, Reason]]
    seen: list[list[Any]]
    events: pa.Table
    event_order: list[tuple[Key, float]]
    muted_events: int
    silences: SilenceFinder
    keys: dict[Name, Key] = field(default_factory=dict)
    precede: bool = True


@dataclass(frozen=True)
class Judge:
    """Makes what judges buckets, with files in `folder`; `mute`: what mutes rows, None for nothing."""

    load: Load
    folder: str
    mute: Mute | None = None

    def __call__(self, threads: int) -> Callable[[BucketItem], JudgedBucket]:
        fitted = self.load(threads)
        check_shared(self.folder)
        return lambda item: judged(fitted, self.mute, item, BucketFiles(self.folder, item.bucket))


class PieceReader(SeriesReader):
    """Reads the rows of one bucket from the files of pass 1.

    `numbers_in`: of each input that was read, by its id, the numbers of its rows in the whole of it. `keys`
    [series]: where each series was first met.
    """

    def __init__(self, fitted: FittedModel, item: BucketItem):
        assert fitted.series is not None
        super().__init__(fitted, fitted.series)
        self._bucket = item.bucket
        self.numbers_in: dict[int, Integers] = {}
        self.keys: list[Key] = []

    def met_before(self, tails: Mapping[Name, tuple[int, SeriesContext]]) -> None:
        """Series that earlier runs left are known before any input is read, where a time zone is."""
        for name, (place, _) in tails.items():
            self._met(name, (-1, place))

    def read(self, source: Input, taken: Taken, store: RowStore) -> None:
        assert isinstance(source, PieceInput)
        first, parts = len(store), [np.empty(0, np.int64)]
        for pieces in source.pieces:
            part = pieces.of(self._bucket)
            met = [
                self._met(name, (pieces.place, (pieces.span << 32) + local))
                for local, name in zip(part.local.tolist(), part.names, strict=True)
            ]
            if source.failure is not None:
                continue
            series = np.array(met, np.int64)
            for records, numbers in part.records():
                owners = series[np.searchsorted(part.local, records["series"])]
                rows = rows_of(records, owners)
                if self._series.state.clock.zone is not None:
                    seconds = self.times.instants(rows.seconds, records["offset"], owners)
                    rows = replace(rows, seconds=seconds)
                store.add(rows)
                parts.append(numbers)
        if source.failure is not None:
            raise source.failure
        self.numbers_in[id(source)] = np.concatenate(parts)
        taken.times = self._times_seen(store.by_series(first))

    def _met(self, name: Name, key: Key) -> int:
        number = self.entities.number_of(name)
        if number == len(self.keys):
            self.keys.append(key)
        return number


def judged(fitted: FittedModel, mute: Mute | None, item: BucketItem, files: BucketFiles) -> JudgedBucket:
    """Judge the series of a bucket; what is said of rows goes to `files`."""
    reader = PieceReader(fitted, item)
    tails = None
    if item.tails is not None:
        tails = {name: context for name, (_, context) in item.tails.items()}
        if fitted.series is not None and fitted.series.state.clock.zone is not None:
            reader.met_before(item.tails)
    prior = PriorRows(item.history, tails, item.earlier, item.precede)
    suppression = mute(fitted) if mute else None
    session = SeriesSession(SeriesScorer(fitted), item.inputs, prior, suppression, False, reader=reader)
    bucket = _Bucket(session, reader, item, suppression)
    files.write("rows", map(bucket.verdicts, item.inputs))
    files.write("shares", map(bucket.shares, item.inputs))
    if tails is not None:
        files.write_tails(map(bucket.tails, item.inputs))
    return bucket.summary()


@dataclass(frozen=True)
class _Bucket:
    """A bucket that was judged."""

    session: SeriesSession
    reader: PieceReader
    item: BucketItem
    suppression: Suppression | None

    def verdicts(self, source: PieceInput) -> AnyArray:
        """What is said of the rows of an input."""
        numbers, part = self._rows(source)
        session = self.session
        marks = session.flagged[part] * FLAGGED + session.unscorable[part] * UNSCORABLE
        marks = marks + session.warmup[part] * WARMUP
        return verdicts(numbers, session.scores[part], session.p_values[part], session.event_of[part], marks)

    def shares(self, source: PieceInput) -> AnyArray:
        """What each column contributed to the rows of an input that are flagged or muted."""
        numbers, part = self._rows(source)
        shown = self.session.shown_within(part)
        return shares_of(numbers[shown], self.session.row_shares(part.start + shown))

    def tails(self, source: PieceInput) -> list[tuple[Key, Name, SeriesContext]]:
        """What a later run is to know of the series of an input."""
        if source.failure is not None:
            return []
        entities = self.reader.entities
        return [
            (self.reader.keys[entities.number_of(name)], name, context)
            for name, context in self.session.tails(source).items()
        ]

    def summary(self) -> JudgedBucket:
        """All else that came of it."""
        session, keys = self.session, self.reader.keys
        table = event_table(session)
        first = [float(session.seconds[event.rows[0]]) for event in session.found_events]
        finder = session.silences()
        asked = finder.limit is not None
        return JudgedBucket(
            [self.reader.taken[id(source)].times for source in self.item.inputs],
            [int(self.session.warmup[self._rows(source)[1]].sum()) for source in self.item.inputs],
            [self._adopted(source) for source in (*self.item.history, *self.item.inputs)],
            [self._reasons(source) for source in self.item.inputs],
            [self.suppression.seen(source) if self.suppression else [] for source in self.item.inputs],
            table,
            [(keys[event.series], at) for event, at in zip(session.found_events, first, strict=True)],
            session.muted_event_count,
            finder,
            dict(zip(session.names, keys, strict=True)) if asked else {},
            session.precede or not self.item.tails,
        )

    def _rows(self, source: PieceInput) -> tuple[Integers, slice]:
        """The numbers of an input's rows in the whole of it, and where the session has them."""
        if source.failure is not None:
            return np.empty(0, np.int64), slice(0, 0)
        first, count = self.session.span(source)
        return self.reader.numbers_in[id(source)], slice(first, first + count)

    def _adopted(self, source: PieceInput) -> list[Adopted]:
        _, part = self._rows(source)
        session = self.session
        each = rows_within(session.adoptions, part.start, part.stop - part.start)
        return [
            Adopted(
                self.reader.keys[one.event.series],
                session.names[one.event.series],
                one,
                session.adopted_state(one),
                float(session.seconds[one.event.rows[0]]) if one.began is None else one.began,
                float(session.seconds[one.row]),
            )
            for one in each
        ]

    def _reasons(self, source: PieceInput) -> dict[int, Reason]:
        numbers, part = self._rows(source)
        reasons = self.session.reasons_within(part)
        return {int(numbers[place]): reason for place, reason in reasons.items()}
