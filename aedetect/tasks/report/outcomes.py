"""What became of each row: flagged or not and, where labels are known, rightly or wrongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappush, heapreplace
from typing import Any

import numpy as np

from aedetect.data.labels import ANOMALY, NORMAL, LabelReader, Marks
from aedetect.tasks.evaluate.labels import column_of
from aedetect.tasks.ranked_rows import RankedRow, ranked
from aedetect.tasks.scored_rows import ScoredBatch

# Outcomes by number. FLAGGED: without a label, be it that no row has one.
CALM, FLAGGED, HIT, FALSE_ALARM, MISS = range(5)
OUTCOMES = (CALM, FLAGGED, HIT, FALSE_ALARM, MISS)
ALARMS = (FLAGGED, HIT, FALSE_ALARM)
NAMES = {
    CALM: "not flagged",
    FLAGGED: "flagged",
    HIT: "hit",
    FALSE_ALARM: "false alarm",
    MISS: "miss",
}
PLURALS = {
    CALM: "not flagged",
    FLAGGED: "flagged, without a label",
    HIT: "hits",
    FALSE_ALARM: "false alarms",
    MISS: "misses",
}
# The same of rows of time series, which are flagged by the window: there events are hits or false alarms.
OF_SERIES = {
    CALM: "not flagged",
    FLAGGED: "flagged rows without a label",
    HIT: "labelled rows flagged",
    FALSE_ALARM: "other rows flagged",
    MISS: "labelled rows not flagged",
}
KINDS = {CALM: "calm", FLAGGED: "flagged", HIT: "hit", FALSE_ALARM: "false-alarm", MISS: "miss"}
MOST_MISSES = 10

Outcomes = np.ndarray[Any, np.dtype[np.int8]]


@dataclass(frozen=True)
class OutcomeCounts:
    """Rows by outcome [outcomes], and how many labelled anomalies have no score, which are none of these."""

    rows: tuple[int, ...]
    unscorable_anomalies: int = 0

    def __getitem__(self, outcome: int) -> int:
        return self.rows[outcome]


class OutcomeReader:
    """Outcomes of batch after batch, counted; without `labels` rows are flagged or not.

    `remember`: whether the labels of all rows are kept, in `marks`.
    """

    def __init__(self, labels: LabelReader | None, remember: bool = False):
        self.labels, self._remember = labels, remember
        self._marks: list[Marks] = []
        self._rows = np.zeros(len(OUTCOMES), dtype=np.int64)
        self._unscorable = 0

    def read(self, batch: ScoredBatch) -> Outcomes:
        """Of each row [rows]; one that cannot be scored counts as not flagged.

        Raises UsageError where the label column is not there, DataError where a label cannot be read.
        """
        scores = batch.scores
        outcomes = np.where(scores.flagged, FLAGGED, CALM).astype(np.int8)
        if self.labels is not None:
            marks = self.labels.read(column_of(batch, self.labels.column, "--label"), _place_in(batch))
            if self._remember:
                self._marks.append(marks)
            outcomes[scores.flagged & (marks == ANOMALY)] = HIT
            outcomes[scores.flagged & (marks == NORMAL)] = FALSE_ALARM
            outcomes[~scores.flagged & ~scores.unscorable & (marks == ANOMALY)] = MISS
            self._unscorable += int((scores.unscorable & (marks == ANOMALY)).sum())
        self._rows += np.bincount(outcomes, minlength=len(OUTCOMES))
        return outcomes

    @property
    def marks(self) -> Marks | None:
        """The labels of all rows that were read, [rows]; None without labels."""
        return np.concatenate([np.empty(0, np.int8), *self._marks]) if self.labels is not None else None

    @property
    def counts(self) -> OutcomeCounts:
        return OutcomeCounts(tuple(self._rows.tolist()), self._unscorable)


def _place_in(batch: ScoredBatch) -> Callable[[int], str]:
    return lambda index: f"{batch.source.name}: {batch.source.locate(batch.first + index)}"


class WorstMisses:
    """Keeps the `most` missed rows that score lowest: those that look most ordinary."""

    def __init__(self, most: int = MOST_MISSES):
        self._most = most
        self._heap: list[tuple[float, int, RankedRow]] = []
        self._count = 0

    def see(self, batch: ScoredBatch, outcomes: Outcomes) -> None:
        """One more batch; `outcomes` [rows]."""
        missed = np.flatnonzero(outcomes == MISS)
        lowest = missed[np.argsort(batch.scores.scores[missed], kind="stable")[: self._most]]
        for index in lowest.tolist():
            score = float(batch.scores.scores[index])
            if len(self._heap) == self._most and -score <= self._heap[0][0]:
                break
            # Of equal scores the first comes first.
            self._count += 1
            entry = (-score, -self._count, ranked(batch, index))
            if len(self._heap) < self._most:
                heappush(self._heap, entry)
            else:
                heapreplace(self._heap, entry)

    def ranking(self) -> list[RankedRow]:
        """The lowest score first."""
        return [row for _, _, row in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]
