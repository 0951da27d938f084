"""Rows worth showing: the strangest of a pass, duplicates told once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import Mask
from aedetect.io.source import Input
from aedetect.scoring.suppression import Reason
from aedetect.tasks.scored_rows import ScoredBatch


@dataclass(frozen=True, order=True)
class RankedRow:
    """A row worth showing; the strangest compare highest, and of equals the first.

    `row`: its number in its input, from 1. `cells`: the row as a batch of one. `attribution` [columns]: each
    column's share in its error. `count`: rows that score just like it, itself among them. `muted`: why it is
    not flagged although it scores above the threshold.
    """

    score: float
    back: tuple[int, int]
    row: int = field(compare=False)
    source: Input = field(compare=False)
    cells: pa.RecordBatch = field(compare=False)
    p_value: float = field(compare=False)
    flagged: bool = field(compare=False)
    unscorable: bool = field(compare=False)
    attribution: np.ndarray[tuple[int], np.dtype[np.float32]] = field(compare=False)
    count: int = field(compare=False, default=1)
    muted: Reason | None = field(compare=False, default=None)

    @property
    def place(self) -> str:
        """Where the row stands: 'row 7 (line 8)'."""
        return self.source.locate(self.row)


class TopRows:
    """Keeps the rows that score highest: all of them or only flagged ones.

    Rows of equal score and attribution are shown once: a table often repeats itself, and a hundred
    times the same row would hide all others.
    """

    def __init__(self, most: int, flagged_only: bool = False):
        self._most = most
        self._flagged_only = flagged_only
        self._rows: dict[tuple[float, bytes], RankedRow] = {}
        self._counts: dict[tuple[float, bytes], int] = {}
        self._sources: list[Input] = []
        self._least = -np.inf

    def see(self, batch: ScoredBatch, among: Mask | None = None) -> None:
        """One more batch; with `among` [rows] those rows of it alone."""
        if not self._sources or self._sources[-1] is not batch.source:
            self._sources.append(batch.source)
        scores = batch.scores
        wanted = ~scores.unscorable & (scores.flagged | (not self._flagged_only))
        if among is not None:
            wanted &= among
        candidates = np.flatnonzero(wanted & (scores.scores >= self._least))
        high = scores.scores[candidates]
        distinct = np.unique(high)[-self._most :]
        if not len(distinct):
            return
        for index in candidates[high >= distinct[0]]:
            key = (float(scores.scores[index]), scores.attribution[index].tobytes())
            if key not in self._rows:
                self._rows[key] = ranked(batch, int(index), len(self._sources))
            self._counts[key] = self._counts.get(key, 0) + 1
        self._cut()

    def limit(self, most: int) -> None:
        """From now on keep `most` rows, no more than before and at least one."""
        self._most = min(most, self._most)
        self._cut()

    @property
    def highest(self) -> RankedRow | None:
        """The strangest row, None where there is none."""
        return max(self._rows.values(), default=None)

    def __len__(self) -> int:
        return len(self._rows)

    def ranking(self) -> list[RankedRow]:
        """The strangest rows, strangest first, each with how many there are like it."""
        rows = [replace(one, count=self._counts[key]) for key, one in self._rows.items()]
        return sorted(rows, reverse=True)

    def _cut(self) -> None:
        # The least score kept only ever rises: what is dropped here never comes back, and the
        # counts of what stays are complete.
        for key in sorted(self._rows, key=lambda key: self._rows[key], reverse=True)[self._most :]:
            del self._rows[key], self._counts[key]
        if len(self._rows) == self._most:
            self._least = min(score for score, _ in self._rows)


def ranked(batch: ScoredBatch, index: int, order: int = 0) -> RankedRow:
    """Row `index` (from 0) of a batch; `order` numbers the input it came from."""
    scores = batch.scores
    row = batch.first + index
    return RankedRow(
        float(scores.scores[index]),
        (-order, -row),
        row,
        batch.source,
        _copied(batch.rows, index),
        float(scores.p_values[index]),
        bool(scores.flagged[index]),
        bool(scores.unscorable[index]),
        scores.attribution[index].copy(),
        muted=scores.reasons.get(index),
    )


def _copied(batch: pa.RecordBatch, index: int) -> pa.RecordBatch:
    """One row that does not keep the whole batch in memory."""
    return batch.take(pa.array([index]))
