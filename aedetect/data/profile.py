"""One streaming pass over training data: what each column holds, in bounded memory.

Quantiles come from a t-digest (Dunning & Ertl, 2019; Apache DataSketches), which is
deterministic; category counts are exact up to `MAX_COUNTED` distinct values. Profiles of the parts of a
table, taken in by one another in their order, are those of the whole, but for the cells of digests.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data.arrays import Floats
from aedetect.data.code_evidence import CodeEvidence
from aedetect.data.date_evidence import DateEvidence, SettledDate
from aedetect.data.digests import merged
from aedetect.data.instants import InstantProfile
from aedetect.data.written_numbers import Evidence
from aedetect.io.cell_text import name_of_type
from aedetect.io.frames import AS_TYPED

MAX_COUNTED = 100_000
MAX_BAD_TEXTS = 100
# From here on float64 does not tell all whole numbers apart.
EXACT = 2.0**53
DIGEST_SIZE = 1000
_UNIQUE_ROWS = 10_000
# From so many cells on, and so many values among them, the first rows of all tell that values hardly repeat.
_LEAST_COUNTED, _NEARLY_UNIQUE = 1000, 0.95
_LEADING_ZERO = r"^[+-]?0[0-9]+$"


class NumberProfile:
    """Statistics of the numbers in a column; infinite ones and those beyond float32 are set aside."""

    def __init__(self) -> None:
        import datasketches

        self.count = 0
        self.infinite = 0
        self.all_integer = True
        self.only_zero_one = True
        self.consecutive = True
        self.unique_head = True
        # Up to the first that repeats one; of thousands of columns, sets would take gigabytes.
        self._head: Floats = np.empty(0)
        self._first: float | None = None
        self._last: float | None = None
        self._digest = datasketches.tdigest_double(DIGEST_SIZE)

    def update(self, values: np.ndarray[Any, Any]) -> None:
        """Take in the numbers of one batch, float64 [rows]; NaN where there is none."""
        filled = values[~np.isnan(values)]
        finite = filled[np.abs(filled) <= cells.LARGEST]
        self.infinite += len(filled) - len(finite)
        if not len(finite):
            return
        self._digest.update(finite)
        if self.all_integer:
            self.all_integer = bool((finite == np.floor(finite)).all())
        if self.only_zero_one:
            self.only_zero_one = bool(((finite == 0) | (finite == 1)).all())
        if self.consecutive:
            chain = finite if self._last is None else np.concatenate(([self._last], finite))
            self.consecutive = bool((np.diff(chain) == 1).all())
            self._first = float(finite[0]) if self._first is None else self._first
            self._last = float(finite[-1])
        if self.unique_head and self.count < _UNIQUE_ROWS:
            self._take_head(finite[: _UNIQUE_ROWS - self.count])
        self.count += len(finite)

    def _take_head(self, numbers: Floats) -> None:
        """See whether numbers [rows] repeat one another, or one before them."""
        head = np.concatenate([self._head, numbers])
        _, firsts = np.unique(head, return_index=True)
        self.unique_head = len(firsts) == len(head)
        if not self.unique_head:
            new = np.zeros(len(head), np.bool_)
            new[firsts] = True
            head = head[: int(new.argmin())].copy()
        self._head = head

    def add(self, later: NumberProfile) -> None:
        """Take in what was seen of the numbers behind these."""
        self.infinite += later.infinite
        if not later.count:
            return
        self.all_integer &= later.all_integer
        self.only_zero_one &= later.only_zero_one
        if not self.count:
            self.consecutive, self._first = later.consecutive, later._first
        elif self.consecutive:
            self.consecutive = later.consecutive and _follow(self._last, later._first)
        self._last = later._last
        room = _UNIQUE_ROWS - self.count
        if self.unique_head and room > 0:
            self._take_head(later._head[:room])
            self.unique_head = self.unique_head and (later.unique_head or len(later._head) >= room)
        self._digest = merged(self._digest, later._digest, DIGEST_SIZE) if self.count else later._digest
        self.count += later.count
        if self.count >= _UNIQUE_ROWS or not self.unique_head:
            self._head = np.empty(0)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_digest": self._digest.serialize()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        import datasketches

        self.__dict__.update(state)
        self._digest = datasketches.tdigest_double.deserialize(state["_digest"])

    @property
    def minimum(self) -> float:
        """The least finite number; NaN where there is none."""
        return float(self._digest.get_min_value()) if self.count else float("nan")

    @property
    def maximum(self) -> float:
        """The largest finite number; NaN where there is none."""
        return float(self._digest.get_max_value()) if self.count else float("nan")

    @property
    def is_one_inexact(self) -> bool:
        """Whether all are one number that float64 may have rounded."""
        return self.count > 0 and self.minimum == self.maximum and abs(self.minimum) >= EXACT

    def quantiles(self, ranks: np.ndarray[Any, Any]) -> Floats:
        """Values at the given ranks in [0, 1]; shape [len(ranks)]."""
        return np.array([self._digest.get_quantile(float(rank)) for rank in ranks])


def _follow(last: float | None, first: float | None) -> bool:
    """Whether a number is the next one after another."""
    return last is not None and first is not None and first - last == 1


class ColumnProfile:
    """What was seen of one column, batch by batch. `counting` asks for category counts.

    Numbers of cells: `rows`; `missing`; `bad_numbers`, `not_boolean` and `not_datetime`, filled ones
    that cannot be read as such; `leading_zeros`; `decimal_commas`. `counts`: of each category, taken
    over `counted_rows`; incomplete where `overflowed`. `first_bad`: where the first cell that is no
    number stands, and its text; `bad_texts`: how often each such text is there, of the first
    `MAX_BAD_TEXTS` or so. `first_bad_date`: the same of dates. `written`: how its numbers are
    written; `codes`: whether they are codes. `must_count`: whether categories are counted in all rows, even
    if the first ones tell that they hardly repeat. `exact`: the spellings, two at most, of what float64 takes
    for one number. `instants`: its dates; `far_dates`: texts that stand for none. `dates`: in which other
    ways it may hold dates; `date`: what was decided. `left_out`: why it is not to be learned, where that is
    known. `example`: the first filled cell.

    With `is_text`, cells are text as somebody typed it: numbers, booleans and dates are looked for in
    it. Text in typed formats is looked through for boolean words and dates, since its '1' is not a number.
    """

    def __init__(self, field: pa.Field, is_text: bool, counting: bool, rules: cells.CellRules):
        self.field = field
        self.is_text = is_text and cells.is_text(field.type)
        self.kind = kind_of(field)
        self.readable = is_usable(field)
        self.rules = rules.of(field.name)
        self.left_out: str | None = None
        self.date: SettledDate | None = None
        self.must_count = False
        self._asked = counting
        self._begin()

    def _begin(self) -> None:
        """Nothing seen yet."""
        self.written = Evidence()
        self.codes = CodeEvidence()
        self.exact: set[str] = set()
        self.rows = 0
        self.missing = 0
        self.example: str | None = None
        self.numbers = NumberProfile()
        self.bad_numbers = 0
        self.first_bad: tuple[str, str] | None = None
        self.bad_texts: Counter[str] = Counter()
        self.leading_zeros = 0
        self.decimal_commas = 0.0
        self.not_boolean = 0
        self.not_datetime = 0
        self.first_bad_date: tuple[str, str] | None = None
        self.instants = InstantProfile()
        self.far_dates: Counter[str] = Counter()
        self.dates = DateEvidence(self.field.name, self.rules.date)
        self.counts: Counter[str] = Counter()
        self.counted_rows = 0
        self.overflowed = False
        self._counting = self._asked
        self._parsing = True
        self._dating = True
        self._spared = False

    def fresh(self, pilot: ColumnProfile | None = None) -> ColumnProfile:
        """An empty one of the same column, to be asked the same.

        `pilot`: that of the first rows of all, if it is not for these: what they leave no hope for is not
        looked for again.
        """
        empty = copy.copy(self)
        empty._begin()
        if pilot is not None:
            empty._counting = self._counting or pilot._counting
            empty._spared = not self.must_count and pilot._is_nearly_unique
            empty._parsing = pilot._parsing
            empty._dating = 2 * pilot.not_datetime <= pilot.rows
            empty.written.hopeless = pilot.written.hopeless
            empty.codes.hopeless = pilot.codes.hopeless
            empty.dates.begin_as(pilot.dates)
        return empty

    def add(self, later: ColumnProfile) -> None:
        """Take in what was seen of the same column in the rows behind these."""
        self.rows += later.rows
        self.missing += later.missing
        self.example = later.example if self.example is None else self.example
        self.numbers.add(later.numbers)
        self.exact |= later.exact
        self.bad_numbers += later.bad_numbers
        self.first_bad = self.first_bad or later.first_bad
        if len(self.bad_texts) < MAX_BAD_TEXTS:
            self.bad_texts.update(later.bad_texts)
        self.leading_zeros += later.leading_zeros
        self.decimal_commas += later.decimal_commas
        self.not_boolean += later.not_boolean
        self.not_datetime += later.not_datetime
        self.first_bad_date = self.first_bad_date or later.first_bad_date
        self.written.add(later.written)
        self.codes.add(later.codes)
        self.instants.add(later.instants)
        self.far_dates.update(later.far_dates)
        self.dates.add(later.dates)
        self.counted_rows += later.counted_rows
        if not self.overflowed:
            self.counts.update(later.counts)
            self.overflowed = later.overflowed or len(self.counts) > MAX_COUNTED

    def update(self, array: pa.Array, locate: Callable[[int], str]) -> None:
        """Take in one batch; `locate` names its row with a given index, for messages."""
        array = cells.plain(array)
        self.rows += len(array)
        if not self.readable:
            return
        if self.example is None:
            self._take_example(array)
        if cells.is_text(array.type) or pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
            self.dates.take(array, self.rules, locate)
        if cells.is_datetime(array.type):
            read = cells.datetimes(array, self.rules)
            self._take_far(array, read)
            self._take_datetimes(array, read)
        elif cells.is_text(array.type) and (self.is_text or not cells.is_text(self.kind_type)):
            self._take_text(array, locate)
        elif cells.is_text(array.type):
            self._take_typed_text(array, locate)
        else:
            self._take_typed_numbers(array)
        if self._counting and not self.overflowed and not self._spared:
            self._count(array)
        if self.numbers.is_one_inexact and len(self.exact) < 2:
            names = cells.categories(array, self.rules).drop_null()
            self.exact |= set(cells.whole(names).unique().to_pylist()[:2])

    def _take_typed_numbers(self, array: pa.Array) -> None:
        read = cells.numbers(array, self.rules)
        self.missing += int(read.missing.sum())
        self.numbers.update(read.values)
        if self.is_text:
            # Text in other files of the dump, where dates and words are looked for.
            filled = int((~read.missing).sum())
            self.not_boolean += filled - int(((read.values == 0) | (read.values == 1)).sum())
            self.not_datetime += filled

    def _take_example(self, array: pa.Array) -> None:
        filled = np.flatnonzero(~cells.empty(array, self.rules))
        if len(filled):
            self.example = str(array[int(filled[0])].as_py())

    def _take_written(self, array: pa.Array, read: cells.Cells | None, filled: int) -> None:
        """See how numbers are written; quickly where all are plain and it is clear what their mark means."""
        if self.written.hopeless:
            self.written.cells += filled
            return
        untouched = read is not None and self.rules.writing is None and not self.bad_numbers
        if read is not None and untouched and not read.bad.any():
            marked = not self.written.settles(".") and pc.any(pc.match_substring(array, ".")).as_py()
            if not marked:
                self.written.take_plain(read.values)
                return
        self.written.take(cells.filled_text(array, self.rules))

    def _take_text(self, array: pa.Array, locate: Callable[[int], str]) -> None:
        if not self._parsing:
            filled = int((~cells.empty(array, self.rules)).sum())
            self.missing += len(array) - filled
            # Not looked at any more, these cells count as what nearly all before them were.
            self.bad_numbers += filled
            self.not_boolean += filled
            self.not_datetime += filled
            self._take_written(array, None, filled)
            return
        read = cells.numbers(array, self.rules)
        filled = len(array) - int(read.missing.sum())
        self._take_written(array, read, filled)
        if not self.codes.hopeless:
            self.codes.take(array.filter(pa.array(~read.missing)), read.values[~read.missing])
        self.missing += len(array) - filled
        truths = int(((read.values == 0) | (read.values == 1)).sum())
        self.numbers.update(read.values)
        bad = int(read.bad.sum())
        self.bad_numbers += bad
        if bad and self.first_bad is None:
            index = int(read.bad.argmax())
            self.first_bad = (locate(index), array[index].as_py())
        if bad and len(self.bad_texts) < MAX_BAD_TEXTS:
            texts = pc.utf8_trim_whitespace(array.filter(pa.array(read.bad)))
            self.bad_texts.update(
                {entry["values"]: entry["counts"] for entry in texts.value_counts().to_pylist()}
            )
        self.leading_zeros += int(pc.sum(pc.match_substring_regex(array, _LEADING_ZERO)).as_py() or 0)
        if bad:
            self._counting = True
            self.decimal_commas += cells.decimal_comma_share(array) * filled
            self.not_boolean += int(cells.booleans(array, self.rules).bad.sum())
            self._take_dates(array, filled, locate)
        else:
            self.not_boolean += filled - truths
            self.not_datetime += filled
            self._counting = self._counting or self.leading_zeros > 0
        hopeless = self.rows >= 1000 and all(
            misfits * 2 > self.rows for misfits in (self.bad_numbers, self.not_boolean, self.not_datetime)
        )
        self._parsing = not hopeless

    def _take_typed_text(self, array: pa.Array, locate: Callable[[int], str]) -> None:
        filled = int((~cells.empty(array, self.rules)).sum())
        self.missing += len(array) - filled
        if self.not_boolean == 0:
            self.not_boolean += int(cells.booleans(array, self.rules).bad.sum())
            self.bad_numbers += int(cells.numbers(array, self.rules).bad.sum())
        self._take_dates(array, filled, locate)

    def _take_dates(self, array: pa.Array, filled: int, locate: Callable[[int], str]) -> None:
        """Look for dates in text, until it is clear that it holds something else."""
        if not self._dating or self.not_datetime * 2 > self.rows:
            self.not_datetime += filled
            return
        instants = cells.datetimes(array, self.rules)
        self._take_far(array, instants)
        self.not_datetime += int(instants.bad.sum())
        if self.first_bad_date is None and instants.bad.any():
            index = int(instants.bad.argmax())
            self.first_bad_date = (locate(index), str(array[index].as_py()))
        self.instants.update(instants.values, lambda index: str(array[index].as_py()).strip())

    def _take_far(self, array: pa.Array, read: cells.Cells) -> None:
        """Count dates that stand for none, by their text."""
        far = array.filter(pa.array(read.missing & ~cells.empty(array, self.rules)))
        for entry in far.value_counts().to_pylist():
            self.far_dates[str(entry["values"]).strip()] += entry["counts"]

    def _take_datetimes(self, array: pa.Array, read: cells.Cells) -> None:
        self.missing += int(read.missing.sum())
        self.instants.update(read.values, lambda index: str(array[index].as_py()).strip())
        if self.is_text:
            # Text in other files of the dump, where numbers and words are looked for.
            filled = int((~read.missing).sum())
            self.bad_numbers += filled
            self.not_boolean += filled

    def _count(self, array: pa.Array) -> None:
        self.counted_rows += len(array)
        for entry in cells.categories(array, self.rules).drop_null().value_counts().to_pylist():
            self.counts[entry["values"]] += entry["counts"]
        if len(self.counts) > MAX_COUNTED:
            self.overflowed = True

    @property
    def first_instant(self) -> float:
        """The earliest of its dates in seconds since 1970; infinite where there is none."""
        return self.instants.first

    @property
    def last_instant(self) -> float:
        """The latest of its dates in seconds since 1970; minus infinite where there is none."""
        return self.instants.last

    @property
    def kind_type(self) -> pa.DataType:
        """The type of the cells, dictionary encoding undone."""
        return cells.value_type(self.field.type)

    @property
    def filled(self) -> int:
        """How many cells are not missing."""
        return self.rows - self.missing

    @property
    def is_boolean_type(self) -> bool:
        """Whether cells are stored as booleans."""
        return bool(pa.types.is_boolean(self.kind_type))

    @property
    def holds_boolean_words(self) -> bool:
        """Whether all cells of a text column are booleans, and not all of them 0 and 1."""
        return self.bad_numbers > 0 and self.not_boolean == 0

    @property
    def holds_codes(self) -> bool:
        """Whether all cells are whole numbers, none with leading zeros, or booleans."""
        whole = self.numbers.count > 0 and self.bad_numbers == 0 and self.numbers.all_integer
        return (whole and not self.leading_zeros) or self.holds_boolean_words

    @property
    def _is_nearly_unique(self) -> bool:
        """Whether the cells counted hardly repeat: of a whole table, they are too many to be counted."""
        return len(self.counts) > _NEARLY_UNIQUE * max(self.counts.total(), _LEAST_COUNTED)

    @property
    def is_counted(self) -> bool:
        """Whether the category counts cover every row."""
        return self.counted_rows == self.rows


def is_usable(field: pa.Field) -> bool:
    """Whether a column can be looked at: lists, objects and binary data cannot."""
    return cells.is_readable(field.type) and not (field.metadata or {}).get(b"aedetect.nested")


def kind_of(field: pa.Field) -> str:
    """What a column holds, in words for messages."""
    return name_of_type(field.type) if is_usable(field) or not cells.is_text(field.type) else "list or object"


def profile_columns(
    schema: pa.Schema, is_text: bool, counting: set[str], parsed: set[str], rules: cells.CellRules
) -> dict[str, ColumnProfile]:
    """Empty profiles for the columns of `schema`; typed columns of text and booleans are always counted.

    `parsed` are columns whose text is to be looked through for numbers, whatever the format.
    """
    return {
        field.name: ColumnProfile(
            field,
            is_text or field.name in parsed or AS_TYPED in (field.metadata or {}),
            field.name in counting or (not is_text and _is_countable(cells.value_type(field.type))),
            rules,
        )
        for field in schema
    }


def _is_countable(type_: pa.DataType) -> bool:
    return cells.is_text(type_) or bool(pa.types.is_boolean(type_))
