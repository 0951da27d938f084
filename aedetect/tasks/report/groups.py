"""Flagged rows that are odd in the same way, told together: one failure does not fill the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Integers, Matrix
from aedetect.tasks.explain import Explanation
from aedetect.tasks.ranked_rows import RankedRow, TopRows
from aedetect.tasks.report.outcomes import OUTCOMES, Outcomes
from aedetect.tasks.scored_rows import ScoredBatch

if TYPE_CHECKING:
    from aedetect.data.features.encoder import FeatureEncoder
    from aedetect.scoring.fitted import FittedModel

# On which side of the middle of the training values a cell lies, or what else it is.
NO_SIDE, HIGH, LOW, MISSING, RARE = range(5)
SIDES = ("", "high", "low", "missing", "rare or new")
_NUMERIC, _CATEGORICAL, _OTHER = range(3)

# Number of an input, from 0, and of a row in it, from 1.
Place = tuple[int, int]
Key = tuple[str, str]


@dataclass
class Bin:
    """Flagged rows of one outcome whose error lies mostly in one column, on one side of its middle.

    `side`: one of SIDES. `first` and `last`: where the first and the last row stand. `rows`: the strangest
    that are to be explained, strangest first.
    """

    column: str
    side: str
    outcome: int
    count: int
    first: Place
    last: Place
    rows: list[RankedRow]


@dataclass(frozen=True)
class ShownRow:
    """A row explained, its outcome, one of OUTCOMES, and on which side of `column` it lies, one of SIDES."""

    explanation: Explanation
    outcome: int
    side: str = ""

    @property
    def column(self) -> str:
        """The column that the reason names first."""
        one = self.explanation
        named = (reason.column for reason in one.columns if one.sentence.startswith(reason.sentence))
        return next(named, one.columns[0].column)


@dataclass
class RowGroup:
    """Flagged rows with the same column to blame, on the same side of its middle.

    Of rows that are explained it is the column that the reason names first, of others the one with the
    largest part of the error. `outcomes` [outcomes]: how many there are. `first`, `last`: where they begin
    and end; None where that is not known. `rows`: those explained, the strangest first.
    """

    column: str
    side: str
    outcomes: Integers = field(default_factory=lambda: np.zeros(len(OUTCOMES), dtype=np.int64))
    first: Place | None = None
    last: Place | None = None
    rows: list[ShownRow] = field(default_factory=list)

    @property
    def count(self) -> int:
        return int(self.outcomes.sum())

    @property
    def unlisted(self) -> int:
        """How many are not explained, nor just like one that is."""
        return self.count - sum(row.explanation.duplicates for row in self.rows)


class GroupedRows:
    """Bins flagged rows as they stream by, and keeps about `most` of them: of each bin the strangest.

    The rows kept are dealt out in turns, one to each bin, so that every bin has one before any has two.
    """

    def __init__(self, fitted: FittedModel, most: int):
        self._most = most
        self._encoder, self._columns = fitted.encoder, fitted.columns
        self._kinds, self._features = _features(fitted.encoder, fitted.columns)
        self._bins: dict[int, Bin] = {}
        self._strangest: dict[int, TopRows] = {}

    def see(self, batch: ScoredBatch, outcomes: Outcomes, source: int) -> None:
        """One more batch, of input number `source`, from 0; `outcomes` [rows]."""
        scores = batch.scores
        rows = np.flatnonzero(scores.flagged)
        if not len(rows):
            return
        leading = scores.attribution[rows].argmax(axis=1)
        sides = self._sides(leading, scores.encoded.matrix[rows])
        codes = (leading * len(SIDES) + sides) * len(OUTCOMES) + outcomes[rows]
        for code in np.unique(codes).tolist():
            members = rows[codes == code]
            first, last = ((source, batch.first + int(members[end])) for end in (0, -1))
            if code not in self._bins:
                column, rest = divmod(code, len(SIDES) * len(OUTCOMES))
                side, outcome = divmod(rest, len(OUTCOMES))
                self._bins[code] = Bin(self._columns[column], SIDES[side], outcome, 0, first, last, [])
            self._bins[code].count += len(members)
            self._bins[code].last = last
            among = np.zeros(len(scores.flagged), dtype=np.bool_)
            among[members] = True
            self._strangest.setdefault(code, TopRows(self._most, flagged_only=True)).see(batch, among)
        self._forget()

    def bins(self) -> list[Bin]:
        """All bins, those with the strangest rows first."""
        ranked = self._ranked()
        counts = _dealt([len(self._strangest[code]) for code in ranked], self._most)
        for code, count in zip(ranked, counts, strict=True):
            self._bins[code].rows = self._strangest[code].ranking()[:count]
        return [self._bins[code] for code in dict.fromkeys([*ranked, *self._bins])]

    def side(self, row: RankedRow, column: str) -> str:
        """On which side of the middle of `column` a row lies."""
        leading = np.array([self._columns.index(column)])
        return SIDES[int(self._sides(leading, self._encoder.transform(row.cells).matrix)[0])]

    def _ranked(self) -> list[int]:
        """The bins of which rows are kept, by their code; that of the strangest row first."""
        highest = {code: rows.highest for code, rows in self._strangest.items()}
        known = [(row, -code) for code, row in highest.items() if row is not None]
        return [-code for _, code in sorted(known, reverse=True)]

    def _forget(self) -> None:
        """Drop rows that cannot come to be shown: a row's place among those of its bin only ever falls."""
        ranked = self._ranked()
        for code in ranked[self._most :]:
            del self._strangest[code]
        sizes = [len(self._strangest[code]) for code in ranked[: self._most]]
        if sum(sizes) <= self._most:
            return
        counts = _dealt(sizes, self._most)
        # In the last turn some bins have one row more than others, which any of them may be yet.
        for code in ranked[: self._most]:
            self._strangest[code].limit(max(counts))

    def _sides(self, leading: Integers, matrix: Matrix) -> Integers:
        """The side [rows] on which each row lies in its column `leading`; `matrix` [rows, features]."""
        kinds, features = self._kinds[leading], self._features[leading]
        values = matrix[np.arange(len(matrix)), features]
        sides = np.full(len(leading), NO_SIDE)
        numeric, categorical = kinds == _NUMERIC, kinds == _CATEGORICAL
        sides[numeric & (values > 0)] = HIGH
        sides[numeric & (values < 0)] = LOW
        sides[(numeric & np.isnan(values)) | (categorical & (values == 0))] = MISSING
        sides[categorical & (values == 1)] = RARE
        return sides


