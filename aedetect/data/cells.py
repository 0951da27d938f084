"""Reading the cells of one Arrow column as numbers, booleans, instants or category names.

The same functions serve profiling at training and encoding at scoring, so a cell means the same
in both. Each returns what could be read, which cells are missing, and which are neither: *bad*.
None of them raises for what a cell holds.

Which texts mean 'missing' is what `pandas.read_csv` takes for missing by default, in every column
and format: the same rows then give the same scores from a text file, from a DataFrame that pandas
made of it, and from a Parquet file written from that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data.arrays import Floats, Mask
from aedetect.data.written_numbers import Writing

# What pandas.read_csv takes for missing unless told otherwise.
NA_TEXTS = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
# Where numbers, booleans or dates are expected, these can mean nothing else.
_FURTHER_NA_TEXTS = ("NAN", "none", "NIL")
# What version 0.1.0 took for missing among numbers, booleans and dates.
_NA_TEXTS_OF_0_1_0 = (
    "", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN", "-NaN", "-nan",
    "NULL", "null", "None", "none", "NIL",
)  # fmt: skip
TRUE_TOKENS = ("true", "yes", "t", "y", "1", "1.0", "on")
FALSE_TOKENS = ("false", "no", "f", "n", "0", "0.0", "off")

# Numbers beyond float32 (1e300, say) are no measurements: like infinite ones, they are never learned.
LARGEST = float(np.finfo(np.float32).max)
_NUMBER = r"(?i)^[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?)$"
_DECIMAL_COMMA = r"^[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?$"
NaRule = Literal["0.1.0", "pandas"]
_SECONDS_PER_UNIT = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

# Seconds since 1970 of the years 1000 and 2200.
DATES = -30_610_224_000.0, 7_258_118_400.0


@dataclass(frozen=True)
class Cells:
    """One column of a batch, read. Shapes: all [rows].

    `values` is float64: the number, 0/1, or seconds since 1970 (UTC); NaN where missing or bad.
    """

    values: Floats
    missing: Mask
    bad: Mask


class DateReader(Protocol):
    """How the dates of a column are read that are not plain ISO 8601."""

    def instants(self, array: pa.Array, rules: CellRules) -> Cells:
        """Cells as seconds since 1970 in UTC; never raises for what one holds."""
        ...


@dataclass(frozen=True)
class CellRules:
    """How cells are to be read.

    `decimal`: the decimal mark of numbers in text. `na_values`: further texts that mean 'missing';
    those that are numbers mean it however the number is spelled or stored.
    `na_rule`: 'pandas', or '0.1.0' for models of that version: there only empty cells are missing
    in a column of categories, and 'NA' is a name as others are.
    `writings`: how the numbers of columns are written that are not plain, by column name; `writing`: that
    of the column being read. `dates`, `date`: the same of dates.
    """

    decimal: str = "."
    na_values: tuple[str, ...] = ()
    na_rule: NaRule = "pandas"
    writings: Mapping[str, Writing] = field(default_factory=dict, hash=False)
    writing: Writing | None = None
    dates: Mapping[str, DateReader] = field(default_factory=dict, hash=False)
    date: DateReader | None = None

    def of(self, column: str) -> CellRules:
        """How the cells of one column are to be read."""
        writing, date = self.writings.get(column), self.dates.get(column)
        return self if writing is None and date is None else replace(self, writing=writing, date=date)

    @property
    def missing_values(self) -> tuple[str, ...]:
        """The texts that stand for a missing number, boolean or date."""
        usual = (*NA_TEXTS, *_FURTHER_NA_TEXTS) if self.na_rule == "pandas" else _NA_TEXTS_OF_0_1_0
        return (*usual, *self.na_values)

    @property
    def missing_names(self) -> tuple[str, ...]:
        """The texts that stand for a missing category."""
        return (*(NA_TEXTS if self.na_rule == "pandas" else ("",)), *self.na_values)

    @property
    def missing_numbers(self) -> list[float]:
        """The numbers among `na_values`."""
        if self.na_rule != "pandas":
            return []
        texts = [text.strip().replace(self.decimal, ".") for text in self.na_values]
        return [float(text) for text in texts if re.match(_NUMBER, text)]

    @property
    def missing_dates(self) -> list[float]:
        """The dates among `na_values`, in seconds since 1970: in typed columns they are no text."""
        texts = [text.strip() for text in self.na_values]
        return [seconds for text in texts if (seconds := _iso_seconds(text)) is not None]


def _iso_seconds(text: str) -> float | None:
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def plain(array: pa.Array) -> pa.Array:
    """Undo dictionary encoding and unusual string layouts."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    return array


