"""Columns that move on: running numbers, readings and parts of dates, of which the next file has others.

Learned as numbers or categories they would flag every row of it. What a column does from row to row tells
them, in the order of the rows or of a column that orders them, along with what its name says.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data import running_names as names
from aedetect.data.arrays import Floats, Integers
from aedetect.data.decision import Decision
from aedetect.data.figures import in_full
from aedetect.data.growth import LEAST_ROWS, Growth, growth
from aedetect.data.profile import EXACT
from aedetect.data.row_sample import RowSample

# How reasons end.
MOVES_ON = " to learn it"
IN_ORDER = "the rows are in its order"
# Of so few values a column must say by its name that they run on.
_FEW_DISTINCT = 10
_MANY_DISTINCT = 100
# Enough for numbers that are told by their name too.
_SOME_RECORDS = 4.0
_NEARLY_ALL = 0.9
_HALF = 0.5
_ID_ROWS = 20
_LEAST_DIGITS, _SAME_LENGTH = 9, 0.95
_ORDERED = 0.95
_LEAST_IN_GROUP = 10
_MOST_GROUPS = 0.05
_GROUPING = 4
_DIGITS = re.compile("[0-9]+")
_YEAR = re.compile("(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")
# Days and months after their year, weeks, and years that end in the next one: '20260105-A', 'W05', '2025/26'.
_DATED = re.compile(
    "(?<![0-9])(?:19|20)[0-9]{2}[-/.]?(?:0[1-9]|1[0-2])(?:[-/.]?[0-3][0-9])?(?![0-9])"
    "|^(?:(?i:kw|cw|wk|w|week|woche)[ -]?[0-9]{1,2}|(?:19|20)[0-9]{2}[/-][0-9]{2})$"
)
# Parts of years with the year behind: 'Q1 2025', 'KW 10/2025'.
_PERIOD = re.compile("^(?i:kw|cw|wk|w|week|woche|q|h)[ -]?[0-9]{1,2}[ /-]{1,3}(?:19|20)[0-9]{2}$")
_LEAST_DATED = 3
_MANY_GIVEN = 20
_MOST_GAPS = 0.02
# So many standard deviations of the chi-squared law.
_FEWER = 3.0


@dataclass(frozen=True)
class _Values:
    """One column as numbers that keep its order, over all inputs [rows], and which input each is of."""

    name: str
    values: Floats
    of_input: Integers
    is_text: bool
    is_ordered: bool = True
    has_years: bool = False
    is_dated: bool = False
    is_exact: bool = False
    is_period: bool = False

    @property
    def filled(self) -> Floats:
        return self.values[np.isfinite(self.values)]

    @property
    def is_whole(self) -> bool:
        return not self.is_text and bool((self.filled == np.floor(self.filled)).all())

    def is_monotone(self, by: Floats | None) -> bool:
        """Whether it never turns back in the order of the rows, or of another column."""
        values = self.values if by is None else self.values[np.argsort(by, kind="stable")]
        steps = np.diff(values[np.isfinite(values)])
        return bool((steps >= 0).all() or (steps <= 0).all())

    @property
    def distinct_share(self) -> float:
        return len(np.unique(self.filled)) / max(len(self.filled), 1)

    def growths(self, orders: Mapping[str, Floats]) -> Iterator[tuple[str, Growth]]:
        """How the column grows in the order of the rows, of those of each input, and by other columns."""
        yield "", growth(self.values)
        parts = [self.values[self.of_input == number] for number in np.unique(self.of_input)]
        if len(parts) > 1 and all(len(part) >= LEAST_ROWS for part in parts):
            yield "", min((growth(part) for part in parts), key=lambda one: abs(one.trend))
        for other, by in orders.items():
            if other != self.name:
                known = np.isfinite(by)
                yield other, growth(self.values[known][np.argsort(by[known], kind="stable")])


def moving_columns(
    sample: RowSample,
    decisions: Mapping[str, Decision],
    rules: Mapping[str, cells.CellRules],
    among: set[str],
) -> dict[str, Decision]:
    """What is to become of the columns `among` all that move on, by name.

    `decisions` say what they would be otherwise, `rules` how cells are read, both by column. Of those that
    would be learned or watched only; each reason tells how to have a column learned all the same.
    """
    if not decisions or len(sample) < _ID_ROWS:
        return {}
    sampled = set(sample.columns)
    columns = {
        name: values
        for name, decision in decisions.items()
        if name in sampled
        and decision.role in ("numeric", "categorical", "datetime", "id")
        and (values := _read(sample, name, decision.role, rules[name])) is not None
    }
    orders = _orders(columns, decisions)
    moving: dict[str, Decision] = {}
    for name in among:
        decision = decisions[name]
        if decision.role == "constant" and (names.names_a_time(name) or names.names_a_batch(name)):
            reason = "the same in all rows, and by its name another in the next file"
            moving[name] = _left_out(name, "ignored", reason, "categorical")
        elif decision.role in ("numeric", "categorical") and name in columns:
            others = _Others(columns, decisions, orders)
            kind = _number(columns[name], others, sample) or _code(columns[name], others)
            if kind:
                moving[name] = _left_out(name, *kind, decision.role)
            elif columns[name].is_ordered and growth(columns[name].values).runs:
                option = shlex.join(["--exclude", name])
                reason = f"{decision.reason}; {IN_ORDER}; {option} if the next file goes on from there"
                moving[name] = replace(decision, reason=reason)
    return moving


def _left_out(name: str, role: str, why: str, otherwise: str) -> Decision:
    remedy = shlex.join(["--role", f"{name}={otherwise}"])
    return Decision("id" if role == "id" else "ignored", f"left out, {why}; {remedy}{MOVES_ON}")


@dataclass(frozen=True)
class _Others:
    columns: Mapping[str, _Values]
    decisions: Mapping[str, Decision]
    orders: Mapping[str, Floats]

    def tell_of_time(self, name: str) -> bool:
        """Whether the rows stand in the order of time, as far as columns beside `name` show."""
        return any(other != name and abs(growth(by).trend) >= _ORDERED for other, by in self.orders.items())

    def are_sorted_by_another(self, name: str) -> bool:
        """Whether the rows stand in the order of a measurement, which others go along with."""
        return any(
            other != name
            and not values.is_text
            and self.decisions[other].role != "datetime"
            and (seen := growth(values.values)).runs
            and not seen.is_even
            for other, values in self.columns.items()
        )


def _orders(columns: Mapping[str, _Values], decisions: Mapping[str, Decision]) -> dict[str, Floats]:
    """Columns by which rows can be put in order: dates, identifiers that are numbers, and what says so."""
    orders = {}
    for name, values in columns.items():
        running = names.names_what_is_numbered(name) or names.names_a_time(name)
        if values.is_text or len(values.filled) < _NEARLY_ALL * len(values.values):
            continue
        if decisions[name].role in ("datetime", "id") or (running and growth(values.values).runs):
            orders[name] = values.values
    return orders


def _number(column: _Values, others: _Others, sample: RowSample) -> tuple[str, str] | None:
    """Role and reason of a column of numbers that moves on."""
    if column.is_text or len(column.filled) < _ID_ROWS:
        return None
    if column.is_whole and _counts_rows(column, sample):
        return "id", "it counts the rows of each file"
    hinted = names.names_what_is_numbered(column.name)
    dated = names.names_a_time(column.name)
    measured = names.names_a_reading(column.name)
    for other, seen in column.growths(others.orders):
        along = f"in the order of {other!r}" if other else "with the rows"
        way = along if other or seen.trend >= 0 else "from the last row to the first"
        if _runs_on(column, seen, hinted or dated or measured, others, bool(other)):
            return _run(column, along, others.orders.get(other), (dated, measured))
        if column.is_whole and hinted and seen.records >= _SOME_RECORDS:
            return "id", f"a number whose highest keeps growing {way}"
        if column.is_whole and seen.is_drawn_from_all_so_far and seen.distinct >= _MANY_DISTINCT:
            return "id", f"like a number given out one by one: the highest keeps growing {way}"
        if seen.climbs and not others.are_sorted_by_another(column.name):
            low, high = in_full(column.filled.min()), in_full(column.filled.max())
            return "ignored", f"a level that moves on {along}, from {low} to {high}"
        if not seen.runs and (seen.reaches_on or measured) and (grows := _grows(column, others)):
            return "ignored", f"a reading that {grows}"
    if column.is_whole and hinted and column.distinct_share >= _NEARLY_ALL:
        return "id", "by its name an identifier, another in nearly every row"
    if column.is_whole and not dated and _are_given_out(column.filled):
        low, high = column.filled.min(), column.filled.max()
        return (
            "id",
            f"a number given out one by one: those from {low:.10g} to {high:.10g} are in as many rows each",
        )
    if column.is_exact and column.distinct_share >= _HALF and np.median(np.abs(column.filled)) >= EXACT:
        return "id", "whole numbers of more digits than are ever measured, as identifiers are"
    if column.is_whole and column.distinct_share >= _HALF and _has_many_digits(column.filled):
        return "id", "whole numbers of many digits, nearly all alike in length, as identifiers are"
    return None


def _runs_on(column: _Values, seen: Growth, hinted: bool, others: _Others, is_ordered: bool) -> bool:
    if not seen.runs:
        return False
    if hinted:
        return True
    # Of a file that is sorted by what was measured the values are not spread evenly.
    in_time = is_ordered or others.tell_of_time(column.name)
    return seen.distinct >= _FEW_DISTINCT and (in_time or seen.is_even)


def _run(column: _Values, along: str, by: Floats | None, named: tuple[bool, bool]) -> tuple[str, str]:
    """Of a column that runs on, by its name a date or a reading; `by`: what orders it, the rows if None."""
    dated, measured = named
    low, high = column.filled.min(), column.filled.max()
    if dated:
        return "ignored", f"a part of a date that moves on {along}, from {low:.10g} to {high:.10g}"
    if column.is_whole and not measured:
        return "id", f"a running number, from {low:.10g} to {high:.10g} {along}"
    way = "a reading that only grows or falls" if column.is_monotone(by) else "a level that moves on"
    return "ignored", f"{way} {along}, from {in_full(low)} to {in_full(high)}"


def _counts_rows(column: _Values, sample: RowSample) -> bool:
    ahead = [
        column.values[column.of_input == number] - sample.numbers(key)
        for number, key in enumerate(sample.inputs)
    ]
    return all(len(part) > 1 and (part == part[0]).all() for part in ahead)


def _are_given_out(filled: Floats) -> bool:
    """Whether whole numbers, not counted from 0 or so, come nearly without gaps and evenly."""
    values = np.unique(filled)
    distinct = len(values)
    if not distinct or values[0] < distinct:
        return False
    return bool(values[-1] - values[0] + 1 - distinct <= _MOST_GAPS * distinct) and _are_even(filled)


def _are_even(filled: Floats) -> bool:
    """Whether many values are each in about as many rows, far more evenly than by chance.

    By chance the counts of equally likely values scatter as their mean does (chi-squared law).
    """
    counts = np.unique(filled, return_counts=True)[1]
    if len(counts) < _MANY_GIVEN:
        return False
    # A file may begin and end amid the rows of one.
    inner = counts[1:-1]
    scatter = float(((inner - inner.mean()) ** 2).sum() / inner.mean())
    return bool(scatter + _FEWER * np.sqrt(2 * len(inner)) < len(inner) - 1)


def _has_many_digits(filled: Floats) -> bool:
    lengths = np.floor(np.log10(np.maximum(np.abs(filled), 1))) + 1
    usual = np.median(lengths)
    return usual >= _LEAST_DIGITS and float((lengths == usual).mean()) >= _SAME_LENGTH


def _grows(column: _Values, others: _Others) -> str | None:
    """How a column grows that starts again now and then, or within each value of another column."""
    if _only_grows(column.values):
        falls = int((np.diff(column.filled) < 0).sum())
        return f"grows with the rows, and falls {falls:,} time{'s' * (falls != 1)}"
    group = _grows_within(column, others)
    if group is None:
        return None
    parts = [column.values[group.values == value] for value in np.unique(group.filled)]
    falls = sum(int((np.diff(part[np.isfinite(part)]) < 0).sum()) for part in parts)
    return f"{'nearly ' if falls else ''}only grows within each {group.name!r}"


def _grows_within(column: _Values, others: _Others) -> _Values | None:
    """The column of few values within each of which this one runs on, as the readings of many meters do."""
    candidates = [
        other
        for other in others.columns.values()
        if other.name != column.name and others.decisions[other.name].role in ("categorical", "numeric")
    ]
    for other in candidates:
        groups = np.unique(other.filled)
        if not 2 <= len(groups) <= _MOST_GROUPS * len(other.values):
            continue
        parts = [column.values[other.values == group] for group in groups]
        long = [part for part in parts if len(part) >= _LEAST_IN_GROUP]
        if sum(map(len, long)) >= _NEARLY_ALL * len(column.values) and all(map(_only_grows, long)):
            return other
    return None


def _only_grows(values: Floats) -> bool:
    filled = values[np.isfinite(values)]
    steps = np.diff(filled)
    rises, falls = int((steps > 0).sum()), int((steps < 0).sum())
    return rises >= _GROUPING and falls <= 0.01 * rises


def _code(column: _Values, others: _Others) -> tuple[str, str] | None:
    """Role and reason of a column of codes that move on."""
    if not column.is_text or len(column.filled) < _ID_ROWS:
        return None
    hinted = names.names_what_is_numbered(column.name) or names.names_a_batch(column.name)
    dated = names.names_a_time(column.name)
    for other, seen in column.growths(others.orders) if column.is_ordered else ():
        along = f"in the order of {other!r}" if other else "with the rows"
        if _runs_on(column, seen, hinted or dated, others, bool(other)):
            kind = ("ignored", "a part of a date") if dated else ("id", "a code")
            return kind[0], f"{kind[1]} that moves on {along}"
        if hinted and seen.records >= _SOME_RECORDS:
            return "id", f"a code whose highest number keeps growing {along}"
    if column.is_period:
        return "ignored", "weeks, quarters or halves of years"
    dated = dated or (column.is_dated and len(np.unique(column.filled)) >= _LEAST_DATED)
    if dated and _comes_once(column.values):
        return "ignored", "a part of a date that moves on with the rows"
    if column.has_years and len(np.unique(column.filled)) >= _FEW_DISTINCT and _comes_once(column.values):
        return "ignored", "texts with a year, of which each comes once and not again"
    if names.names_a_batch(column.name) and _are_even(column.filled):
        return "id", "by its name what comes once and not again, each in as many rows"
    if hinted and (_comes_once(column.values) or _is_new_in_the_second_half(column.values)):
        return "id", "by its name an identifier, whose values come once and not again"
    return None


def _comes_once(values: Floats) -> bool:
    """Whether rows of one value stand together, as those of a batch or a month do."""
    filled = values[np.isfinite(values)]
    stretches = 1 + int((np.diff(filled) != 0).sum())
    return 2 <= stretches == len(np.unique(filled))


def _is_new_in_the_second_half(values: Floats) -> bool:
    half = len(values) // 2
    again = np.isin(values[half:], values[:half])
    return len(np.unique(values)) >= _ID_ROWS and float(again.mean()) <= 1 - _NEARLY_ALL


def _read(sample: RowSample, name: str, role: str, rules: cells.CellRules) -> _Values | None:
    """A column as numbers: those in it, seconds of dates, or the ranks of codes by the digits in them."""
    pieces = [[cells.plain(piece) for piece in sample.column(at, name)] for at in sample.inputs]
    of_input = np.repeat(np.arange(len(pieces)), [sum(map(len, listed)) for listed in pieces])
    listed = [piece for some in pieces for piece in some]
    try:
        array = pa.concat_arrays([piece.cast(pa.string()) for piece in listed] if _mixed(listed) else listed)
    except pa.ArrowNotImplementedError:
        return None
    if role == "datetime":
        return _Values(name, cells.datetimes(array, rules).values, of_input, False)
    read = cells.numbers(array, rules)
    if role == "numeric" or (not read.bad.any() and not cells.is_text(array.type)):
        return _Values(name, read.values, of_input, False, is_exact=_is_exact(array))
    return _codes(name, cells.categories(array, rules), of_input)


def _is_exact(array: pa.Array) -> bool:
    """Whether numbers are stored or written with all of their digits."""
    if cells.is_text(array.type):
        return not pc.any(pc.match_substring_regex(array, "[.eE]")).as_py()
    return bool(pa.types.is_integer(array.type))


def _mixed(pieces: list[pa.Array]) -> bool:
    return len({str(piece.type) for piece in pieces}) > 1


def _codes(name: str, texts: pa.Array, of_input: Integers) -> _Values:
    """Ranks of codes by the numbers in them, where all but a few are alike apart from these."""
    entries = texts.dictionary_encode()
    known = entries.dictionary.to_pylist()
    skeletons = Counter(_DIGITS.sub("#", text) for text in known)
    usual, times = skeletons.most_common(1)[0] if known else ("", 0)
    is_ordered = "#" in usual and times >= _SAME_LENGTH * len(known)
    order = sorted(range(len(known)), key=lambda place: [int(part) for part in _DIGITS.findall(known[place])])
    ranks = np.full(len(known) + 1, np.nan)
    ranks[order] = np.arange(len(known))
    places = entries.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
    # Names of models hold years as well: a file may be sorted by them.
    has_years = known != sorted(known) and (
        sum(bool(_YEAR.search(text)) for text in known) >= _SAME_LENGTH * len(known)
    )
    is_dated = sum(bool(_DATED.search(text)) for text in known) >= _SAME_LENGTH * max(len(known), 1)
    is_period = len(known) > 1 and all(map(_PERIOD.match, known))
    return _Values(
        name,
        ranks[places],
        of_input,
        True,
        is_ordered=is_ordered,
        has_years=has_years,
        is_dated=is_dated,
        is_period=is_period,
    )
