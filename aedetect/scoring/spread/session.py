"""The scores of series that workers have judged, put together from their files, input by input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import AnyArray
from aedetect.data.series.context import SeriesContext
from aedetect.data.series.entities import Name
from aedetect.data.series.long_table import rows_as_read
from aedetect.errors import DataError, ModelError
from aedetect.io.source import Input
from aedetect.scoring.base import AdoptedState, NumberedBatch, Scores
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.silences import SilenceFinder
from aedetect.scoring.spread.verdict_files import (
    FLAGGED,
    UNSCORABLE,
    VERDICT,
    WARMUP,
    BucketFiles,
    share_record,
)
from aedetect.scoring.suppression import Reason


@dataclass(frozen=True)
class InputVerdicts:
    """What is said of an input: its number among all, warnings, why rows are muted, by row from 0.

    `failure`: why it could not be read.
    """

    place: int
    warnings: list[str] = field(default_factory=list)
    reasons: Mapping[int, Reason] = field(default_factory=dict)
    failure: DataError | ModelError | None = None


@dataclass(frozen=True)
class SpreadVerdicts:
    """Where the verdicts of all rows are: in the files of so many `buckets` in `folder`, which all share.

    `inputs`: by name. It can be pickled, for those who write outputs.
    """

    folder: str
    buckets: int
    inputs: Mapping[str, InputVerdicts]

    def session(self, fitted: FittedModel) -> SpreadSession:
        """What gives the scores of its inputs, under the model that they were judged by."""
        return SpreadSession(fitted, self)


@dataclass(frozen=True)
class AllSeries:
    """What is known of all series together: the table of events, silences, muted events, what lasted.

    `keeps_tails`: whether files tell what later runs are to know.
    """

    events: pa.Table
    silences: SilenceFinder
    muted_events: int
    adopted: Sequence[AdoptedState]
    keeps_tails: bool


class SpreadSession:
    """Gives the scores of rows that were judged before; see `scoring.base.ScoringSession`.

    `together`: what is known of all series; None where only rows are asked for. An input that cannot be read
    is met again when its scores are asked for. Raises OutputError where a file has gone.
    """

    independent = True

    def __init__(self, fitted: FittedModel, verdicts: SpreadVerdicts, together: AllSeries | None = None):
        self._fitted, self.verdicts, self._together = fitted, verdicts, together
        self._buckets = [BucketFiles(verdicts.folder, bucket) for bucket in range(verdicts.buckets)]
        # Of one input after the other, which several threads ask for at once.
        self._opened = lru_cache(maxsize=2)(self._open)

    def score(self, source: Input, batch: NumberedBatch) -> Scores:
        said, fitted = self.verdicts.inputs[source.name], self._fitted
        if said.failure:
            raise said.failure
        first, count = batch.first, len(batch.rows)
        scores, p_values = np.full(count, np.nan), np.full(count, np.nan)
        marks, events = np.zeros(count, np.uint8), np.zeros(count, np.int64)
        shares = np.zeros((count, len(fitted.columns)), dtype=np.float32)
        rows, of_flagged = self._opened(said.place)
        for part in _within(rows, first, count):
            places = part["row"] - first
            scores[places], p_values[places] = part["score"], part["p_value"]
            marks[places], events[places] = part["marks"], part["event"]
        for part in _within(of_flagged, first, count):
            shares[part["row"] - first] = part["shares"]
        numbers = said.reasons.keys() & set(range(first, first + count)) if said.reasons else ()
        return Scores(
            scores,
            p_values,
            (marks & FLAGGED) > 0,
            (marks & UNSCORABLE) > 0,
            shares,
            fitted.encoder.transform(rows_as_read(fitted.as_read(source), batch.rows, first + 1)),
            (marks & WARMUP) > 0,
            events,
            {number - first: said.reasons[number] for number in sorted(numbers)},
        )

    def warnings(self, source: Input) -> list[str]:
        return self.verdicts.inputs[source.name].warnings

    def events(self) -> pa.Table | None:
        return self._together.events if self._together is not None else None

    def silences(self) -> SilenceFinder | None:
        return self._together.silences if self._together is not None else None

    @property
    def muted_event_count(self) -> int:
        return self._together.muted_events if self._together is not None else 0

    def adopted_states(self) -> Sequence[AdoptedState]:
        return self._together.adopted if self._together is not None else ()

    def tails(self, source: Input) -> Mapping[Name, SeriesContext]:
        if self._together is None or not self._together.keeps_tails:
            return {}
        place = self.verdicts.inputs[source.name].place
        each = [tail for bucket in self._buckets for tail in bucket.tails(place)]
        return {name: context for _, name, context in sorted(each, key=lambda tail: tail[0])}

    def _open(self, place: int) -> tuple[list[AnyArray], list[AnyArray]]:
        """The verdicts of an input's rows, bucket by bucket, and the shares of those that are flagged."""
        share = share_record(len(self._fitted.columns))
        rows = [bucket.read("rows", place, VERDICT) for bucket in self._buckets]
        return rows, [bucket.read("shares", place, share) for bucket in self._buckets]


def _within(parts: Sequence[AnyArray], first: int, count: int) -> Iterator[AnyArray]:
    """Of each part, which has rows in ascending order, those with so many numbers from `first` on."""
    for part in parts:
        low, high = np.searchsorted(part["row"], [first, first + count]).tolist()
        if high > low:
            yield part[low:high]