def is_readable(type_: pa.DataType) -> bool:
    """Whether columns of this Arrow type can be read at all (lists, structs and binary cannot)."""
    kinds = pa.types
    type_ = value_type(type_)
    return bool(
        is_text(type_)
        or is_number(type_)
        or kinds.is_boolean(type_)
        or kinds.is_null(type_)
        or is_datetime(type_)
    )


def is_text(type_: pa.DataType) -> bool:
    """Strings, however they are stored."""
    kinds = pa.types
    return bool(kinds.is_string(type_) or kinds.is_large_string(type_) or kinds.is_string_view(type_))


def is_number(type_: pa.DataType) -> bool:
    """Numbers, and durations and times of day, which are read as seconds."""
    kinds = pa.types
    return bool(
        kinds.is_integer(type_) or kinds.is_floating(type_) or kinds.is_decimal(type_)
        or kinds.is_duration(type_) or kinds.is_time(type_)
    )  # fmt: skip


def is_datetime(type_: pa.DataType) -> bool:
    """Timestamps and dates."""
    return bool(pa.types.is_timestamp(type_) or pa.types.is_date(type_))


def numbers(array: pa.Array, rules: CellRules) -> Cells:
    """Read cells as float64; text such as '1e400' reads as infinite, not as bad.

    Durations and times of day are read as seconds; dates are bad.
    """
    array = plain(array)
    read = _numbers(array, rules)
    if not rules.missing_numbers or pa.types.is_boolean(array.type):
        return read
    named = np.isin(read.values, rules.missing_numbers)
    return Cells(np.where(named, np.nan, read.values), read.missing | named, read.bad)


def _numbers(array: pa.Array, rules: CellRules) -> Cells:
    kinds = pa.types
    if is_text(array.type):
        trimmed, missing = _trim(array, rules.missing_values, ())
        if rules.writing is not None:
            return _written(trimmed, missing, rules.writing)
        if rules.decimal == ",":
            trimmed = pc.replace_substring(trimmed, ",", ".", max_replacements=1)
        return _parse(trimmed, missing, lambda text: pc.cast(text, pa.float64()), _NUMBER)
    if kinds.is_duration(array.type) or kinds.is_time(array.type):
        unit = _SECONDS_PER_UNIT[array.type.unit]
        width = pa.int32() if array.type.bit_width == 32 else pa.int64()
        array = pc.multiply(pc.cast(array.view(width), pa.float64()), unit)
    elif kinds.is_null(array.type) or kinds.is_boolean(array.type):
        array = pc.cast(pc.cast(array, pa.int8()), pa.float64())
    elif is_datetime(array.type):
        return _all_bad(array)
    else:
        array = pc.cast(array, pa.float64(), safe=False)
    return _settled(array)


def _written(trimmed: pa.Array, missing: Mask, writing: Writing) -> Cells:
    text, factors = writing.parts(trimmed)
    values = _float64(pc.multiply(pc.cast(text, pa.float64()), factors))
    return Cells(np.where(missing, np.nan, values), missing, np.isnan(values) & ~missing)


def filled_text(array: pa.Array, rules: CellRules) -> pa.Array:
    """The text cells that are not missing, without spaces around them."""
    trimmed, missing = _trim(plain(array), rules.missing_values, rules.missing_numbers, rules.decimal)
    return trimmed.filter(pa.array(~missing))


def booleans(array: pa.Array, rules: CellRules) -> Cells:
    """Read cells as 0 or 1: booleans, the numbers 0 and 1, and words such as 'yes'."""
    array = plain(array)
    if is_text(array.type):
        trimmed, missing = _trim(array, rules.missing_values, rules.missing_numbers, rules.decimal)
        lowered = pc.utf8_lower(trimmed)
        true = pc.is_in(lowered, pa.array(TRUE_TOKENS))
        false = pc.is_in(lowered, pa.array(FALSE_TOKENS))
        bad = _numpy(pc.invert(pc.or_(true, false))) & ~missing
        values = np.where(missing | bad, np.nan, _numpy(true).astype(np.float64))
        return Cells(values, missing, bad)
    cells = numbers(array, rules)
    with np.errstate(invalid="ignore"):
        bad = cells.bad | ~(cells.missing | (cells.values == 0) | (cells.values == 1))
    return Cells(np.where(bad, np.nan, cells.values), cells.missing, bad)


