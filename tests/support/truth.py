"""Every sentence of an explanation, read back and held against the training rows themselves.

Nothing of how a sentence came about is used: its numbers, shares and categories are recomputed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from aedetect.tasks.explain import Explanation
from aedetect.tasks.explain.rows import ColumnReason

# A share is rounded down to a tenth of a percent, and may be less by what a digest and one row leave unknown.
_BELOW = 0.006
_TIED, _CELL = 0.009, 0.03
_ORDINARY = 0.05
# Leap years move a phase of the year by a day, and counting from 1 March by another.
_DAYS_OFF, _MINUTE = 2, 60
# What is said to be about a number is so to this share of it: encoded rows are float32.
_ABOUT = 2e-6
_ENDINGS = (
    "; each value is ordinary on its own, their combination is not",
    "; on its own, that value is ordinary",
    "; on their own, these values are ordinary",
)
_NUMBER = r"(?:about )?-?[\d,]+(?:\.\d+)?(?:e[+-]\d+)?"


_RARE = "a rare value"
_OPTION = f"(?:{_NUMBER}|{_RARE})"


@dataclass(frozen=True)
class Claim:
    """One thing that is said, of which kind it is, and what is untrue about it, '' for nothing."""

    kind: str
    text: str
    fault: str


class Truth:
    """Training rows, as they were given, against which explanations of rows are checked."""

    def __init__(self, train: pd.DataFrame):
        self._columns = {str(name): train[name] for name in train.columns}

    def claims(self, one: Explanation, row: pd.Series[Any]) -> list[Claim]:
        """What the explanation of a row, given as its cells by column, says; each checked."""
        found: list[Claim] = []
        for reason in one.columns:
            found += self._of_reason(reason, row[reason.column])
        found += self._of_row(one, row)
        for near in one.nearest:
            found += [
                Claim("nearest", f"{name}: {text}", self._nearest(name, text)) for name, text in near.items()
            ]
        return found

    def _of_reason(self, reason: ColumnReason, cell: Any) -> Iterator[Claim]:
        column, sentence = self._columns[reason.column], reason.sentence
        yield Claim("value", sentence, _value_fault(column, cell, reason.display_value))
        if reason.rarity.text:
            kind, fault = self._rarity(column, cell, reason.rarity.text, reason.display_value)
            yield Claim(kind, f"{reason.column}: {reason.rarity.text}", fault)
        beginning = f"{reason.column} is {reason.display_value}"
        if not sentence.startswith(beginning):
            yield Claim("unread", sentence, f"does not begin with {beginning!r}")
            return
        rest = sentence.removeprefix(beginning).removeprefix(f" ({reason.rarity.text})")
        yield Claim(*self._comparison(column, cell, reason.display_value, rest, sentence))

    def _comparison(self, column: pd.Series[Any], cell: Any, shown: str, rest: str, sentence: str) -> Any:
        if rest.startswith("; rows like this "):
            expected = rest.removeprefix("; rows like this ")
            if expected.startswith("are from "):
                return "expected", sentence, ""
            return "expected", sentence, _expected_fault(column, shown, expected.removeprefix("have "))
        if rest == ", a time as in rows like this":
            return "expected", sentence, ""
        if rest == ", as in rows like this":
            return "alike", sentence, _alike_fault(column, cell)
        if rest == ", as always in training":
            return "constant", sentence, "" if (column == cell).all() else "was not always so"
        if match := re.fullmatch("; it was always (.*) in training", rest):
            alike = column.nunique(dropna=False) == 1 and _same(column.iloc[0], match[1])
            fault = "" if alike and not _same(cell, match[1]) else "was not always so, or is so now"
            return "constant", sentence, fault
        return ("bare", sentence, "") if not rest else ("unread", sentence, f"what is {rest!r}?")

    def _rarity(self, column: pd.Series[Any], cell: Any, text: str, shown: str) -> tuple[str, str]:
        values = column.dropna()
        if match := re.fullmatch(r"(above|below) all normal rows, whose (?:highest|lowest) is (.*)", text):
            return "bound", _bound_fault(values, cell, match[1] == "above", match[2], shown)
        if match := re.fullmatch(r"the (highest|lowest) in training", text):
            end = values.max() if match[1] == "highest" else values.min()
            return "extreme", "" if cell == end else f"it is {end}"
        if match := re.fullmatch(r"(higher|lower) than ([\d.]+)% of normal rows(?: with a value)?", text):
            beyond = float((values < cell if match[1] == "higher" else values > cell).mean())
            said = float(match[2]) / 100
            # Where many rows have one number, what is counted for certain ends at the next of forty cells.
            tied = values.value_counts(normalize=True).max() >= _TIED
            below = _CELL if tied else _BELOW
            true = said <= beyond + 1e-9 and beyond - said <= below + 2 / len(values) and said < 1
            return "tail", "" if true else f"it is {beyond:.4%}"
        if match := re.fullmatch(r"(so|missing) in (.*) of normal rows", text):
            share = column.isna().mean() if match[1] == "missing" else _share_alike(column, cell)
            return "share", _share_fault(float(share), match[2])
        if text == "ordinary on its own":
            return "ordinary", _ordinary_fault(column, cell)
        if text == "never missing in training":
            return "missing", "" if not column.isna().any() else "it was"
        if text.startswith("never "):
            share = _share_alike(column, cell)
            most = {"never seen in training": 0.0}.get(text, 0.01)
            if match := re.search(r"in at most ([\d.]+)% of", text):
                most = float(match[1]) / 100 + 0.005
            return "unseen", "" if share <= most else f"it was, in {share:.2%}"
        return "unread", f"what is {text!r}?"

    def _of_row(self, one: Explanation, row: pd.Series[Any]) -> Iterator[Claim]:
        if one.score is None:
            return
        text = one.sentence
        ending = next((ending for ending in _ENDINGS if text.endswith(ending)), "")
        parts = text.removesuffix(ending).split(". Also, ")
        by_sentence = {reason.sentence: reason for reason in one.columns}
        fault = "" if all(part in by_sentence for part in parts) else "is none of the columns' sentences"
        yield Claim("row", text, fault)
        if not ending or fault:
            return
        named = [by_sentence[part].column for part in parts]
        ordinary = [reason.column for reason in one.columns] if ending == _ENDINGS[0] else named
        faults = [_ordinary_fault(self._columns[name], row[name]) for name in ordinary]
        wrong = [name for name, fault in zip(ordinary, faults, strict=True) if fault]
        yield Claim("ordinary", text, f"{wrong} are not" if wrong else "")

    def _nearest(self, name: str, text: str) -> str:
        column = self._columns[name]
        if text == "missing":
            return "" if column.isna().any() else "none is missing"
        if pd.api.types.is_datetime64_any_dtype(column) or text == "(rare)":
            return ""
        if _share_alike(column, text) or _has_date(column, text):
            return ""
        number = _number(text)
        if np.isnan(number) or not _numeric(column):
            return "no such value"
        # They went through float32 before they were rounded: a unit of the last digit, where half is usual.
        near = np.abs(column.astype(float) - number).min()
        return (
            ""
            if near <= 2 * _half_digit(text) + _ABOUT * text.startswith("about ") * abs(number)
            else f"the nearest is {near} away"
        )


def _has_date(column: pd.Series[Any], text: str) -> bool:
    """Whether a row of a column of dates written as text is that of 'Mon 14:30, about 27 Sep'."""
    match = re.fullmatch(
        r"(?:([A-Z][a-z]{2})?(?: ?(\d\d:\d\d))?)?(?:, |^)?(?:about (\d+ [A-Z][a-z]{2}))?", text
    )
    if match is None or not text:
        return False
    dates = _dates(column.dropna())
    same = pd.Series(True, index=dates.index)
    if match[1]:
        same &= dates.dt.strftime("%a") == match[1]
    if match[2]:
        hours, minutes = map(int, match[2].split(":"))
        seconds = dates.dt.hour * 3600 + dates.dt.minute * 60 + dates.dt.second
        same &= (seconds - (hours * 3600 + minutes * 60)).abs() <= _MINUTE
    if match[3]:
        day = pd.to_datetime(f"{match[3]} 2001", format="%d %b %Y").dayofyear
        apart = (dates.dt.dayofyear - day).abs()
        same &= (apart <= _DAYS_OFF) | (apart >= 365 - _DAYS_OFF)
    return bool(same.any())


def _dates(column: pd.Series[Any]) -> pd.Series[Any]:
    """Cells as dates: 20050110 is one, 1519702988 a number of seconds since 1970, text as it is written."""
    if not _numeric(column):
        return pd.to_datetime(column.astype(str), errors="coerce", format="mixed").dropna()
    if column.max() < 10**8:
        return pd.to_datetime(column.astype("int64").astype(str), errors="coerce", format="%Y%m%d").dropna()
    unit = "s" if column.max() < 10**11 else "ms"
    return pd.to_datetime(column.astype("int64"), errors="coerce", unit=unit).dropna()


def _value_fault(column: pd.Series[Any], cell: Any, text: str) -> str:
    if pd.isna(cell):
        return "" if text == "missing" else "is missing"
    if not _numeric(column):
        return "" if _same(cell, text) else f"is {cell}"
    number = _number(text)
    if np.isnan(number):
        return "" if not np.isfinite(float(cell)) else f"is {cell}"
    if abs(number - float(cell)) > _half_digit(text) * 1.0001:
        return f"is {cell!r}"
    return "is no whole number" if float(cell).is_integer() and not number.is_integer() else ""


def _bound_fault(values: pd.Series[Any], cell: Any, above: bool, bound: str, shown: str) -> str:
    end = float(values.max() if above else values.min())
    if not (cell > end if above else cell < end):
        return f"the extreme is {end}"
    said = _number(bound)
    if abs(said - end) > _half_digit(bound) * 1.0001:
        return f"the extreme is {end!r}"
    return "" if (_number(shown) > said if above else _number(shown) < said) else "both read alike"


def _expected_fault(column: pd.Series[Any], shown: str, text: str) -> str:
    if text in ("no value", "mostly no value"):
        return "" if column.isna().any() else "none is missing"
    if "100.0%" in text or text == shown:
        return "both read alike" if text == shown else "is all, or is not"
    if not _numeric(column):
        bare = re.sub(r" \(.*%\)$", "", text).removeprefix("mostly ").removeprefix("different values, ")
        options = bare.removesuffix(" most often").split(" or ")
        known = {"missing", "a rare value", *(str(value).lower() for value in column.unique())}
        return "" if all(option.lower() in known for option in options) else "no such category"
    return _range_fault(column.dropna().astype(float), re.sub(r" \([\d.]+%\)$", "", text), shown)


def _range_fault(values: pd.Series[Any], text: str, shown: str) -> str:
    if match := re.fullmatch(
        f"(?:mostly |different values, )?({_OPTION}(?: or {_OPTION})*)(?: most often)?", text
    ):
        options = match[1].split(" or ")
        absent = [
            option
            for option in options
            if option != _RARE
            and np.abs(values - _number(option)).min()
            > _half_digit(option) * 2 + _ABOUT * option.startswith("about ") * abs(_number(option))
        ]
        alike = shown in options
        return "both read alike" if alike else f"no row has {absent}" if absent else ""
    if match := re.fullmatch(f"({_NUMBER}) ± ({_NUMBER})", text):
        middle, wide = _number(match[1]), _number(match[2])
        low, high = middle - wide, middle + wide
        parts = [match[1], match[2]]
    elif match := re.fullmatch(f"({_NUMBER}) to ({_NUMBER})", text):
        low, high, parts = _number(match[1]), _number(match[2]), [match[1], match[2]]
    else:
        return f"what is {text!r}?"
    slack = max(map(_half_digit, parts)) + 1e-9 * max(abs(low), abs(high))
    if low < values.min() - slack or high > values.max() + slack or low >= high:
        return f"training has {values.min()} to {values.max()}"
    if (values % 1 == 0).all() and any(not _number(part).is_integer() for part in parts):
        return "the column is of whole numbers"
    number = _number(shown)
    inside = low + slack < number < high - slack
    return (
        "has it as well"
        if inside
        else ""
        if ((values >= low - slack) & (values <= high + slack)).any()
        else "no row"
    )


def _alike_fault(column: pd.Series[Any], cell: Any) -> str:
    if pd.isna(cell):
        return "" if column.isna().any() else "none is missing"
    if not _numeric(column):
        return "" if _share_alike(column, cell) else "no row has it"
    return "" if column.min() <= cell <= column.max() else "no row is near it"


def _ordinary_fault(column: pd.Series[Any], cell: Any) -> str:
    if pd.isna(cell):
        share = float(column.isna().mean())
    elif _numeric(column) and column.nunique() > 1:
        values = column.dropna()
        share = float(min((values <= cell).mean(), (values >= cell).mean()))
    else:
        share = _share_alike(column, cell)
    return "" if share > _ORDINARY - _BELOW - 1 / len(column) else f"only {share:.2%} are"


def _share_fault(share: float, said: str) -> str:
    words = {
        "none": share == 0,
        "all": share == 1,
        "less than 0.1%": 0 < share < 0.001,
        "more than 99.9%": 0.999 < share < 1,
    }
    if said in words:
        return "" if words[said] else f"it is {share:.4%}"
    number = said.removesuffix("%")
    true = abs(float(number) / 100 - share) <= _half_digit(number) / 100 * 1.0001 and said != "100.0%"
    return "" if true else f"it is {share:.4%}"


def _numeric(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _share_alike(column: pd.Series[Any], cell: Any) -> float:
    """The share of rows that have the very cell, however it is spelled."""
    if _numeric(column) and not pd.isna(cell):
        return float((column == _number(str(cell))).mean())
    counts = column.value_counts(dropna=False)
    return float(sum(count for value, count in counts.items() if _same(value, cell)) / len(column))


def _same(value: Any, other: Any) -> bool:
    if pd.isna(value) or pd.isna(other):
        return bool(pd.isna(value) and pd.isna(other))
    one, two = (_number(str(side)) for side in (value, other))
    return str(value).lower() == str(other).lower() or one == two


def _number(text: str) -> float:
    try:
        return float(text.removeprefix("about ").replace(",", ""))
    except ValueError:
        return float("nan")


def _half_digit(text: str) -> float:
    """Half a unit of the last digit that is written."""
    mantissa, _, exponent = text.removeprefix("about ").partition("e")
    decimals = len(mantissa.partition(".")[2])
    if text.startswith("about ") and not decimals:
        # Noughts at its end are no digits that are held.
        digits = mantissa.replace(",", "")
        decimals = len(digits.rstrip("0")) - len(digits)
    return float(0.5 * 10.0 ** (int(exponent or 0) - decimals))
