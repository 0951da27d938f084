"""Opens a session over series whose inputs are cut, and whose series are judged, by workers."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from aedetect.data.series.context import SeriesContext
from aedetect.data.series.entities import Name
from aedetect.engine.cluster import Lost, Workers
from aedetect.engine.divided import large_spans
from aedetect.errors import DataError, OutputError
from aedetect.io.source import Input
from aedetect.scoring.adoptions import adopted_in_words
from aedetect.scoring.base import PriorRows
from aedetect.scoring.event_table import with_silences
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.series import much_warmup
from aedetect.scoring.silences import SilenceFinder
from aedetect.scoring.spread.cutting import Cut, CutInput, CutRows, Cutter, Load
from aedetect.scoring.spread.folder import shared_folder
from aedetect.scoring.spread.judging import Adopted, BucketItem, Judge, JudgedBucket, Mute, PieceInput
from aedetect.scoring.spread.pieces import Pieces, bucket_of
from aedetect.scoring.spread.session import AllSeries, InputVerdicts, SpreadSession, SpreadVerdicts
from aedetect.scoring.suppression import Suppression

# A bucket is to hold about so many bytes of the inputs, and each worker is to get a few.
_BUCKET_BYTES, _BUCKETS_EACH, _MOST_BUCKETS = 64 << 20, 4, 1024
# Behind the series that were met.
_LAST = (float("inf"), 0)


@dataclass(frozen=True)
class Spreading:
    """Who judges series, and how. `load`: makes the model in another process; `mute`: what mutes rows there.

    `folder`: one that all workers share; None for that of temporary files. `buckets`: into how many parts
    the series are cut; None for as many as suit the inputs.
    """

    workers: Workers
    load: Load
    mute: Mute | None = None
    folder: str | None = None
    buckets: int | None = None


def why_not_spread(fitted: FittedModel, inputs: Sequence[Input]) -> str | None:
    """Why the series of a model cannot be judged apart, as a clause; None where they can."""
    assert fitted.series is not None
    state = fitted.series.state
    if not state.entity:
        return "the model knows no column that tells series apart (--entity): all rows are one series"
    if state.grid.phase is None:
        return "the model was made by an older version; retrain it to spread its series"
    if max(Counter(source.name for source in inputs).values(), default=1) > 1:
        return "two inputs have one name"
    return None


@contextlib.contextmanager
def spread_session(
    fitted: FittedModel,
    inputs: Sequence[Input],
    prior: PriorRows,
    spreading: Spreading,
    suppression: Suppression | None = None,
) -> Iterator[SpreadSession]:
    """A session over `inputs`, whose files are gone with the block; its verdicts are those of one machine.

    `suppression`: what `spreading.mute` makes, here, which says what did not apply to an input.
    Raises DataError or ModelError where the history cannot be used, OutputError where files cannot be written
    in the shared folder, or where workers keep dying of some series.
    """
    with shared_folder(spreading.folder or tempfile.gettempdir()) as folder:
        yield _Spread(fitted, inputs, prior, spreading, suppression, folder).session()


@dataclass(frozen=True)
class _Spread:
    """One run of all passes, with files in `folder`."""

    fitted: FittedModel
    inputs: Sequence[Input]
    prior: PriorRows
    spreading: Spreading
    suppression: Suppression | None
    folder: str

    def session(self) -> SpreadSession:
        """Cut, judge, and put together."""
        buckets = self.spreading.buckets or _buckets_for(self.inputs, self.spreading.workers.number)
        history, earlier = list(self.prior.history), list(self.prior.earlier)
        every = [*history, *self.inputs, *earlier]
        cut = self._cut(every, buckets)
        for one in cut[: len(history)]:
            if one.failure is not None:
                raise one.failure
        pieces = [
            PieceInput(source.name, one.pieces, one.failure) for source, one in zip(every, cut, strict=True)
        ]
        first, end = len(history), len(history) + len(self.inputs)
        whole = BucketItem(0, pieces[first:end], pieces[:first], pieces[end:])
        each = self._judged(whole, buckets)
        return self._together(cut[first:end], each, buckets)

    def _cut(self, every: Sequence[Input], buckets: int) -> list[CutInput]:
        """What is known of each input, once its rows, span by span, are cut into so many buckets."""
        assert self.fitted.series is not None
        items = [item for place, source in enumerate(every) for item in self._items(source, place)]
        cutter = Cutter(self.spreading.load, self.folder, buckets)
        parts: list[list[tuple[Pieces, CutRows]]] = [[] for _ in every]
        for item, one in zip(items, self.spreading.workers.map(cutter, items), strict=True):
            name = every[item.pieces.place].name
            said = _lost(name, one) if isinstance(one, Lost) else one
            parts[item.pieces.place].append((item.pieces, said))
        column = self.fitted.series.state.clock.column
        return [CutInput.of(source.name, column, each) for source, each in zip(every, parts, strict=True)]

    def _items(self, source: Input, place: int) -> list[Cut]:
        """An input as it is cut: a large file span by span."""
        # What is said of the names in a long table is of all of its rows.
        spans = large_spans(source) if self.fitted.long_table is None else []
        if not spans:
            return [Cut(source, Pieces(self.folder, place))]
        return [
            Cut(span, Pieces(self.folder, place, number, span.before)) for number, span in enumerate(spans)
        ]

    def _judged(self, whole: BucketItem, buckets: int) -> list[JudgedBucket]:
        """What came of each bucket of the inputs that `whole` names."""
        tails = self._tails(buckets)
        items = [replace(whole, bucket=bucket, **kept) for bucket, kept in enumerate(tails)]
        each = self._map(items)
        # What earlier runs left precedes all rows, or is held against them, of all series alike.
        if not self.prior.tails or all(one.precede for one in each):
            return each
        again = [replace(item, precede=False) for item, one in zip(items, each, strict=True) if one.precede]
        anew = iter(self._map(again))
        return [next(anew) if one.precede else one for one in each]

    def _tails(self, buckets: int) -> list[dict[str, Any]]:
        """What earlier runs left of the series of each bucket, and whether it precedes all rows, if known."""
        if self.prior.tails is None:
            return [{} for _ in range(buckets)]
        parts: list[dict[Name, tuple[int, SeriesContext]]] = [{} for _ in range(buckets)]
        for place, (name, context) in enumerate(self.prior.tails.items()):
            parts[bucket_of(name, buckets)][name] = place, context
        known = None if self.prior.tails else False
        return [{"tails": part, "precede": known if part or known is False else True} for part in parts]

    def _map(self, items: Sequence[BucketItem]) -> list[JudgedBucket]:
        judge = Judge(self.spreading.load, self.folder, self.spreading.mute)
        each = []
        for one in self.spreading.workers.map(judge, items):
            if isinstance(one, Lost):
                raise OutputError(
                    f"{one.deaths} workers ended over the same series, one after the other (out of memory?); "
                    "give each worker more"
                )
            each.append(one)
        return each

    def _together(self, cut: Sequence[CutInput], each: Sequence[JudgedBucket], buckets: int) -> SpreadSession:
        inputs = {}
        history = len(self.prior.history)
        lasted = [
            sorted((one for bucket in each for one in bucket.adopted[place]), key=lambda one: one.key)
            for place in range(history + len(cut))
        ]
        for place, (source, one) in enumerate(zip(self.inputs, cut, strict=True)):
            reasons = {row: why for bucket in each for row, why in bucket.reasons[place].items()}
            said = [] if one.failure else self._said(source, place, one, each, lasted[history + place])
            inputs[source.name] = InputVerdicts(place, said, reasons, one.failure)
        adopted = [one.state for of_input in lasted for one in of_input]
        verdicts = SpreadVerdicts(self.folder, buckets, inputs)
        muted, keeps_tails = sum(one.muted_events for one in each), self.prior.tails is not None
        together = AllSeries(*self._events(each), muted, adopted, keeps_tails)
        return SpreadSession(self.fitted, verdicts, together)

    def _said(
        self,
        source: Input,
        place: int,
        cut: CutInput,
        each: Sequence[JudgedBucket],
        lasted: Sequence[Adopted],
    ) -> list[str]:
        """The warnings of an input, in the order of one machine."""
        assert self.fitted.series is not None
        state = self.fitted.series.state
        times = each[0].times[place]
        for bucket in each[1:]:
            times.take(bucket.times[place])
        said = [*cut.before, *times.in_words(source.name, state.step, cut.after)]
        early = sum(bucket.warmup[place] for bucket in each)
        said += much_warmup(source.name, early, cut.rows, state.window)
        said += [f"{source.name}: {text}" for text in self._adopted_in_words(lasted)]
        if self.suppression is not None:
            for bucket in each:
                self.suppression.take(source, bucket.seen[place])
            said += self.suppression.notices(source)
        return said

    def _adopted_in_words(self, lasted: Sequence[Adopted]) -> list[str]:
        """What lasted, its rows called by their places in a list of moments."""
        assert self.fitted.series is not None
        clock = self.fitted.series.state.clock
        names = list(dict.fromkeys(one.name for one in lasted))
        moments = [moment for one in lasted for moment in (one.since, one.began)]
        numbers = {name: number for number, name in enumerate(names)}
        renumbered = [
            replace(
                one.adoption,
                row=2 * place,
                event=replace(one.adoption.event, series=numbers[one.name], rows=np.array([2 * place + 1])),
            )
            for place, one in enumerate(lasted)
        ]

        def moment(seconds: float) -> str:
            return clock.shown(seconds) + clock.zone_name

        return adopted_in_words(renumbered, names, lambda row: moment(moments[row]), moment)

    def _events(self, each: Sequence[JudgedBucket]) -> tuple[pa.Table, SilenceFinder]:
        """The events of all buckets in the order of one machine, with silences; and what found these."""
        assert self.fitted.series is not None
        tables = pa.concat_tables([one.events for one in each])
        order: list[tuple[Any, float]] = [key for one in each for key in one.event_order]
        by_series = sorted(range(len(order)), key=lambda row: order[row][0])
        finder, keys = each[0].silences, dict[Name, Any]()
        for bucket in each:
            keys |= bucket.keys
            if bucket is not each[0]:
                finder.take(bucket.silences)
        state = self.fitted.series.state
        table = with_silences(
            tables.take(pa.array(by_series, pa.int64())),
            [order[row] for row in by_series],
            finder.silences(),
            lambda name: keys.get(name, _LAST),
            _Named(state.entity, state.clock),
        )
        return table, finder


@dataclass(frozen=True)
class _Named:
    """How series are named and times are shown; see `event_table.NamedSeries`."""

    entity: Sequence[str]
    clock: Any


def _lost(name: str, lost: Lost) -> CutRows:
    return CutRows(
        failure=DataError(
            f"{name}: left out: {lost.deaths} workers ended over it, one after the other (out of memory?)"
        ),
        lost=True,
    )


def _buckets_for(inputs: Sequence[Input], workers: int) -> int:
    """Into how many parts the series of these inputs are cut."""
    size = 0
    for source in inputs:
        location = getattr(source, "location", None)
        with contextlib.suppress(OSError):
            size += os.path.getsize(location.path) if location is not None else 0
    return max(1, min(max(_BUCKETS_EACH * workers, size // _BUCKET_BYTES), _MOST_BUCKETS))