def grouped(bins: Sequence[Bin], shown: Callable[[RankedRow, int], ShownRow]) -> list[RowGroup]:
    """The groups that the rows of `bins` make once they are explained, that of the strangest row first.

    `shown` explains a row, whose outcome it is given. Groups without a row that is explained come last.
    """
    groups: dict[Key, RowGroup] = {}
    moved: set[Key] = set()
    for one in bins:
        home = groups.setdefault((one.column, one.side), RowGroup(one.column, one.side))
        home.outcomes[one.outcome] += one.count
        home.first = min(one.first, home.first or one.first)
        home.last = max(one.last, home.last or one.last)
        for ranked in one.rows:
            row = shown(ranked, one.outcome)
            group = groups.setdefault((row.column, row.side), RowGroup(row.column, row.side))
            group.rows.append(row)
            if group is not home:
                group.outcomes[one.outcome] += ranked.count
                home.outcomes[one.outcome] -= ranked.count
                moved |= {(one.column, one.side), (row.column, row.side)}
    for key in moved:
        groups[key].first = groups[key].last = None
    return _ordered(groups.values())


def _ordered(groups: Iterable[RowGroup]) -> list[RowGroup]:
    listed, others = [], []
    for group in groups:
        group.rows.sort(key=lambda row: -(row.explanation.score or 0.0))
        if group.rows:
            listed.append(group)
        elif group.count:
            others.append(group)
    listed.sort(key=lambda group: -(group.rows[0].explanation.score or 0.0))
    return listed + sorted(others, key=lambda group: -group.count)


def _features(encoder: FeatureEncoder, columns: Sequence[str]) -> tuple[Integers, Integers]:
    """Of each column [columns] its kind, and its feature in an encoded row; 0 for columns without one."""
    kinds, features = np.full(len(columns), _OTHER), np.zeros(len(columns), dtype=np.int64)
    places = {name: place for place, name in enumerate(columns)}
    feature = 0
    for number in encoder.state.numeric:
        # Of times of day, of truth values and of counters no side is the higher one.
        if not number.cycles and not number.counter and number.role != "boolean":
            kinds[places[number.column]], features[places[number.column]] = _NUMERIC, feature
        feature += number.width
    for vocabulary in encoder.state.categorical:
        kinds[places[vocabulary.column]], features[places[vocabulary.column]] = _CATEGORICAL, feature
        feature += 1
    return kinds, features


def _dealt(sizes: Sequence[int], most: int) -> list[int]:
    """How many of each bin's rows are shown, where `most` are dealt out in turns."""
    counts = [0] * len(sizes)
    left = min(most, sum(sizes))
    while left:
        for place, size in enumerate(sizes):
            if left and counts[place] < size:
                counts[place] += 1
                left -= 1
    return counts