def datetimes(array: pa.Array, rules: CellRules) -> Cells:
    """Read cells as seconds since 1970 in UTC; times without a zone are taken as UTC.

    Dates that stand for none, such as 9999-12-31, are missing.
    """
    read = _datetimes(array, rules)
    if rules.na_rule != "pandas":
        return read
    if is_datetime(value_type(array.type)) and rules.missing_dates:
        named = np.isin(read.values, rules.missing_dates)
        read = Cells(np.where(named, np.nan, read.values), read.missing | named, read.bad)
    return without_far(read)


def without_far(read: Cells) -> Cells:
    """Dates with those missing that stand for 'never': no date of the years 1000 to 2199."""
    with np.errstate(invalid="ignore"):
        far = (read.values < DATES[0]) | (read.values >= DATES[1])
    return Cells(np.where(far, np.nan, read.values), read.missing | far, read.bad) if far.any() else read


def _datetimes(array: pa.Array, rules: CellRules) -> Cells:
    array = plain(array)
    if rules.date is not None and not is_datetime(array.type):
        return rules.date.instants(array, replace(rules, date=None, writing=None))
    utc = pa.timestamp("us", tz="UTC")
    if is_text(array.type):
        trimmed, missing = _trim(array, rules.missing_values, rules.missing_numbers, rules.decimal)
        dated = pc.match_substring_regex(trimmed, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}.*)?$")
        aware = _names_zone(trimmed)
        text = pc.if_else(pc.and_(dated, aware), trimmed, None)
        naive = pc.if_else(pc.and_(dated, pc.invert(aware)), trimmed, None)
        seconds = np.full(len(array), np.nan)
        for part, target in ((text, utc), (naive, pa.timestamp("us"))):
            micro = pc.replace_substring_regex(part, r"(\.[0-9]{6})[0-9]+", r"\1")
            values = _seconds(_cast_each(micro, target))
            seconds = np.where(np.isnan(seconds), values, seconds)
        bad = np.isnan(seconds) & ~missing
        return Cells(np.where(missing, np.nan, seconds), missing, bad)
    if pa.types.is_null(array.type):
        return _settled(pc.cast(array, pa.float64()))
    if not is_datetime(array.type):
        return _all_bad(array)
    values = _seconds(pc.cast(array, pa.timestamp("us", tz=getattr(array.type, "tz", None)), safe=False))
    return Cells(values, np.isnan(values), np.zeros(len(values), np.bool_))


def zoned(array: pa.Array) -> Mask:
    """Which text cells end in a time zone: 'Z', or an offset such as +02:00; shape [rows]."""
    return _numpy(_names_zone(_trim(plain(array), ("",), ())[0]))


def categories(array: pa.Array, rules: CellRules) -> pa.Array:
    """Read cells as category names (a string array, null where missing).

    Whole numbers read alike whether stored as 1, 1.0 or '1', and letters whether their accents are
    composed or not (Unicode's form NFC), so a category survives a change of file format or of program.
    Missing are the texts of `rules.missing_names`.
    """
    array = plain(array)
    if is_text(array.type):
        trimmed, missing = _trim(array, rules.missing_names, rules.missing_numbers, rules.decimal)
        return pc.if_else(pa.array(missing), None, pc.utf8_normalize(trimmed, "NFC"))
    names = _names(array)
    if rules.na_values and rules.na_rule == "pandas":
        named = pa.array(_trim(names, rules.na_values, rules.missing_numbers)[1])
        names = pc.if_else(named, pa.scalar(None, pa.string()), names)
    return names


def _names(array: pa.Array) -> pa.Array:
    """Names of cells that are not text."""
    if pa.types.is_floating(array.type):
        whole = pc.and_(pc.equal(array, pc.round(array)), pc.less(pc.abs(array), 2.0**53))
        integers = pc.cast(pc.if_else(whole, array, None), pa.int64())
        return pc.coalesce(
            pc.cast(integers, pa.string()), pc.cast(pc.if_else(pc.is_nan(array), None, array), pa.string())
        )
    return pc.cast(array, pa.string())


def whole(names: pa.Array) -> pa.Array:
    """Names, whole numbers among them without a sign of plus and decimals: '+1.0' as '1'."""
    return pc.replace_substring_regex(names, r"^\+?(-?[0-9]+)\.0*$", r"\1")


