"""Columns that say what others say already: copies, multiples, sums, and parts of a date beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np
import pyarrow as pa

from aedetect.config import Config
from aedetect.data import cells
from aedetect.data.arrays import Floats
from aedetect.data.schema import Schema
from aedetect.io.source import Input
from aedetect.training.passes import chunks

# Relations are looked for in so many rows, and then held against others, up to so many.
_LOOKED_AT, _LEAST_ROWS = 2000, 20
_MOST_ROWS = 1_000_000
# Each column of numbers is compared with each other one: of so many at most.
_MOST_COMPARED = 200
_MOST_SUMMANDS, _MOST_NAMED, _LONGEST_FLAG = 4, 8, 200
_EXACT, _NEARLY = 1e-9, 1e-6
# A rounded multiple has so many distinct steps at least, or nearly anything would pass for one.
_LEAST_STEPS = 1000
_DAY = 86400


@dataclass(frozen=True)
class Relation:
    """What a column is of `others`: `kind` is 'copy', 'part', 'multiple' or 'sum'; `signs` those of a sum."""

    column: str
    kind: str
    others: tuple[str, ...]
    part: str = ""
    factor: float = 1.0
    signs: tuple[float, ...] = ()
    rounded: bool = False

    def holds(self, rows: _Columns) -> bool:
        """Whether it does in all of these rows."""
        if self.kind == "copy":
            return rows.alike(self.column, self.others[0])
        if self.kind == "part":
            return _same(rows.values(self.column), rows.part(self.others[0], self.part))
        seen = rows.values(self.column)
        if self.kind == "multiple":
            return _is_multiple(seen, rows.values(self.others[0]), self.factor, self.rounded)
        with np.errstate(invalid="ignore"):
            total = sum(sign * rows.values(name) for sign, name in zip(self.signs, self.others, strict=True))
        return _is_close(seen, np.asarray(total))

    @property
    def text(self) -> str:
        """As in "'total' is 'net' + 'tax'"."""
        first = repr(self.others[0])
        if self.kind == "copy":
            return f"{self.column!r} is a copy of {first}"
        if self.kind == "multiple":
            exact = float(f"{self.factor:.6g}") == self.factor
            times = f"{self.factor:.6g} ×" if exact else "a constant multiple of"
            return f"{self.column!r} is {times} {first}{' but for rounding' * self.rounded}"
        terms = [
            f"{'+' if sign > 0 else '-'} {name!r}" for sign, name in zip(self.signs, self.others, strict=True)
        ]
        more = f" and {len(terms) - _MOST_SUMMANDS} more" if len(terms) > _MOST_SUMMANDS else ""
        return f"{self.column!r} is {' '.join(terms[:_MOST_SUMMANDS]).removeprefix('+ ')}{more}"


class _Columns:
    """The columns of some rows, each read once it is asked for."""

    def __init__(self, rows: pa.RecordBatch, rules: cells.CellRules):
        self._rows, self._rules = rows, rules
        self._read = cache(self._read_as)
        self.part = cache(self._part)

    def values(self, name: str) -> Floats:
        """As numbers [rows], NaN where there is none; infinite beyond what is learned."""
        values = self._read("number", name).values
        return np.where(np.abs(values) > cells.LARGEST, np.copysign(np.inf, values), values)

    def is_number(self, name: str) -> bool:
        read = self._read("number", name)
        return not read.bad.any() and not read.missing.all()

    def is_date(self, name: str) -> bool:
        read = self._read("date", name)
        return not read.bad.any() and not read.missing.all()

    def _read_as(self, kind: str, name: str) -> cells.Cells:
        array, rules = self._rows.column(name), self._rules.of(name)
        return cells.numbers(array, rules) if kind == "number" else cells.datetimes(array, rules)

    def texts(self, name: str) -> pa.Array:
        return cells.categories(self._rows.column(name), self._rules.of(name))

    def alike(self, name: str, other: str) -> bool:
        """Whether the cells are equal, as numbers or dates where both are such, else as text."""
        for is_such, kind in ((self.is_number, "number"), (self.is_date, "date")):
            if is_such(name) and is_such(other):
                return _same(self._read(kind, name).values, self._read(kind, other).values)
        return bool(self.texts(name).equals(self.texts(other)))

    def _part(self, name: str, part: str) -> Floats:
        """A part of the dates of a column [rows], NaN where there is none."""
        seconds = self._read("date", name).values
        known = ~np.isnan(seconds)
        out = np.full(len(seconds), np.nan)
        out[known] = date_parts(seconds[known])[part]
        return out


def date_parts(seconds: Floats) -> dict[str, Floats]:
    """What people write of dates beside them, for seconds since 1970 [rows]; each [rows]."""
    days = np.floor_divide(seconds, _DAY).astype(np.int64).astype("datetime64[D]")
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    in_day = np.mod(seconds, _DAY)
    month = months.astype(np.int64) % 12 + 1
    weekday = (days.astype(np.int64) + 3) % 7
    thursdays = days - weekday + 3
    week = (thursdays - thursdays.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) // 7 + 1
    parts = {
        "year": years.astype(np.int64) + 1970,
        "quarter": (month - 1) // 3 + 1,
        "month": month,
        "week": week,
        "day": (days - months.astype("datetime64[D]")).astype(np.int64) + 1,
        "day of the year": (days - years.astype("datetime64[D]")).astype(np.int64) + 1,
        "weekday": weekday,
        "weekday from 1": weekday + 1,
        "weekday from Sunday": (weekday + 1) % 7,
        "weekday from Sunday, from 1": (weekday + 1) % 7 + 1,
        "weekend": weekday >= 5,
        "hour": in_day // 3600,
        "minute": in_day // 60 % 60,
        "second": np.floor(in_day) % 60,
    }
    return {name: np.asarray(values, np.float64) for name, values in parts.items()}


class RedundancySearch:
    """Finds relations in the first rows that it takes, and drops those that later ones contradict."""

    def __init__(self, rules: cells.CellRules):
        self._rules = rules
        self._relations: list[Relation] | None = None

    def take(self, rows: pa.RecordBatch) -> None:
        """Take in rows; the first batch of more than a few is looked through."""
        if self._relations is None:
            if len(rows) < _LEAST_ROWS:
                return
            self._relations = list(
                _relations(_Columns(rows.slice(0, _LOOKED_AT), self._rules), _readable(rows))
            )
        if self._relations:
            columns = _Columns(rows, self._rules)
            self._relations = [one for one in self._relations if one.holds(columns)]

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to look for."""
        return self._relations == []

    def relations(self, schema: Schema) -> list[Relation]:
        """Those of learned columns to others that are learned or tell the time; one for each column."""
        known = {column.name for column in schema.columns if column.is_learned or column.role == "time"}
        learned = {column.name for column in schema.columns if column.is_learned}
        chosen: dict[str, Relation] = {}
        for one in self._relations or ():
            if one.column in learned and known.issuperset(one.others):
                chosen.setdefault(one.column, one)
        return [chosen[column.name] for column in schema.columns if column.name in chosen]


