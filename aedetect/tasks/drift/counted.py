"""What is counted of new rows, and what is known of those of training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from aedetect.data.arrays import Mask
from aedetect.data.features import Encoded
from aedetect.data.likeness import NameCounts
from aedetect.data.reference import Array, Sketch, count_cells, quantile_edges


class ScoreSketch:
    """How scores are spread, over the quantiles of the calibration rows' scores.

    `left_out`: the share of the rows, those of the highest scores, that were taken for anomalies and are
    not among the calibration rows.
    """

    def __init__(self, calibration: Array, left_out: float = 0.0):
        self.edges = quantile_edges(calibration)
        self.reference = count_cells(self.edges, calibration)
        self.reference[-1] += round(len(calibration) * left_out / (1 - left_out))
        self.counts = np.zeros_like(self.reference)

    def update(self, scores: Array) -> None:
        self.counts += count_cells(self.edges, scores[~np.isnan(scores)])

    def add(self, other: ScoreSketch) -> None:
        self.counts += other.counts


@dataclass(frozen=True)
class TrainingCounts:
    """How the training rows are spread. `empty`, `infinite`: rows left out since they hold no value, or an
    infinite one; None where such rows are learned as others are. `most_categories`: how many of a column
    are told apart at most."""

    sketch: Sketch
    empty: int | None
    infinite: int | None
    most_categories: int

    @property
    def rows(self) -> int:
        """All rows that training read, but known anomalies."""
        return self.sketch.rows + (self.empty or 0) + (self.infinite or 0)

    @property
    def leaves_out(self) -> bool:
        return self.empty is not None


@dataclass
class Counted:
    """How new rows and their scores are spread.

    `empty`, `infinite`: rows without a value, and with an infinite one, which are in none of the other
    counts. `unseen`: by column, the rare or unseen categories; `newly_filled`: the values of columns that
    were empty in training.
    """

    now: Sketch
    scores: ScoreSketch
    empty: int = 0
    infinite: int = 0
    unseen: dict[str, NameCounts] = field(default_factory=dict)
    newly_filled: dict[str, NameCounts] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All rows seen."""
        return self.now.rows + self.empty + self.infinite

    def update(self, encoded: Encoded, counting: Mask, leaves_out: bool) -> None:
        """Count those rows of a batch that `counting` [rows] says.

        With `leaves_out`, as training did, rows without a value or with an infinite one by themselves.
        """
        empty, infinite = encoded.empty & counting, encoded.infinite & counting & ~encoded.empty
        if leaves_out:
            self.empty += int(empty.sum())
            self.infinite += int(infinite.sum())
            counting = counting & ~(empty | infinite)
        self.now.update(encoded.matrix[counting], encoded.changed_constants[counting])
        _add(self.unseen, encoded.unseen)
        _add(self.newly_filled, encoded.newly_filled)

    def add(self, other: Counted) -> None:
        """Take in what was counted of other rows."""
        self.now.add(other.now)
        self.scores.add(other.scores)
        self.empty += other.empty
        self.infinite += other.infinite
        for mine, theirs in ((self.unseen, other.unseen), (self.newly_filled, other.newly_filled)):
            for name, counts in theirs.items():
                mine.setdefault(name, NameCounts()).merge(counts)


def _add(totals: dict[str, NameCounts], batch: Mapping[str, Counter[str]]) -> None:
    for name, counts in batch.items():
        totals.setdefault(name, NameCounts()).add(counts)
