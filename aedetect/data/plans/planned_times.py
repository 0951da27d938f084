"""Which rows are within an entry of some plan: by the clock of the data, and for whom the entry is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np

from aedetect.config.names import instead
from aedetect.data.arrays import AnyArray, Floats, Integers, Mask
from aedetect.data.plans.entries import Entry, Plan
from aedetect.data.plans.ics import IcsPlan
from aedetect.data.plans.table import ENTITY, NEEDED, TablePlan
from aedetect.errors import DataError

# The texts [rows] of a column.
Texts = Callable[[str], AnyArray]
_DAY = 86_400.0


@dataclass(frozen=True)
class Span:
    """An entry by the clock of the data: seconds since 1970, from `start` on up to before `end`.

    `where`: the text or the pattern that a row has in each of some columns. `plan`: the name of its file.
    """

    start: float
    end: float
    name: str
    where: tuple[tuple[str, str], ...]
    plan: str
    place: str


@dataclass(frozen=True)
class Columns:
    """The columns that an entry may name. `entity`: those that name a series; `all`: of a table."""

    entity: Sequence[str] = ()
    all: Sequence[str] = ()

    def where(self, entry: Entry) -> list[tuple[tuple[str, str], ...]]:
        """For which rows an entry is: any of these will do. Raises DataError for entities that cannot be."""
        stated = tuple(entry.where.items())
        return [(*stated, *self._of_entity(entry, text)) for text in entry.entities] or [stated]

    def _of_entity(self, entry: Entry, text: str) -> Iterator[tuple[str, str]]:
        if not self.entity:
            raise DataError(
                f"{entry.place}: {entry.name!r} is for the entity {text!r}, and the rows are not told apart "
                "by --entity; in a CSV calendar name the column as the data has it, in place of entity"
            )
        parts = [text] if len(self.entity) == 1 else text.split("/")
        if len(parts) != len(self.entity):
            raise DataError(
                f"{entry.place}: {text!r} is no entity; here one is written as {'/'.join(self.entity)}"
            )
        return zip(self.entity, parts, strict=True)

    def check(self, plan: Plan) -> None:
        """Raises DataError for a column, or an entity, that an entry cannot be for."""
        known = self.entity if self.entity or not self.all else self.all
        for column in plan.columns:
            if column not in known:
                raise DataError(
                    f"{plan.name}: column {column!r} is none of {', '.join((*NEEDED, ENTITY))}, and none "
                    f"that rows are told apart by{instead(column, known) if known else ''}"
                )
        for entry in plan.entries:
            self.where(entry)


def read_plans(paths: Sequence[Path]) -> list[Plan]:
    """The plans in files. Raises DataError for what cannot be read."""
    return [
        IcsPlan.read(path) if path.suffix.lower() in (".ics", ".ical", ".ifb") else TablePlan.read(path)
        for path in paths
    ]


@dataclass
class PlannedTimes:
    """The entries of plans by the clock in `zone`; asked by several threads."""

    plans: Sequence[Plan]
    columns: Columns
    zone: str
    _years: dict[int, list[Span]] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        for plan in self.plans:
            self.columns.check(plan)

    def of_rows(self, seconds: Floats, texts: Texts) -> tuple[list[Span], Integers]:
        """Spans, and in which of them each row is [rows], the first of several; -1 for none.

        `seconds` [rows]: since 1970, NaN where unknown.
        """
        spans: list[Span] = []
        place = np.full(len(seconds), -1, dtype=np.int64)
        order = np.argsort(seconds, kind="stable")
        ordered = seconds[order]
        for year, first, last in _years(ordered):
            part = ordered[first:last]
            for span in self.of_year(year):
                low, high = np.searchsorted(part, [span.start, span.end], side="left") + first
                rows = order[low:high]
                rows = rows[place[rows] < 0]
                rows = rows[_matching(span, rows, texts)]
                if len(rows):
                    place[rows] = len(spans)
                    spans.append(span)
        return spans, place

    def of_year(self, year: int) -> list[Span]:
        """The spans that rows of a year, in UTC, may be in."""
        with self._lock:
            if year not in self._years:
                self._years[year] = sorted(self._spans(year), key=lambda span: span.start)
            return self._years[year]

    def _spans(self, year: int) -> Iterator[Span]:
        begin, end = _begin(year), _begin(year + 1)
        for plan in self.plans:
            for entry in plan.of_year(year):
                start, stop = entry.start.instant(self.zone), entry.end.instant(self.zone)
                if stop <= begin or start >= end:
                    continue
                for where in self.columns.where(entry):
                    yield Span(start, stop, entry.name, where, plan.name, entry.place)


def _years(ordered: Floats) -> Iterator[tuple[int, int, int]]:
    """The years of instants in order [rows], NaN last: each with its first row and the end of its rows."""
    known = int(np.searchsorted(ordered, np.inf))
    first = 0
    while first < known:
        year = 1970 + int(np.floor(ordered[first] / (365.2425 * _DAY)))
        # The mean length of a year may be a day off.
        year = next((each for each in (year - 1, year, year + 1) if ordered[first] < _begin(each + 1)), year)
        last = int(np.searchsorted(ordered[:known], _begin(year + 1)))
        yield year, first, max(last, first + 1)
        first = max(last, first + 1)


@lru_cache(maxsize=1024)
def _begin(year: int) -> float:
    """Seconds since 1970 at which a year begins, in UTC."""
    return float(np.datetime64(year - 1970, "Y").astype("datetime64[s]").astype(np.int64))


def _matching(span: Span, rows: Integers, texts: Texts) -> Mask:
    matches = np.ones(len(rows), dtype=np.bool_)
    for column, pattern in span.where if len(rows) else ():
        matches &= fits(texts(column)[rows], pattern)
    return matches


def fits(values: AnyArray, pattern: str) -> Mask:
    """Which texts [rows] are what a pattern such as 'web-*' says."""
    distinct, places = np.unique(values.astype(str), return_inverse=True)
    fitting = [text == pattern or fnmatchcase(text, pattern) for text in distinct.tolist()]
    return np.asarray(np.array(fitting, dtype=np.bool_)[places]) if len(values) else np.empty(0, np.bool_)
