"""All conditions of a table side by side, and how many of some rows each of them holds of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.tasks.explain.segments import contrast
from aedetect.tasks.explain.segments.coded_table import CodedTable
from aedetect.tasks.explain.segments.conditions import LEAST_ROWS, CodedColumn, Condition


@dataclass(frozen=True)
class Counts:
    """Rows by condition, among some rows: `hits` flagged, `units` what they count for, `others` not flagged.

    `restated`: flagged rows of which the condition's own column is to blame. [conditions] each; the same with
    `all_` are sums over all rows.
    """

    hits: Floats
    restated: Floats
    units: Floats
    others: Floats
    all_hits: float
    all_units: float
    all_others: float

    @property
    def strengths(self) -> Floats:
        """How strong each condition is among these rows [conditions]."""
        return self.strengths_among(self)

    def strengths_among(self, rows: Counts) -> Floats:
        """The same where these rows are a part of others."""
        return contrast.likelihood_ratio(self.units, self.others, rows.all_units, rows.all_others)

    def chance_among(self, rows: Counts, place: int) -> float:
        """How seldom condition number `place` has so many flagged rows by chance."""
        return contrast.chance(self.units[place], self.others[place], rows.all_units, rows.all_others)


class AllConditions:
    """The conditions of all columns of a table, by number."""

    def __init__(self, table: CodedTable):
        self._table = table
        sizes = np.array([len(each) for each in table.columns], dtype=np.int64)
        self._column: Integers = np.repeat(np.arange(len(sizes)), sizes)
        self._place: Integers = np.arange(len(self._column)) - (np.cumsum(sizes) - sizes)[self._column]
        held = np.flatnonzero(table.flagged)
        self._weights = (
            float(table.weights[held[0]]) if len(held) else 1.0,
            float(table.weights[~table.flagged][0]) if len(held) < len(table) else 1.0,
        )

    @cached_property
    def names(self) -> Integers:
        """The number of the column of each condition [conditions]; values and ranges of one share it."""
        names = [each.column for each in self._table.columns]
        return np.array([names.index(name) for name in names], dtype=np.int64)[self._column]

    @cached_property
    def are_ranges(self) -> Mask:
        """Which conditions are ranges [conditions]."""
        of_columns = [each.edges is not None for each in self._table.columns]
        return np.array(of_columns, dtype=np.bool_)[self._column]

    @cached_property
    def are_numbers(self) -> Mask:
        """Which conditions are single numbers [conditions]."""
        of_columns = [each.of_numbers for each in self._table.columns]
        return np.array(of_columns, dtype=np.bool_)[self._column]

    @cached_property
    def every(self) -> Counts:
        """Counts among all rows."""
        return self.counts(np.arange(len(self._table)))

    @cached_property
    def looked_at(self) -> Mask:
        """Conditions of enough rows to say that flagged ones are frequent [conditions]."""
        return self.every.hits + self.every.others >= LEAST_ROWS

    @cached_property
    def pairs(self) -> int:
        """How many pairs there are of conditions of different columns."""
        of_name = np.bincount(self.names[self.looked_at])
        return int((int(self.looked_at.sum()) ** 2 - (of_name**2).sum()) // 2)

    def counts(self, rows: Integers) -> Counts:
        """How many of `rows`, given by their numbers, each condition holds of."""
        table = self._table
        hits, others = rows[table.flagged[rows]], rows[~table.flagged[rows]]
        units = table.units[hits]
        return Counts(
            self._totals(lambda each: each.totals(hits)),
            self._totals(lambda each: each.totals(self._blamed(hits, each.learned))),
            self._totals(lambda each: each.totals(hits, units)),
            self._totals(lambda each: each.totals(others)),
            float(len(hits)),
            float(units.sum()),
            float(len(others)),
        )

    def restated(self, rows: Integers, place: int) -> Floats:
        """By condition, of how many flagged ones of `rows` the column of condition `place` is to blame."""
        learned = self._table.columns[int(self._column[place])].learned
        hits = self._blamed(rows[self._table.flagged[rows]], learned)
        return self._totals(lambda each: each.totals(hits))

    def hits(self, counts: Counts) -> Floats:
        """How many flagged rows of the input the `counts` stand for [conditions]."""
        return np.asarray(counts.hits * self._weights[0])

    @property
    def all_hits(self) -> float:
        """How many rows of the input are flagged."""
        return self.every.all_hits * self._weights[0]

    def flagged_of(self, rows: Mask) -> int:
        """How many of `rows` [rows] are flagged."""
        return int((rows & self._table.flagged).sum())

    def shares(self, counts: Counts) -> Floats:
        """The share of flagged rows among those of each condition [conditions]."""
        hits, others = self.hits(counts), counts.others * self._weights[1]
        return np.asarray(hits / np.maximum(hits + others, 1e-300))

    def stand_out(self, inside: Counts, among: Counts) -> Mask:
        """Which conditions hold of rows that are flagged far more often than others `among` them."""
        flagged, other = self._weights
        every = among.all_hits * flagged, among.all_others * other
        return contrast.stands_out(inside.hits * flagged, inside.others * other, *every)

    def rows_stand_out(self, rows: Mask) -> bool:
        """Whether `rows` [rows] are flagged far more often than all others."""
        flagged, other = self._weights
        hits, others = self._hits_and_others(rows)
        every = self.every.all_hits * flagged, self.every.all_others * other
        return bool(contrast.stands_out(np.array(hits * flagged), np.array(others * other), *every))

    def strength(self, rows: Mask) -> float:
        """How strong a segment is that holds of `rows` [rows]."""
        units = self._table.units[rows & self._table.flagged].sum()
        _, others = self._hits_and_others(rows)
        every = self.every.all_units, self.every.all_others
        return float(contrast.likelihood_ratio(np.array(units), np.array(others), *every))

    def likeness(self, rows: Mask) -> Floats:
        """How nearly each condition holds of `rows` [rows] and no others: Jaccard's index [conditions]."""
        weights, inside = self._table.weights, np.flatnonzero(rows)
        common = self._totals(lambda each: each.totals(inside, weights[inside]))
        within = self._totals(lambda each: each.totals(np.arange(len(rows)), weights))
        return np.asarray(common / (weights[inside].sum() + within - common))

    def holds(self, place: int) -> Mask:
        """Which rows condition number `place` holds of [rows]."""
        return self._table.columns[int(self._column[place])].holds(int(self._place[place]))

    def condition(self, place: int) -> Condition:
        """Condition number `place` in words."""
        return self._table.columns[int(self._column[place])].condition(int(self._place[place]))

    def _hits_and_others(self, rows: Mask) -> tuple[float, float]:
        flagged = self._table.flagged
        return float((rows & flagged).sum()), float((rows & ~flagged).sum())

    def _blamed(self, hits: Integers, learned: int) -> Integers:
        """Those of some flagged rows of which a learned column is to blame; none for -1."""
        if learned < 0:
            return hits[:0]
        return np.asarray(hits[(self._table.blamed[hits] == learned).any(axis=1)])

    def _totals(self, of: Callable[[CodedColumn], Floats]) -> Floats:
        return np.concatenate([np.zeros(0), *map(of, self._table.columns)])