def find_relations(
    inputs: Sequence[Input], config: Config, schema: Schema
) -> tuple[list[Relation], int | None]:
    """The relations between columns of `schema`, and in how many rows they hold where not all were read."""
    search, read = RedundancySearch(schema.rules), 0
    for chunk in chunks(inputs, config):
        if read >= _MOST_ROWS:
            return search.relations(schema), read
        search.take(chunk.batch)
        if search.is_over:
            break
        read += len(chunk.batch)
    return search.relations(schema), None


def redundancy_notice(relations: Sequence[Relation], rows: int | None = None) -> str | None:
    """What is said of columns that repeat others, with what to do about it; None where there are none.

    `rows`: in how many the relations hold, where not all were read.
    """
    if not relations:
        return None
    parts: dict[str, list[str]] = {}
    for one in relations:
        if one.kind == "part":
            parts.setdefault(one.others[0], []).append(one.column)
    sentences = [
        f"{_listed(names)} {'are parts' if len(names) > 1 else 'is a part'} of {date!r}"
        for date, names in parts.items()
    ]
    sentences += [one.text for one in relations if one.kind != "part"]
    more = f"; and {len(sentences) - _MOST_NAMED} more" if len(sentences) > _MOST_NAMED else ""
    named = ",".join(one.column for one in relations)
    several = len(relations) > 1
    text = "; ".join(sentences[:_MOST_NAMED]) + more
    remedy = ""
    if named.count(",") == len(relations) - 1 and len(named) <= _LONGEST_FLAG:
        remedy = f"; to leave {'them' if several else 'it'} out, give --exclude '{named}'"
        if named.replace(",", "").replace("_", "").isalnum():
            remedy = remedy.replace("'", "")
    what = "columns repeat what others say" if several else "a column repeats what others say"
    where = "" if rows is None else f" in the first {rows:,} rows"
    return f"{what}{where}: {text}; {'they are' if several else 'it is'} learned all the same{remedy}"


def _listed(names: Sequence[str]) -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _readable(rows: pa.RecordBatch) -> list[str]:
    return [field.name for field in rows.schema if cells.is_readable(field.type)]


def _relations(rows: _Columns, names: Sequence[str]) -> Iterator[Relation]:
    """All that hold in these rows, the plainest of each column first."""
    numbers = [name for name in names if rows.is_number(name)]
    dates = [name for name in names if name not in numbers and rows.is_date(name)]
    copies = list(_copies(rows, names))
    yield from copies
    yield from _parts_of_dates(rows, numbers, dates)
    repeated = {one.column for one in copies}
    varied = [
        name
        for name in numbers
        if name not in repeated and len(np.unique(rows.values(name)[~np.isnan(rows.values(name))])) > 2
    ][:_MOST_COMPARED]
    multiples = list(_multiples(rows, varied))
    yield from multiples
    repeated |= {one.column for one in multiples}
    yield from _sums(rows, [name for name in varied if name not in repeated])