def codes(names: pa.Array, rules: CellRules) -> pa.Array:
    """Names of categories that are whole numbers or booleans, each in one spelling.

    A gap in a column of whole numbers makes some programs write 1 as 1.0, and booleans are
    spelled true, True or TRUE. Here a name for a missing number is missing.
    """
    plain = whole(pc.utf8_lower(names))
    nothing = rules.missing_values if rules.na_rule == "pandas" else _NA_TEXTS_OF_0_1_0
    is_nothing = pc.is_in(plain, pa.array([text.lower() for text in nothing], pa.string()))
    return pc.if_else(is_nothing, pa.scalar(None, pa.string()), plain)


def empty(array: pa.Array, rules: CellRules) -> Mask:
    """Which cells hold nothing, in a column of whatever type: no number, boolean or date; [rows]."""
    array = plain(array)
    if is_text(array.type):
        return _trim(array, rules.missing_values, rules.missing_numbers, rules.decimal)[1]
    absent = _numpy(array.is_null(nan_is_null=True))
    if rules.missing_numbers and is_number(array.type):
        return absent | numbers(array, rules).missing
    if rules.missing_dates and is_datetime(array.type):
        return absent | datetimes(array, rules).missing
    return absent


def spelled(value: str) -> str:
    """A constant as its cells were written: 7, where a number read from them is held as '7.0'."""
    whole = value.removesuffix(".0")
    return whole if whole.removeprefix("-").isdecimal() else value


def value_type(type_: pa.DataType) -> pa.DataType:
    """The type of a column's cells, dictionary encoding undone."""
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def decimal_comma_share(array: pa.Array) -> float:
    """Share of the non-empty text cells that look like '1,5'."""
    trimmed, missing = _trim(plain(array), (*NA_TEXTS, *_FURTHER_NA_TEXTS), ())
    filled = int((~missing).sum())
    return float(_numpy(pc.match_substring_regex(trimmed, _DECIMAL_COMMA)).sum()) / filled if filled else 0.0


def _trim(
    array: pa.Array, missing_tokens: Sequence[str], missing_numbers: Sequence[float], decimal: str = "."
) -> tuple[pa.Array, Mask]:
    """Text without spaces around it, and which cells are one of these texts or spell one of these numbers."""
    trimmed = pc.fill_null(pc.utf8_trim_whitespace(array), "")
    missing = _numpy(pc.is_in(trimmed, pa.array(missing_tokens, pa.string())))
    if missing_numbers:
        point = pc.replace_substring(trimmed, decimal, ".", max_replacements=1)
        spelled_numbers = pc.if_else(pc.match_substring_regex(point, _NUMBER), point, None)
        missing |= np.isin(_float64(pc.cast(spelled_numbers, pa.float64())), missing_numbers)
    return trimmed, missing


def _names_zone(trimmed: pa.Array) -> pa.Array:
    offset = pc.match_substring_regex(trimmed, r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)$")
    # A date alone ends in '-dd', which looks like an offset.
    return pc.and_(offset, pc.greater(pc.utf8_length(trimmed), 10))


def _parse(trimmed: pa.Array, missing: np.ndarray[Any, Any], cast: Any, pattern: str) -> Cells:
    text = pc.if_else(pa.array(missing), None, trimmed) if missing.any() else trimmed
    try:
        values = _float64(cast(text))
        return Cells(values, missing, np.isnan(values) & ~missing)
    except pa.ArrowInvalid:
        fits = pc.match_substring_regex(trimmed, pattern)
        values = _float64(cast(pc.if_else(fits, text, None)))
        return Cells(values, missing, ~_numpy(fits) & ~missing)


def _settled(array: pa.Array) -> Cells:
    values = _float64(array)
    return Cells(values, np.isnan(values), np.zeros(len(values), np.bool_))


def _all_bad(array: pa.Array) -> Cells:
    missing = _numpy(array.is_null())
    return Cells(np.full(len(array), np.nan), missing, ~missing)


def _cast_each(text: pa.Array, target: pa.DataType) -> pa.Array:
    """Cast text to timestamps, null where a cell does not fit (a 30th of February, say)."""
    try:
        return pc.cast(text, target)
    except pa.ArrowInvalid:
        if len(text) == 1:
            return pa.nulls(1, target)
        middle = len(text) // 2
        return pa.concat_arrays([_cast_each(text[:middle], target), _cast_each(text[middle:], target)])


def _seconds(array: pa.Array) -> Floats:
    return _float64(pc.cast(pc.cast(array, pa.int64()), pa.float64(), safe=False)) / 1e6


def _float64(array: pa.Array) -> Floats:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)


def _numpy(array: pa.Array) -> Mask:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)
