"""The strangest flagged rows of a run over tables, for the message on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aedetect.engine.task import Consumer, FileSummary, Processed, RemoteConsumer, Task
from aedetect.io.source import Input
from aedetect.tasks.notify.wording import REASONS
from aedetect.tasks.ranked_rows import RankedRow, TopRows
from aedetect.tasks.report.bins import ScoreHistogram
from aedetect.tasks.scored_rows import ScoredBatch


@dataclass
class Seen:
    """What is kept of rows: the strangest flagged ones, and how all scores are spread."""

    histogram: ScoreHistogram
    strangest: list[RankedRow] = field(default_factory=list)

    def add(self, other: Seen) -> None:
        """Take in other rows, which came later."""
        self.histogram.counts += other.histogram.counts
        both = [*self.strangest, *other.strangest]
        self.strangest = sorted(both, key=lambda row: -row.score)[:REASONS]


class FlaggedRows(Consumer):
    """Keeps the strangest flagged rows of all inputs; those of an input that fails do not count."""

    def __init__(self, threshold: float):
        self._threshold = threshold
        self.seen = Seen(ScoreHistogram(threshold))
        self.begin_part()

    def begin_part(self) -> None:
        """Another input begins."""
        self._top, self._histogram = TopRows(REASONS, flagged_only=True), ScoreHistogram(self._threshold)

    def begin(self, source: Input) -> None:
        self.begin_part()

    def see(self, batch: Processed) -> None:
        self._top.see(ScoredBatch.of(batch))
        self._histogram.add(batch.result.detail.scores)

    def check(self, source: Input) -> None:
        self.seen.add(Seen(self._histogram, self._top.ranking()))

    def remote(self) -> RemoteConsumer:
        return _of_task

    def state(self) -> Seen:
        return self.seen

    def joined(self, states: Sequence[Seen]) -> Seen:
        total = Seen(ScoreHistogram(self._threshold))
        for state in states:
            total.add(state)
        return total

    def merge(self, source: Input, entry: FileSummary, state: Any) -> None:
        self.seen.add(state)


def _of_task(task: Task) -> Consumer:
    return FlaggedRows(task.fitted.threshold)  # type: ignore[attr-defined]
