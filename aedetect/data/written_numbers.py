"""Numbers as people write them: 1,234 · 1 234 · $12.50 · 12% · (45) · 1.2k · 12 kWh.

What the marks of a column mean is decided from all its cells: one that can be read in one way alone
settles the others. What no cell settles is left open, and the user is asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

# More than these in one column are words behind numbers, and no units.
_MOST_AFFIXES = 12
_COUNTS = {
    "": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "bn": 1e9, "G": 1e9, "T": 1e12, "thousand": 1e3, "million": 1e6,
    "billion": 1e9, "Tsd": 1e3, "Mio": 1e6, "Mrd": 1e9, "Tsd.": 1e3, "Mio.": 1e6, "Mrd.": 1e9,
}  # fmt: skip
_SIZES = {
    "B": 1.0, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
    "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40,
}  # fmt: skip
# As Kubernetes writes them, plain ones being bytes.
_BINARY = {"": 1.0, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_SPANS = {
    "s": 1.0, "sec": 1.0, "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "m": 60.0, "min": 60.0,
    "h": 3600.0, "hr": 3600.0, "d": 86400.0,
}  # fmt: skip
_STEPS = {
    "": 1.0,
    "n": 1e-9,
    "µ": 1e-6,
    "μ": 1e-6,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
}
# Units of one kind, each by how many of the first they are: texts of one such list are numbers of one unit.
_FAMILIES: tuple[Mapping[str, float], ...] = (
    _SIZES,
    _BINARY,
    _SPANS,
    {**{f"{step}g": factor for step, factor in _STEPS.items() if factor <= 1e3}, "t": 1e6},
    {**{f"{step}m": factor for step, factor in _STEPS.items() if factor <= 1e3}, "cm": 1e-2},
    *(
        {f"{step}{unit}": factor for step, factor in _STEPS.items()}
        for unit in ("V", "A", "W", "Wh", "Hz", "Pa", "J")
    ),
    *(
        {f"{step}{unit}": factor for step, factor in _STEPS.items() if factor < 1} | {unit: 1.0}
        for unit in "lL"
    ),
)
# Texts that stand for no number among numbers.
DASHES = ("-", "?", "\u2013", "\u2014", "\u2212")
_SHARES = ("%", "‰")
CURRENCIES = ("USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN")
_CURRENCY = r"(?:[A-Z]{0,2}\p{Sc}|" + "|".join(CURRENCIES) + ")"
_UNIT = (
    r"(?:(?:Tsd|Mio|Mrd)\.?(?:\s?(?:\p{Sc}|EUR|CHF))?|[\p{L}\p{Sc}°%‰µ²³Ωμ][\p{L}\p{Sc}°%‰µ²³Ωμ/0-9]{0,7})"
)
_PARTS = (
    r"^(?P<open>\(?)(?P<sign>[+-]?)\s?(?P<before>" + _CURRENCY + r"?)\s?(?P<minus>-?)"
    r"(?P<body>[0-9.,](?:[0-9.,' _]*[0-9.,])?)(?P<gap>\s?)(?P<behind>(?:" + _UNIT + r")?)(?P<close>\)?)$"
)
# Nothing but digits, marks and a sign, as programs write them: the same parts, found without the classes of
# letters and currencies, which take longer to compile than thousands of cells to match.
_BARE = r"^[+-]?[0-9.,]+$"
_BARE_PARTS = (
    r"^(?P<open>)(?P<sign>[+-]?)(?P<before>)(?P<minus>)(?P<body>[0-9.,]+)(?P<gap>)(?P<behind>)(?P<close>)$"
)
# Signs that programs do not write: other dashes, behind the number, and a dash for nothing behind a currency.
_DASH = "[\u2212\u2013]"
_ODD_SIGN = _DASH + r"\s?[0-9.,]|[0-9]\s?(?:-|" + _DASH + ")$|^" + _CURRENCY + r"\s*(?:-|" + _DASH + ")+$"
_SCIENTIFIC = r"^[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)[eE][+-]?[0-9]+$"
# What a body may be read as, by the mark of its thousands and that of its decimals.
_SHAPES = {
    "whole": r"^[0-9]+$",
    "point3": r"^[1-9][0-9]{0,2}\.[0-9]{3}$",
    "comma3": r"^[1-9][0-9]{0,2},[0-9]{3}$",
    "point": r"^(?:[0-9]+\.[0-9]*|\.[0-9]+)$",
    "comma": r"^[0-9]*,[0-9]+$",
    "commas": r"^[1-9][0-9]{0,2}(?:,[0-9]{2,3})*,[0-9]{3}(?:\.[0-9]+)?$",
    "points": r"^[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]+)?$",
    "groups": r"^[1-9][0-9]{0,2}(?:[ '_][0-9]{3})+$",
    "groups_point": r"^[1-9][0-9]{0,2}(?:[ '_][0-9]{3})+\.[0-9]+$",
    "groups_comma": r"^[1-9][0-9]{0,2}(?:[ '_][0-9]{3})+,[0-9]+$",
}
_READINGS = {
    ("", "."): {"whole", "point", "point3"},
    (" ", "."): {"whole", "point", "point3", "groups", "groups_point"},
    (",", "."): {"whole", "point", "point3", "comma3", "commas"},
    ("", ","): {"whole", "comma", "comma3"},
    (" ", ","): {"whole", "comma", "comma3", "groups", "groups_comma"},
    (".", ","): {"whole", "comma", "comma3", "point3", "points"},
}
_LEAST_SHARE = 0.9
# Of so many numbers with decimals, one ends in 0 and is written with two of them.
_MANY_POINTS = 20


class Writing(BaseModel):
    """How the numbers of one column are written.

    `thousands`: the mark between groups of three digits, ' ' for spaces and apostrophes. `factors`: what
    stands behind a number, and what it multiplies it by. `before`: currencies that may stand before it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    thousands: str = ""
    decimal: str = "."
    before: tuple[str, ...] = ()
    factors: dict[str, float] = {"": 1.0}

    @property
    def is_plain(self) -> bool:
        """Whether nothing but digits and a decimal point is in it."""
        return self == Writing()

    def parts(self, trimmed: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Texts as plain numbers, null where they are none, and what to multiply them by; [rows]."""
        parts = _parts(trimmed)
        body = parts.field("body")
        fits = pa.array([False] * len(trimmed))
        for shape in _READINGS[self.thousands, self.decimal]:
            fits = pc.or_(fits, pc.fill_null(pc.match_substring_regex(body, _SHAPES[shape]), False))
        fits = pc.and_(fits, pc.is_in(parts.field("before"), pa.array(["", *self.before])))
        fits = pc.and_(fits, pc.is_in(parts.field("behind"), pa.array(list(self.factors))))
        fits = pc.fill_null(pc.and_(fits, _is_whole_sign(parts)), False)
        bare = pc.replace_substring_regex(body, "[ '_]", "")
        if self.thousands in (",", "."):
            bare = pc.replace_substring(bare, self.thousands, "")
        bare = pc.replace_substring(bare, self.decimal, ".")
        minus = pc.or_(
            _equal(parts, "sign", "-"), pc.or_(_equal(parts, "minus", "-"), _equal(parts, "open", "("))
        )
        signed = pc.binary_join_element_wise(pc.if_else(minus, "-", ""), bare, "")
        place = pc.index_in(parts.field("behind"), pa.array(list(self.factors)))
        factors = pa.array(list(self.factors.values()), pa.float64()).take(pc.if_else(fits, place, None))
        scientific = pc.match_substring_regex(trimmed, _SCIENTIFIC)
        signed = pc.if_else(scientific, pc.replace_substring(trimmed, self.decimal, "."), signed)
        readable = pc.or_(fits, pc.and_(scientific, pc.match_substring_regex(signed, "^[^,]*$")))
        return pc.if_else(readable, signed, None), pc.if_else(scientific, 1.0, factors)

    def written(self, texts: pa.Array) -> pa.Array:
        """Plain numbers [rows] as this column's are written."""
        if self.decimal == ",":
            texts = pc.replace_substring(texts, ".", ",")
        behind = next((text for text, factor in self.factors.items() if factor == 1.0), "")
        return pc.binary_join_element_wise(texts, behind, "") if behind else texts

    def in_words(self, example: str, value: float) -> str:
        """What is said of a column read so: "'1,234' is read as 1234"."""
        return f"{example!r} is read as {value:.10g}"


@dataclass
class Evidence:
    """How many cells of a text column are written in which way, and one of each.

    Once they are `hopeless`, cells are counted and not looked at.
    """

    cells: int = 0
    shapes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    before: Counter[str] = field(default_factory=Counter)
    behind: Counter[str] = field(default_factory=Counter)
    digits: set[int] = field(default_factory=set)
    long_whole: bool = False
    parentheses: int = 0
    odd_signs: int = 0
    hopeless: bool = False

    def take(self, trimmed: pa.Array) -> None:
        """Take in the filled cells of one batch, without spaces around them."""
        if self.hopeless or not len(trimmed):
            return
        trimmed = trimmed.filter(pc.invert(pc.is_in(trimmed, pa.array(DASHES))))
        scientific = pc.match_substring_regex(trimmed, _SCIENTIFIC)
        self.shapes["scientific"] += pc.sum(scientific).as_py() or 0
        bare = _are_bare(trimmed)
        parts = _parts(trimmed)
        fits = pc.and_(pc.fill_null(_is_whole_sign(parts), False), pc.invert(scientific))
        body = pc.if_else(fits, parts.field("body"), None)
        left = body
        for shape, pattern in _SHAPES.items():
            if left.null_count == len(left):
                break
            match = pc.fill_null(pc.match_substring_regex(left, pattern), False)
            count = pc.sum(match).as_py() or 0
            if count:
                self.shapes[shape] += count
                self.examples.setdefault(shape, trimmed[pc.index(match, True).as_py()].as_py())
                left = pc.if_else(match, None, left)
        self.cells += len(trimmed)
        known = pc.and_(fits, pc.is_null(left))
        for name, counter in (("before", self.before), ("behind", self.behind)):
            for entry in parts.field(name).filter(known).value_counts().to_pylist():
                counter[entry["values"]] += entry["counts"]
        if not bare:
            self._take_signs(trimmed.filter(known), parts.filter(known))
        self._take_lengths(body.filter(known))
        self.hopeless = self._is_hopeless()

    def _is_hopeless(self) -> bool:
        few = sum(self.shapes.values()) < _LEAST_SHARE * self.cells - 100
        return few or max(len(self.before), len(self.behind)) > _MOST_AFFIXES

    def add(self, later: Evidence) -> None:
        """Take in what was seen of later cells; those that were not looked at count as no numbers."""
        self.cells += later.cells
        for mine, others in (
            (self.shapes, later.shapes),
            (self.before, later.before),
            (self.behind, later.behind),
        ):
            mine.update(others)
        self.examples = later.examples | self.examples
        if len(self.digits) < 2:
            self.digits |= later.digits
        self.long_whole |= later.long_whole
        self.parentheses += later.parentheses
        self.odd_signs += later.odd_signs
        self.hopeless = self.hopeless or self._is_hopeless()

    def take_plain(self, values: np.ndarray[Any, Any]) -> None:
        """Take in numbers [rows] whose cells are plain, NaN where they are missing."""
        filled = values[~np.isnan(values)]
        self.cells += len(filled)
        self.shapes["plain"] += len(filled)
        self.long_whole = self.long_whole or bool((np.abs(filled) >= 1000).any())

    def _take_signs(self, trimmed: pa.Array, parts: pa.StructArray) -> None:
        """See what stands around numbers."""
        for name in ("before", "behind"):
            marked = pc.not_equal(parts.field(name), "")
            if name not in self.examples and (index := pc.index(marked, True).as_py()) >= 0:
                self.examples[name] = trimmed[index].as_py()
        odd = pc.match_substring_regex(trimmed, _ODD_SIGN)
        self.odd_signs += pc.sum(odd).as_py() or 0
        if self.odd_signs and "sign" not in self.examples:
            self.examples["sign"] = trimmed[pc.index(odd, True).as_py()].as_py()
        closed = _equal(parts, "open", "(")
        self.parentheses += pc.sum(closed).as_py() or 0
        if self.parentheses and "parentheses" not in self.examples:
            self.examples["parentheses"] = trimmed[pc.index(closed, True).as_py()].as_py()

    def _take_lengths(self, body: pa.Array) -> None:
        """See how many digits numbers have."""
        long = pc.match_substring_regex(body, r"^[1-9][0-9]{3,}(?:[.,][0-9]+)?$")
        self.long_whole = self.long_whole or bool(pc.any(long).as_py())
        if len(self.digits) < 2:
            grouped = body.filter(pc.match_substring_regex(body, "[ '_]"))
            lengths = pc.utf8_length(pc.replace_substring_regex(grouped, "[ '_.,]", ""))
            self.digits.update(lengths.unique().to_pylist())

    def readable(self, reading: tuple[str, str]) -> int:
        """How many cells can be read with these marks of thousands and decimals."""
        return sum(self.shapes[shape] for shape in ("plain", "scientific", *_READINGS[reading]))

    def settles(self, decimal: str) -> bool:
        """Whether a cell can be read with this decimal mark alone."""
        only = {".": ("point", "commas", "groups_point"), ",": ("comma", "points", "groups_comma")}
        return any(self.shapes[shape] for shape in only[decimal])

    @property
    def units(self) -> list[str]:
        """What stands before or behind the numbers, the most frequent three; none where they are few."""
        if self.hopeless or sum(self.shapes.values()) < _LEAST_SHARE * self.cells:
            return []
        return [text for text, _ in (self.before + self.behind).most_common() if text][:3]


@dataclass(frozen=True)
class Undecided:
    """A cell of a column that can be read in two ways: both readings, with the options that ask for them."""

    example: str
    readings: tuple[tuple[str, str], ...]

    @property
    def in_words(self) -> str:
        """Both readings of the cell, and what to give for each."""
        return " or ".join(f"{value} ({option})" for option, value in self.readings)


def decide(
    evidence: Evidence, decimal: str | None, thousands: str | None, others: Sequence[Evidence] = ()
) -> Writing | Undecided | None:
    """How the numbers of a column are written; None where it holds no numbers.

    `decimal`, `thousands`: the marks asked for, None where nothing was. `others`: of the other columns of
    the same file, whose marks are the same.
    """
    marks = _marks(evidence, decimal, thousands, others)
    if marks is None or isinstance(marks, Undecided):
        return marks
    factors = _factors(evidence.behind)
    if factors is None or (2 * evidence.parentheses > evidence.cells and not _is_money(evidence)):
        return None
    if evidence.shapes["groups"] and len(evidence.digits) == 1 and min(evidence.digits) > 6:
        # Numbers of so many digits each, in groups, are those of telephones and accounts.
        return None
    currencies = tuple(sorted(text for text in evidence.before if text))
    if len(currencies) > 1 or (currencies and set(factors) - set(_COUNTS)):
        return None
    adorned = bool(currencies) or set(factors) != {""}
    if marks == ("", ",") and (decimal == "," or evidence.settles(",")):
        marks = (".", ",")
    if marks == ("", ".") and adorned and evidence.settles("."):
        marks = (",", ".")
    return Writing(thousands=marks[0], decimal=marks[1], before=currencies, factors=factors)


def _is_money(evidence: Evidence) -> bool:
    """Whether nearly all numbers have decimals or thousands: in parentheses, such are amounts, not notes."""
    amounts = sum(
        count for shape, count in evidence.shapes.items() if shape not in ("whole", "scientific", "plain")
    )
    return amounts >= _LEAST_SHARE * evidence.cells


def _marks(
    evidence: Evidence, decimal: str | None, thousands: str | None, others: Sequence[Evidence]
) -> tuple[str, str] | Undecided | None:
    group = {"'": " ", "none": ""}.get(thousands or "", thousands)
    readings = [
        reading
        for reading in _READINGS
        if decimal in (None, reading[1]) and (group is None or reading[0] in ("", group))
    ]
    most = max((evidence.readable(reading) for reading in readings), default=0)
    if not most or most < _LEAST_SHARE * evidence.cells:
        return None
    best = [reading for reading in readings if evidence.readable(reading) == most]
    asked = [reading for reading in best if reading[0] == group]
    if asked and group:
        return asked[0]
    shapes = evidence.shapes
    if shapes["comma3"] and {(",", "."), ("", ",")} <= set(best):
        if any(other.settles(",") for other in others):
            return "", ","
        if not evidence.long_whole or any(other.settles(".") for other in others):
            return ",", "."
        return _undecided(evidence.examples["comma3"], ",")
    if shapes["point3"] and {("", "."), (".", ",")} <= set(best):
        return _points(evidence, others)
    return best[0]


def _points(evidence: Evidence, others: Sequence[Evidence]) -> tuple[str, str] | Undecided:
    """What points mean that have three digits behind them in every cell that has one."""
    if any(other.settles(".") for other in others):
        return "", "."
    if any(other.settles(",") for other in others):
        return ".", ","
    whole = evidence.shapes["whole"] + evidence.shapes["plain"]
    # Where each cell has three decimals, they are those of an instrument.
    if not whole or evidence.long_whole:
        return "", "."
    if evidence.shapes["point3"] < _MANY_POINTS:
        return _undecided(evidence.examples["point3"], ".")
    return ".", ","


def _undecided(example: str, mark: str) -> Undecided:
    body = re.sub(r"[^0-9.,]", "", example)
    many, few = body.replace(mark, ""), body.replace(mark, ".")
    other = "--decimal ," if mark == "," else "--thousands none"
    return Undecided(example, ((f"--thousands {mark}", many), (other, few)))


def _factors(behind: Counter[str]) -> dict[str, float] | None:
    """What the texts behind the numbers multiply them by; None where they are of several kinds."""
    texts = set(behind) or {""}
    if texts <= set(_COUNTS):
        return {text: _COUNTS[text] for text in sorted({*texts, ""})}
    if len(texts) == 1 or (len(texts) == 2 and "" in texts and not texts & {*_SHARES, *_SIZES}):
        # A share without its mark may be 0.12; another unit left away is the same unit.
        bare = [] if texts & set(_SHARES) else [""]
        return dict.fromkeys([*sorted(texts - {""}), *bare], 1.0)
    family = next((one for one in _FAMILIES if texts <= set(one)), None)
    # Without a second or an hour beside it, 'm' is a metre.
    if family is None or (family is _SPANS and "m" in texts and not texts & {"s", "sec", "h", "hr"}):
        return None
    return {text: family[text] for text in sorted({*texts, _base(family)})}


def _base(family: Mapping[str, float]) -> str:
    return next(text for text, factor in family.items() if factor == 1.0)


def _are_bare(trimmed: pa.Array) -> bool:
    """Whether there is nothing but digits, marks and a sign before them in all of the texts."""
    return bool(pc.all(pc.match_substring_regex(trimmed, _BARE)).as_py())


def _parts(trimmed: pa.Array) -> pa.StructArray:
    if _are_bare(trimmed):
        return pc.extract_regex(trimmed, _BARE_PARTS)
    plain = pc.replace_substring_regex(trimmed, "[\u00a0\u202f\u2009]", " ")
    plain = pc.replace_substring_regex(pc.replace_substring(plain, "\u2019", "'"), _DASH, "-")
    # Spreadsheets write amounts of nothing as '$ -', and other programs a minus behind the number.
    plain = pc.replace_substring_regex(plain, "^(" + _CURRENCY + r")\s*-+$", r"\1 0")
    plain = pc.replace_substring_regex(plain, "^(" + _CURRENCY + r")\s*\(([^()]*)\)$", r"(\1\2)")
    plain = pc.replace_substring_regex(plain, r"^([^-+()]*[0-9])\s?-$", r"-\1")
    return pc.extract_regex(plain, _PARTS)


def _is_whole_sign(parts: pa.StructArray) -> pa.Array:
    """Parentheses in pairs, and one sign at most."""
    pair = pc.equal(_equal(parts, "open", "("), _equal(parts, "close", ")"))
    signed = pc.or_(pc.not_equal(parts.field("sign"), ""), _equal(parts, "open", "("))
    return pc.and_(pair, pc.invert(pc.and_(signed, _equal(parts, "minus", "-"))))


def _equal(parts: pa.StructArray, name: str, text: str) -> pa.Array:
    return pc.equal(parts.field(name), text)
