"""One scoring pass for those who want to see the rows and not write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from aedetect.engine.callbacks import Monitor
from aedetect.engine.summary import Counts
from aedetect.io.source import Input
from aedetect.scoring.series import Judge, judge_of
from aedetect.tasks.score import InputOutcome, Shape, full_schema, score_input

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.detector import Detector, Verdicts


@dataclass(frozen=True)
class Seen:
    """One batch of one input, judged. `first`: the number of its first row in that input, from 1."""

    source: Input
    first: int
    batch: pa.RecordBatch
    verdicts: Verdicts


@dataclass
class Sight:
    """What a pass came to: rows by outcome, and what is to be said of the inputs."""

    counts: Counts = field(default_factory=Counts)
    warnings: list[str] = field(default_factory=list)


def look(
    detector: Detector,
    inputs: Sequence[Input],
    threshold: float,
    see: Callable[[Seen], None],
    monitor: Monitor | None = None,
    judge: Judge | None = None,
) -> Sight:
    """Score the rows of all inputs in order and show them to `see`, a batch at a time.

    With `judge`, its verdicts on these inputs are shown, and nothing is judged anew.
    Raises DataError or ModelError where an input cannot be used.
    """
    monitor = monitor or Monitor()
    shape = Shape("none", series=detector.series is not None)
    judge = judge or judge_of(detector, inputs, threshold)
    sight = Sight()
    for source in inputs:
        monitor.stage(source.name)
        outcome = InputOutcome()
        first = 1

        def observe(batch: pa.RecordBatch, verdicts: Verdicts, source: Input = source) -> None:
            nonlocal first
            see(Seen(source, first, batch, verdicts))
            first += len(batch)

        score_input(
            detector, source, judge, _nowhere, full_schema([], shape), shape, outcome, monitor, observe
        )
        sight.counts.add(outcome.counts)
        sight.warnings += outcome.warnings
    for text in sight.warnings:
        monitor.notice(text)
    return sight


@dataclass(frozen=True, order=True)
class Find:
    """A row worth showing; the strangest compare highest, and of equals the first.

    `row`: its number in its input, from 1. `cells`: the row as a batch of one. `count`: rows that
    score just like it, itself among them.
    """

    score: float
    back: tuple[int, int]
    row: int = field(compare=False)
    source: Input = field(compare=False)
    cells: pa.RecordBatch = field(compare=False)
    p_value: float = field(compare=False)
    flagged: bool = field(compare=False)
    unscorable: bool = field(compare=False)
    shares: np.ndarray[tuple[int], np.dtype[np.float32]] = field(compare=False)
    count: int = field(compare=False, default=1)

    @property
    def place(self) -> str:
        """Where the row stands: 'row 7 (line 8)'."""
        return self.source.locate(self.row)


class Strangest:
    """Keeps the rows that score highest: all of them or only flagged ones.

    Rows of equal score and shares are one find: a table often repeats itself, and a hundred times
    the same row would hide all others.
    """

    def __init__(self, most: int, flagged_only: bool = False):
        self._most = most
        self._flagged_only = flagged_only
        self._kept: dict[tuple[float, bytes], Find] = {}
        self._counts: dict[tuple[float, bytes], int] = {}
        self._sources: list[Input] = []
        self._least = -np.inf

    def see(self, seen: Seen) -> None:
        if not self._sources or self._sources[-1] is not seen.source:
            self._sources.append(seen.source)
        verdicts = seen.verdicts
        wanted = ~verdicts.unscorable & (verdicts.flagged | (not self._flagged_only))
        candidates = np.flatnonzero(wanted & (verdicts.scores >= self._least))
        scores = verdicts.scores[candidates]
        distinct = np.unique(scores)[-self._most :]
        if not len(distinct):
            return
        for index in candidates[scores >= distinct[0]]:
            key = (float(verdicts.scores[index]), verdicts.shares[index].tobytes())
            if key not in self._kept:
                self._kept[key] = find(seen, int(index), len(self._sources))
            self._counts[key] = self._counts.get(key, 0) + 1
        # The least score kept only ever rises: what is dropped here never comes back, and the
        # counts of what stays are complete.
        for key in sorted(self._kept, key=lambda key: self._kept[key], reverse=True)[self._most :]:
            del self._kept[key], self._counts[key]
        if len(self._kept) == self._most:
            self._least = min(score for score, _ in self._kept)

    def found(self) -> list[Find]:
        """The strangest rows, strangest first, each with how many there are like it."""
        found = [replace(one, count=self._counts[key]) for key, one in self._kept.items()]
        return sorted(found, reverse=True)


def find(seen: Seen, index: int, order: int = 0) -> Find:
    """Row `index` (from 0) of a batch; `order` numbers the input it came from."""
    verdicts = seen.verdicts
    row = seen.first + index
    return Find(
        float(verdicts.scores[index]),
        (-order, -row),
        row,
        seen.source,
        _copied(seen.batch, index),
        float(verdicts.p_values[index]),
        bool(verdicts.flagged[index]),
        bool(verdicts.unscorable[index]),
        verdicts.shares[index].copy(),
    )


def _copied(batch: pa.RecordBatch, index: int) -> pa.RecordBatch:
    """One row that does not keep the whole batch in memory."""
    import pyarrow as pa

    return batch.take(pa.array([index]))


def _nowhere(_: pa.RecordBatch) -> None:
    """What is only looked at goes nowhere."""
