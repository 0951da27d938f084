"""Segments in which flagged rows are far more frequent than elsewhere: one after the other, by what is new.

Subgroup discovery by sequential covering (Clark & Niblett, 1989; Lavrač et al., 2004). Conditions are ranked
by the log-likelihood ratio of flagged and other rows inside and outside, and have to pass Fisher's exact
test, corrected for all that were looked at (Bonferroni). Once a segment is found, its rows are set aside, so
that the next one explains other rows.

A row that is flagged for its amount is not explained by its large amount: first come conditions on columns
that are not themselves to blame, which say whose rows they are. Of what is left, single values are told that
many flagged rows have, even where they are what is odd.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.tasks.explain.segments import contrast
from aedetect.tasks.explain.segments.coded_table import CodedTable
from aedetect.tasks.explain.segments.condition_counts import AllConditions, Counts
from aedetect.tasks.explain.segments.conditions import Condition

# How seldom a segment may come about by chance, anywhere among all conditions.
CHANCE = 0.01
MOST_SEGMENTS = 10
LEAST_FLAGGED = 5
# Of all flagged rows a segment has so large a part that is in none before; a number that is itself to blame a
# larger one, since any number far out is flagged wherever it comes. Most of its own flagged rows are new.
_LEAST_PART, _LEAST_PART_OF_NUMBERS, _LEAST_NEW = 0.02, 0.1, 0.5
# In less than this part of a segment's flagged rows its own columns are to blame.
_MOST_RESTATED = 0.5
# A pair of conditions is flagged so many times as often as either, and so much stronger than any single one.
_PAIR_RATIO, _PAIR_STRENGTH = 1.5, 1.1
# Conditions that are tried together with all others, and of one column at most.
_MOST_PARENTS, _MOST_OF_COLUMN = 16, 2
# Candidates that are put to the test, the strongest first, before it is said that there is none.
_MOST_TESTED = 20
# Of two that are equally strong a value is said rather than a range.
_FOR_RANGES = 0.99
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
class _Candidate:
    """A condition, or two, by their numbers; `strength` ranks it, `chance` is corrected."""

    places: tuple[int, ...]
    strength: float
    chance: float


class SegmentSearch:
    """Looks through the conditions of a table, and through pairs of them."""

    def __init__(self, table: CodedTable):
        self._size = len(table)
        self._all = AllConditions(table)
        self._preference = np.where(self._all.are_ranges, _FOR_RANGES, 1.0)

    @property
    def conditions(self) -> int:
        """How many conditions are looked at."""
        return int(self._all.looked_at.sum())

    @property
    def pairs(self) -> int:
        """How many pairs there are of conditions of different columns."""
        return self._all.pairs

    def segments(self) -> list[Chosen]:
        """The segments, the strongest first."""
        candidates = [(candidate, self._rows(candidate.places)) for candidate in self._candidates()]
        candidates.sort(key=lambda each: -self._all.strength(each[1]))
        left = np.ones(self._size, dtype=np.bool_)
        chosen = []
        for candidate, rows in candidates:
            conditions = tuple(self._all.condition(place) for place in sorted(candidate.places))
            alike = tuple(self._alike(rows, candidate.places))
            chosen.append(Chosen(conditions, rows, rows & left, candidate.chance, alike))
            left &= ~rows
        return chosen

    def _candidates(self) -> Iterator[_Candidate]:
        """The strongest segment, then the strongest among the rows that are in none before, and so on."""
        left = np.ones(self._size, dtype=np.bool_)
        count = 0
        for best_of in (self._best, self._best_value):
            while count < MOST_SEGMENTS and (best := best_of(np.flatnonzero(left))) is not None:
                yield best
                left &= ~self._rows(best.places)
                count += 1

    def _best(self, rows: Integers) -> _Candidate | None:
        """The strongest condition or pair whose columns are not themselves to blame."""
        counts = self._all.counts(rows)
        if counts.all_units < 1 or not counts.all_others:
            return None
        telling = self._all.looked_at & (counts.restated < _MOST_RESTATED * counts.hits)
        strengths = np.where(telling, counts.strengths * self._preference, 0.0)
        single = self._single(counts, strengths, _LEAST_PART)
        pair = self._pair(rows, counts, strengths, _PAIR_STRENGTH * single.strength if single else 0.0)
        return pair or single

    def _best_value(self, rows: Integers) -> _Candidate | None:
        """The strongest single value, whether it is what is odd or not."""
        counts = self._all.counts(rows)
        if counts.all_units < 1 or not counts.all_others:
            return None
        values = self._all.looked_at & ~self._all.are_ranges
        part = np.where(self._all.are_numbers, _LEAST_PART_OF_NUMBERS, _LEAST_PART)
        return self._single(counts, np.where(values, counts.strengths, 0.0), part)

    def _single(self, counts: Counts, strengths: Floats, part: Floats | float) -> _Candidate | None:
        every = self._all.every
        allowed = self._are_enough(counts, part) & (counts.hits >= _LEAST_NEW * every.hits)
        allowed &= self._all.stand_out(counts, counts) & self._all.stand_out(every, every)
        for place in _strongest(np.where(allowed, strengths, 0.0)):
            chance = min(counts.chance_among(counts, place) * self.conditions, 1.0)
            if chance <= CHANCE:
                return _Candidate((place,), float(strengths[place]), chance)
        return None

    def _pair(self, rows: Integers, counts: Counts, strengths: Floats, least: float) -> _Candidate | None:
        """The strongest pair above `least` that says clearly more than either of its conditions."""
        best: _Candidate | None = None
        for parent in self._parents(strengths):
            inside = rows[self._all.holds(parent)[rows]]
            both = self._all.counts(inside)
            allowed = self._say_more(both, counts, parent)
            restated = np.maximum(both.restated, self._all.restated(inside, parent))
            allowed &= restated < _MOST_RESTATED * both.hits
            pair_strengths = np.where(allowed, both.strengths_among(counts), 0.0)
            for place in _strongest(pair_strengths):
                strength = float(pair_strengths[place])
                if strength <= (best.strength if best is not None else least):
                    break
                chance = self._chance_of_pair(both, counts, place)
                if chance <= CHANCE and self._is_new((parent, place), both.hits[place]):
                    best = _Candidate((parent, place), strength, chance)
                    break
        return best

    def _say_more(self, both: Counts, counts: Counts, parent: int) -> Mask:
        """Which conditions, together with `parent`, are flagged clearly more often than either of the two."""
        names, shares = self._all.names, self._all.shares(counts)
        more = self._all.shares(both) >= _PAIR_RATIO * np.maximum(shares, shares[parent])
        enough = self._are_enough(both, _LEAST_PART) & self._all.stand_out(both, counts)
        return np.asarray(self._all.looked_at & more & enough & (names != names[parent]))

    def _chance_of_pair(self, both: Counts, counts: Counts, place: int) -> float:
        """The chance of a pair, among all rows or among those of either condition, whichever is larger."""
        units, others = float(counts.units[place]), float(counts.others[place])
        within_second = contrast.chance(both.units[place], both.others[place], units, others)
        within_first = both.chance_among(both, place)
        corrected = both.chance_among(counts, place) * self.pairs
        return min(max(corrected, self.conditions * max(within_first, within_second)), 1.0)

    def _are_enough(self, counts: Counts, part: Floats | float) -> Mask:
        """Which conditions hold of so many flagged rows, and of this `part` of all of them."""
        least = np.maximum(LEAST_FLAGGED, part * self._all.all_hits)
        return np.asarray(self._all.hits(counts) >= least)

    def _is_new(self, places: tuple[int, ...], new: float) -> bool:
        """Whether rows of some conditions stand out among all, and most that are flagged are `new`."""
        rows = self._rows(places)
        return new >= _LEAST_NEW * self._all.flagged_of(rows) and self._all.rows_stand_out(rows)

    def _parents(self, strengths: Floats) -> list[int]:
        """The strongest conditions, few of each column: ranges of one column are much the same."""
        chosen: list[int] = []
        of_name: dict[int, int] = {}
        for place in np.argsort(-strengths, kind="stable").tolist():
            if strengths[place] <= 0 or len(chosen) == _MOST_PARENTS:
                break
            name = int(self._all.names[place])
            if of_name.get(name, 0) < _MOST_OF_COLUMN:
                of_name[name] = of_name.get(name, 0) + 1
                chosen.append(place)
        return chosen

    def _rows(self, places: tuple[int, ...]) -> Mask:
        return np.asarray(np.logical_and.reduce([self._all.holds(place) for place in places]))

    def _alike(self, rows: Mask, places: tuple[int, ...]) -> Iterator[Condition]:
        """Conditions of other columns that hold of nearly the rows of a segment, the nearest first."""
        likeness = self._all.likeness(rows)
        names = {int(self._all.names[place]) for place in places}
        most = len(names) + _MOST_ALIKE
        near = np.flatnonzero(self._all.looked_at & (likeness >= _ALIKE))
        for place in near[np.argsort(-likeness[near] * self._preference[near], kind="stable")].tolist():
            if int(self._all.names[place]) not in names and len(names) < most:
                names.add(int(self._all.names[place]))
                yield self._all.condition(place)


def _strongest(strengths: Floats) -> list[int]:
    """The places of the largest strengths above 0, the largest first."""
    order = np.argsort(-strengths, kind="stable")[:_MOST_TESTED]
    return [int(place) for place in order if strengths[place] > 0]
