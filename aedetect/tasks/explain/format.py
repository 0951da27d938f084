"""Values and shares as people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

MOST_SHOWN = 60
_MOST_DIGITS, _SIGNIFICANT, _MOST_EXACT = 12, 7, 20
# Significant digits: the fewest that are tried beyond what is usual, and all that a number can have.
_FEWEST, _ALL = 5, 17
# A number with its thousands set apart, perhaps '$', 'CHF ', '%' or ' kWh' around it.
_MARKED = re.compile(r"(-?)(?:[^\d\s.,+-]{1,4} ?)?(\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)(?: ?[^\d\s.,+-]{1,8})?")


def quantity(value: float) -> str:
    """A number in four significant digits, whole numbers in full: '98.21', '106,534', '1.2e+09'."""
    if not math.isfinite(value):
        return "infinite" if value > 0 else "minus infinite" if value < 0 else "missing"
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    if 1000 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def with_spread(value: float, spread: float) -> str:
    """'71 ± 4': the value to the digits that its spread leaves meaning in."""
    if not (math.isfinite(value) and math.isfinite(spread)):
        return quantity(value)
    if spread <= 0 or spread < 1e-9 * abs(value):
        return quantity(value)
    if max(abs(value), spread) >= 1e9 or max(abs(value), spread) < 1e-3:
        return f"{value:.3g} ± {spread:.1g}"
    digits = max(0, 1 - math.floor(math.log10(float(f"{spread:.2g}"))))
    texts = f"{value:,.{digits}f}", f"{spread:,.{digits}f}"
    while "." in texts[0] and all(text[-1] in "0." for text in texts):
        texts = texts[0][:-1], texts[1][:-1]
    return " ± ".join(texts)


def grouped(text: str) -> str:
    """A number as it was written, its thousands set apart as in all other numbers: '54,540.25'.

    Digits that only a computer's arithmetic added ('0.30000000000000004') are left out.
    """
    match = re.fullmatch(r"(-?)(0|[1-9]\d{0,14})(\.\d+)?", text)
    if not match:
        return text
    sign, whole, rest = match[1], match[2], match[3] or ""
    if len(whole) + len(rest) > _MOST_DIGITS and rest:
        if whole == "0":
            return f"{float(text):.{_SIGNIFICANT}g}"
        rest = f"{float(text):.{max(_SIGNIFICANT - len(whole), 1)}f}"
        whole, _, decimals = rest.removeprefix("-").partition(".")
        rest = f".{decimals}".rstrip("0").rstrip(".")
    return f"{sign}{int(whole):,}{rest}"


def share(part: float) -> str:
    """'12%', '0.3%', 'none', 'all'; never 0% or 100% of what is neither none nor all."""
    if part <= 0:
        return "none"
    if part >= 1:
        return "all"
    if part < 0.001:
        return "less than 0.1%"
    if part > 0.999:
        return "more than 99.9%"
    return f"{part:.1%}" if part < 0.1 or part > 0.9 else f"{part:.0%}"


def percent_down(part: float) -> str:
    """A share rounded down, since more than it is no lie: '97.3%'."""
    return f"{math.floor(1000 * part + 1e-9) / 10:g}%"


def apart(value: float, beside: float) -> str:
    """`value` in four significant digits, or more where these do not tell it apart from `beside`."""
    return in_order(value, [beside], quantity(value))


def in_order(value: float, others: Sequence[float], text: str) -> str:
    """`text`, or `value` in as many digits as leave it on its side of each of the `others`."""
    before_the_point = len(f"{abs(value):.0f}") if math.isfinite(value) else 0
    for digits in range(max(_FEWEST, min(before_the_point, _ALL)), _ALL + 1):
        written = number_of(text)
        if not any((written < o) != (value < o) or (written > o) != (value > o) for o in others):
            return text
        text = exact(float(f"{value:.{digits}g}"))
    return text


def number_of(text: str) -> float:
    """The number that a text says, a currency or a unit beside it apart; NaN where it says none."""
    match = _MARKED.fullmatch(text)
    try:
        return float(("".join(match.groups()) if match else text).replace(",", ""))
    except ValueError:
        return math.nan


def exact(value: float) -> str:
    """A number in all its digits, its thousands set apart."""
    if not math.isfinite(value):
        return quantity(value)
    text = np.format_float_positional(value, trim="-")
    sign, whole, rest = re.fullmatch(r"(-?)(\d+)(\.\d+)?", text).groups("")  # type: ignore[union-attr]
    return f"{sign}{int(whole):,}{rest}" if len(text) <= _MOST_EXACT else repr(value)


def plain_number(value: float) -> str:
    """A number in the fewest digits that read back the same, in float32 where it went through that: '0.1'."""
    if not math.isfinite(value) or value == int(value):
        return exact(value).replace(",", "")
    narrow = np.float32(value)
    return str(narrow if float(narrow) == value else value)


def shown(text: str, most: int = MOST_SHOWN) -> str:
    """Text from data, cut in its middle to `most` characters: long names differ at either end."""
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return f"{text[: most - 1 - end]}…{text[len(text) - end :]}"
