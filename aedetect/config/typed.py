"""Numbers as people type them: shares, whole numbers, durations."""

from __future__ import annotations

import re
from decimal import Decimal

_PLAIN = re.compile(r"[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d*,\d+")
_WHOLE = re.compile(r"[+-]?\d+(?:_\d+)*")
# A whole number as outputs write it, 2,690, and with the other marks that people put there.
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:([,'’ \u00a0\u202f])\d{3})(?:\1\d{3})*")
_OF_A_HUNDRED = {"%": 100, "‰": 1000}

_SECONDS = {
    "ms": 0.001,
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604800.0),
}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)
DURATION = "write it like 90s, 10m or 2h"


def share(value: object) -> object:
    """A share as a number: '0.01', '1%' and '1 %' are 0.01. What is no text passes through.

    Raises ValueError for text that is no share.
    """
    return _number(value, "not a share; write it like 0.01 or 1%", with_percent=True)


def number(value: object) -> object:
    """A number from its text, '0.5' or '1_000'. What is no text passes through.

    Raises ValueError for text that is no number.
    """
    return _number(value, "not a number; write it like 3 or 0.5", with_percent=False)


def whole(value: object) -> object:
    """A whole number from its text, also as outputs write it: '2690', '2,690', '2_690', '#2690'.

    What is no text passes through. Raises ValueError for text that is no whole number.
    """
    if isinstance(value, bool):
        raise ValueError("not a whole number; write it like 20 or 2,000")
    if not isinstance(value, str):
        return value
    if is_whole(value):
        return int(re.sub(r"[^\d+-]", "", value))
    raise ValueError("not a whole number; write it like 20 or 2,000")


def is_whole(text: str) -> bool:
    """Whether a text is a whole number, as people or outputs write it."""
    digits = text.strip().removeprefix("#")
    return bool(_WHOLE.fullmatch(digits) or _GROUPED.fullmatch(digits))


def parse_duration(value: object) -> object:
    """Turn '90', '90s', '10m', '2 hours' or '1h30m' into seconds; other values pass through."""
    if not isinstance(value, str):
        if isinstance(value, bool):
            raise ValueError(f"not a duration; {DURATION}")
        return value
    text = value.strip()
    parts = list(_SPAN.finditer(text))
    units = [part[2].lower() for part in parts]
    whole_text = "".join(part[0] for part in parts) == text
    # A number without a unit means seconds, but not behind one that has a unit: '1h30' may be minutes.
    if not text or not whole_text or any(unit not in _SECONDS for unit in units) or "" in units[1:]:
        if _COMMA.match(text):
            raise ValueError(f"has a decimal comma; {DURATION}, with a decimal point: 1.5h")
        raise ValueError(f"not a duration; {DURATION}")
    return sum(float(part[1]) * _SECONDS[unit] for part, unit in zip(parts, units, strict=True))


def _number(value: object, complaint: str, with_percent: bool) -> object:
    if isinstance(value, bool):
        raise ValueError(complaint)
    if not isinstance(value, str):
        return value
    text = value.strip()
    divisor = _OF_A_HUNDRED.get(text[-1:], 1)
    digits = text[:-1].rstrip() if divisor > 1 else text
    if divisor > 1 and not with_percent:
        raise ValueError(complaint)
    if _COMMA.fullmatch(digits):
        raise ValueError(f"has a decimal comma; write {_with_point(digits, divisor, with_percent)}")
    if not _PLAIN.fullmatch(digits):
        if digits.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            raise ValueError("must be a finite number")
        raise ValueError(complaint)
    # By way of decimals, as 0.7% is to be the number nearest to 0.007.
    return float(Decimal(digits) / divisor)


def _with_point(digits: str, divisor: int, with_percent: bool) -> str:
    """What was typed with a decimal point; a share in both ways."""
    point = digits.replace(",", ".", 1)
    point = f"0{point}" if point.startswith(".") else point
    if divisor > 1:
        return point + next(mark for mark, size in _OF_A_HUNDRED.items() if size == divisor)
    return f"{point} or {float(Decimal(point) * 100):g}%" if with_percent else point