def _copies(rows: _Columns, names: Sequence[str]) -> Iterator[Relation]:
    first: dict[bytes, str] = {}
    for name in names:
        if rows.is_number(name):
            key = b"n" + np.nan_to_num(rows.values(name), nan=-0.5).tobytes()
        else:
            key = b"t" + "\0".join(map(str, rows.texts(name).to_pylist())).encode("utf-8", "surrogatepass")
        if key in first:
            yield Relation(name, "copy", (first[key],))
        else:
            first[key] = name


def _parts_of_dates(rows: _Columns, numbers: Sequence[str], dates: Sequence[str]) -> Iterator[Relation]:
    for date in dates:
        seconds = rows.part(date, "year")
        if np.isnan(seconds).all():
            continue
        for name in numbers:
            for part in date_parts(np.zeros(1)):
                if _same(rows.values(name), rows.part(date, part)):
                    yield Relation(name, "part", (date,), part=part)


def _multiples(rows: _Columns, names: Sequence[str]) -> Iterator[Relation]:
    if not names:
        return
    values = np.stack([_measured(rows.values(name)) for name in names])
    norms = np.sqrt(np.square(values).sum(axis=1))
    for place, name in enumerate(names[1:], 1):
        cosines = np.abs(values[:place] @ values[place]) / np.maximum(norms[:place] * norms[place], 1e-300)
        for other in np.flatnonzero(cosines > 1 - _NEARLY).tolist():
            exact = float(values[other] @ values[place] / norms[other] ** 2)
            factors = [*(float(f"{exact:.{digits}g}") for digits in range(1, 7)), exact]
            candidates = (
                Relation(name, "multiple", (names[other],), factor=factor, rounded=rounded)
                for rounded in (False, True)
                for factor in factors
                if factor
            )
            yield from islice((one for one in candidates if one.holds(rows)), 1)


def _sums(rows: _Columns, names: Sequence[str]) -> Iterator[Relation]:
    """Of columns without gaps, those that are others added up or taken away from one another."""
    whole = [name for name in names if np.isfinite(rows.values(name)).all()]
    if not whole:
        return
    whole = whole[: len(rows.values(whole[0])) // 2]
    free: list[str] = []
    basis: list[Floats] = []
    for name in whole:
        seen = rows.values(name)
        size = float(np.linalg.norm(seen))
        rest = seen / size
        for _ in range(2):
            for direction in basis:
                rest = rest - (direction @ rest) * direction
        if np.linalg.norm(rest) > _NEARLY:
            free.append(name)
            basis.append(rest / np.linalg.norm(rest))
            continue
        weights = np.linalg.lstsq(np.stack([rows.values(one) for one in free], axis=1), seen, rcond=None)[0]
        signs = np.round(weights)
        used = np.flatnonzero(signs)
        if len(used) < 2 or np.abs(signs).max() > 1 or np.abs(weights - signs).max() > 1e-3:
            continue
        others = tuple(free[index] for index in used)
        relation = Relation(name, "sum", others, signs=tuple(signs[used].tolist()))
        if relation.holds(rows):
            yield relation


def _measured(values: Floats) -> Floats:
    """Values with 0 for what is missing, infinite, or beyond what is learned."""
    return np.where(np.abs(values) <= cells.LARGEST, values, 0.0)


def _same(values: Floats, others: Floats) -> bool:
    return bool(np.array_equal(values, others, equal_nan=True))


def _is_close(values: Floats, others: Floats) -> bool:
    """Whether numbers [rows] are equal but for what adding up rounds away, where both are known."""
    known = np.isfinite(values) & np.isfinite(others)
    values, others = values[known], others[known]
    largest = float(np.abs(values).max(initial=0.0))
    return bool((np.abs(values - others) <= _EXACT * largest + 1e-12).all())


def _is_multiple(values: Floats, others: Floats, factor: float, rounded: bool) -> bool:
    """Whether `values` [rows] are `factor` times the others; with `rounded`, as far as either is written."""
    if not np.array_equal(np.isfinite(values), np.isfinite(others)):
        return False
    known = np.isfinite(values)
    values, others = values[known], others[known]
    if _is_close(values, factor * others):
        return True
    return rounded and any(
        _is_rounded(left, right) for left, right in ((values, factor * others), (others, values / factor))
    )


def _is_rounded(values: Floats, exact: Floats) -> bool:
    for digits in range(7):
        if np.array_equal(np.round(values, digits), values):
            half = 0.5 * 10.0**-digits
            spread = float(np.ptp(values)) if len(values) else 0.0
            return spread > _LEAST_STEPS * half and bool((np.abs(values - exact) <= 1.001 * half).all())
    return False
