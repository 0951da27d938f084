"""Segments in which flagged rows are far more frequent than elsewhere: one after the other, by what is new.

Subgroup discovery by sequential covering (Clark & Niblett, 1989; Lavrač et al., 2004). Conditions are ranked
by the log-likelihood ratio of flagged and other rows inside and outside (Dunning, 1993), and have to pass
Fisher's exact test, corrected for all that were looked at (Bonferroni). Once a segment is found, its rows are
set aside, so that the next one explains other rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.tasks.explain.segments.coded_table import CodedTable
from aedetect.tasks.explain.segments.conditions import LEAST_ROWS, Condition

# How seldom a segment may come about by chance, anywhere among all conditions.
CHANCE = 0.01
# A segment has so many flagged rows, is flagged so many times as often as the rest, and as all rows.
LEAST_FLAGGED, LEAST_RATIO, LEAST_LIFT = 5, 2.0, 1.5
# A pair of conditions is flagged so many times as often as either, and so much stronger than any single one.
PAIR_RATIO, PAIR_STRENGTH = 1.5, 1.1
MOST_SEGMENTS = 10
# Conditions that are tried together with all others, and of one column at most.
_MOST_PARENTS, _MOST_OF_COLUMN = 16, 2
# Candidates that are put to the test, the strongest first, before it is said that there is none.
_MOST_TESTED = 20
# Of two that are equally strong a value is said rather than a range.
_FOR_VALUES = 0.99
_ALIKE, _MOST_ALIKE = 0.95, 3


@dataclass(frozen=True)
class Chosen:
    """A segment: one condition or two, which rows of the table have them [rows], and the chance of that.

    `new` [rows]: the rows that are in no segment before. `chance`: of as many flagged rows, after correction.
    `alike`: conditions of other columns that hold of nearly the same rows.
    """

    conditions: tuple[Condition, ...]
    rows: Mask
    new: Mask
    chance: float
    alike: tuple[Condition, ...]


@dataclass(frozen=True)
class Counts:
    """Rows by condition, among some rows: `hits` flagged, `units` what they count for, `others` not flagged.

    [conditions] each; the same with `all_` are sums over all rows.
    """

    hits: Floats
    units: Floats
    others: Floats
    all_hits: float
    all_units: float
    all_others: float


@dataclass(frozen=True)
class _Candidate:
    """A condition, or two, by their numbers; `strength` ranks it, `chance` is corrected."""

    places: tuple[int, ...]
    strength: float
    chance: float


class SegmentSearch:
    """Looks through the conditions of a table, and through pairs of them."""

    def __init__(self, table: CodedTable):
        self._table = table
        sizes = np.array([len(each) for each in table.columns], dtype=np.int64)
        self._column: Integers = np.repeat(np.arange(len(sizes)), sizes)
        self._place: Integers = np.arange(len(self._column)) - (np.cumsum(sizes) - sizes)[self._column]
        names = {name: number for number, name in enumerate({each.column: 0 for each in table.columns})}
        name_of = np.array([names[each.column] for each in table.columns], dtype=np.int64)
        self._name = name_of[self._column]
        every = self._counts(np.arange(len(table)))
        self._looked_at: Mask = every.hits + every.others >= LEAST_ROWS
        ranges = np.array([each.edges is not None for each in table.columns], dtype=np.bool_)
        self._preference = np.where(ranges[self._column], _FOR_VALUES, 1.0)
        held = np.flatnonzero(table.flagged)
        self._weights = (
            float(table.weights[held[0]]) if len(held) else 1.0,
            float(table.weights[~table.flagged][0]) if len(held) < len(table) else 1.0,
        )

    @property
    def conditions(self) -> int:
        """How many conditions are looked at."""
        return int(self._looked_at.sum())

    @cached_property
    def pairs(self) -> int:
        """How many pairs there are of conditions of different columns."""
        of_name = np.bincount(self._name[self._looked_at])
        return int((self.conditions**2 - (of_name**2).sum()) // 2)

    def segments(self) -> Iterator[Chosen]:
        """The segments, each the strongest in the rows that are in none before."""
        table = self._table
        left = np.ones(len(table), dtype=np.bool_)
        for _ in range(MOST_SEGMENTS):
            best = self._best(np.flatnonzero(left))
            if best is None:
                return
            rows = np.logical_and.reduce([self._holds(place) for place in best.places])
            conditions = tuple(self._condition(place) for place in best.places)
            yield Chosen(conditions, rows, rows & left, best.chance, tuple(self._alike(rows, best.places)))
            left &= ~rows

    def _best(self, rows: Integers) -> _Candidate | None:
        counts = self._counts(rows)
        if counts.all_units < 1 or not counts.all_others:
            return None
        strengths = self._strengths(counts, counts) * self._preference
        single = self._single(counts, strengths)
        least = PAIR_STRENGTH * single.strength if single is not None else 0.0
        pair = self._pair(rows, counts, strengths, least)
        return pair or single

    def _single(self, counts: Counts, strengths: Floats) -> _Candidate | None:
        allowed = np.where(self._stands_out(counts, counts), strengths, 0.0)
        for place in _strongest(allowed, _MOST_TESTED).tolist():
            chance = min(_chance(counts, counts, place) * self.conditions, 1.0)
            if chance <= CHANCE:
                return _Candidate((place,), float(strengths[place]), chance)
        return None

    def _pair(self, rows: Integers, counts: Counts, strengths: Floats, least: float) -> _Candidate | None:
        """The strongest pair above `least` that says clearly more than either of its conditions."""
        best: _Candidate | None = None
        shares = self._shares(counts)
        for parent in self._parents(strengths):
            inside = rows[self._holds(parent)[rows]]
            both = self._counts(inside)
            pair_strengths = self._strengths(both, counts)
            more = self._shares(both) >= PAIR_RATIO * np.maximum(shares, shares[parent])
            allowed = more & self._stands_out(both, counts) & (self._name != self._name[parent])
            pair_strengths = np.where(allowed, pair_strengths, 0.0)
            for place in _strongest(pair_strengths, _MOST_TESTED).tolist():
                if pair_strengths[place] <= (best.strength if best is not None else least):
                    break
                chance = min(_chance(both, counts, place) * self.pairs, 1.0)
                beside = max(_chance(both, both, place), _chance_within(both, counts, place))
                if chance <= CHANCE and beside * self.conditions <= CHANCE:
                    best = _Candidate((parent, place), float(pair_strengths[place]), chance)
                    break
        return best

    def _parents(self, strengths: Floats) -> list[int]:
        """The strongest conditions, few of each column: ranges of one column are much the same."""
        chosen: list[int] = []
        of_name: dict[int, int] = {}
        for place in np.argsort(-strengths, kind="stable").tolist():
            if strengths[place] <= 0 or len(chosen) == _MOST_PARENTS:
                break
            name = int(self._name[place])
            if of_name.get(name, 0) < _MOST_OF_COLUMN:
                of_name[name] = of_name.get(name, 0) + 1
                chosen.append(place)
        return chosen

    def _counts(self, rows: Integers) -> Counts:
        table = self._table
        hits, others = rows[table.flagged[rows]], rows[~table.flagged[rows]]
        units = table.units[hits]
        empty = [np.zeros(0)]
        return Counts(
            np.concatenate(empty + [each.totals(hits) for each in table.columns]),
            np.concatenate(empty + [each.totals(hits, units) for each in table.columns]),
            np.concatenate(empty + [each.totals(others) for each in table.columns]),
            float(len(hits)),
            float(units.sum()),
            float(len(others)),
        )

    def _shares(self, counts: Counts) -> Floats:
        """The share of flagged rows among those of each condition [conditions]."""
        hits, others = counts.hits * self._weights[0], counts.others * self._weights[1]
        return np.asarray(hits / np.maximum(hits + others, 1e-300))

    def _stands_out(self, inside: Counts, among: Counts) -> Mask:
        """Which conditions hold of rows that are flagged far more often than the others `among` them."""
        flagged, other = self._weights
        hits, others = inside.hits * flagged, inside.others * other
        all_hits, all_others = among.all_hits * flagged, among.all_others * other
        share = self._shares(inside)
        outside = np.maximum(all_hits - hits, 0) / np.maximum(all_hits + all_others - hits - others, 1.0)
        overall = all_hits / (all_hits + all_others)
        enough = hits >= LEAST_FLAGGED
        return np.asarray(
            self._looked_at & enough & (share >= LEAST_RATIO * outside) & (share >= LEAST_LIFT * overall)
        )

    def _strengths(self, inside: Counts, among: Counts) -> Floats:
        """The log-likelihood ratio of each condition [conditions]; 0 where no more rows are flagged."""
        hits, others = inside.units, inside.others
        hits_out, others_out = among.all_units - hits, among.all_others - others
        total = among.all_units + among.all_others
        within = hits + others
        strength = sum(
            _surprise(seen, row * column / total)
            for seen, row, column in (
                (hits, within, among.all_units),
                (others, within, among.all_others),
                (hits_out, total - within, among.all_units),
                (others_out, total - within, among.all_others),
            )
        )
        more = hits * among.all_others > others * among.all_units
        return np.where(more & self._looked_at, 2 * np.asarray(strength), 0.0)

    def _holds(self, place: int) -> Mask:
        return self._table.columns[int(self._column[place])].holds(int(self._place[place]))

    def _condition(self, place: int) -> Condition:
        return self._table.columns[int(self._column[place])].condition(int(self._place[place]))

    def _alike(self, rows: Mask, places: tuple[int, ...]) -> Iterator[Condition]:
        """Conditions of other columns that hold of nearly the rows of a segment, the nearest first."""
        table = self._table
        inside, every = np.flatnonzero(rows), np.arange(len(table))
        likeness = np.concatenate(
            [
                common / (table.weights[inside].sum() + each.totals(every, table.weights) - common)
                for each in table.columns
                for common in [each.totals(inside, table.weights[inside])]
            ]
        )
        names = {int(self._name[place]) for place in places}
        near = np.flatnonzero(self._looked_at & (likeness >= _ALIKE))
        most = len(names) + _MOST_ALIKE
        for place in near[np.argsort(-likeness[near] * self._preference[near], kind="stable")].tolist():
            if int(self._name[place]) not in names and len(names) < most:
                names.add(int(self._name[place]))
                yield self._condition(place)


def _strongest(strengths: Floats, most: int) -> Integers:
    """The places of the largest strengths above 0, the largest first."""
    order = np.argsort(-strengths, kind="stable")[:most]
    return np.asarray(order[strengths[order] > 0])


def _surprise(seen: Floats, expected: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(seen > 0, seen * np.log(seen / expected), 0.0)


def _chance(inside: Counts, among: Counts, place: int) -> float:
    """The chance of so many flagged rows inside, were they spread evenly (Fisher's exact test)."""
    return _fisher(inside.units[place], inside.others[place], among.all_units, among.all_others)


def _chance_within(both: Counts, counts: Counts, place: int) -> float:
    """The same of a pair among the rows of its second condition."""
    return _fisher(both.units[place], both.others[place], counts.units[place], counts.others[place])


def _fisher(hits: float, others: float, all_hits: float, all_others: float) -> float:
    from scipy.stats import hypergeom

    # Parts of events are counted down, so that chance is never said to be smaller than it is.
    inside, every = int(hits + 1e-6), int(all_hits + 1e-6)
    return float(hypergeom.sf(inside - 1, every + int(all_others), every, inside + int(others)))
