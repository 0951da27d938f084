"""Two JSON values held side by side: numbers within a tolerance, all else exactly."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tolerance:
    """How far apart fractions may be."""

    relative: float
    absolute: float


NUMBER = re.compile(r"(-?\d+\.\d+(?:[eE][-+]?\d+)?|-?\d+[eE][-+]?\d+)")
SHORT = 7


def differences(expected: Any, found: Any, tolerance: Tolerance, place: str = "") -> list[str]:
    """A line for each place where `found` is not what was expected."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return _of_dicts(expected, found, tolerance, place)
    if isinstance(expected, list) and isinstance(found, list):
        lines = [
            line
            for index, (one, other) in enumerate(zip(expected, found, strict=False))
            for line in differences(one, other, tolerance, f"{place}[{index}]")
        ]
        if len(expected) != len(found):
            lines.append(f"{place}: {len(found)} entries, not {len(expected)}")
        return lines
    same = type(expected) is type(found) and (
        _close_texts(expected, found, tolerance)
        if isinstance(expected, str)
        else _close(expected, found, tolerance)
        if isinstance(expected, float)
        else expected == found
    )
    return [] if same else [f"{place}: {found!r}, not {expected!r}"]


def _of_dicts(expected: dict[str, Any], found: dict[str, Any], tolerance: Tolerance, place: str) -> list[str]:
    lines = [f"{place}.{key}: missing" for key in expected if key not in found]
    lines += [f"{place}.{key}: new" for key in found if key not in expected]
    for key in expected:
        if key in found:
            lines += differences(expected[key], found[key], tolerance, f"{place}.{key}")
    return lines


def _close(expected: float, found: float, tolerance: Tolerance) -> bool:
    return math.isclose(expected, found, rel_tol=tolerance.relative, abs_tol=tolerance.absolute)


def _close_texts(expected: str, found: str, tolerance: Tolerance) -> bool:
    """Whether texts differ only in fractions that are close; whole numbers must be equal."""
    one, other = NUMBER.split(expected), NUMBER.split(found)
    if len(one) != len(other) or one[::2] != other[::2]:
        return False
    return all(_close_figures(*pair, tolerance) for pair in zip(one[1::2], other[1::2], strict=True))


def _close_figures(expected: str, found: str, tolerance: Tolerance) -> bool:
    """Figures that are rounded for people may differ by one in their last place."""
    if _close(float(expected), float(found), tolerance):
        return True
    digits, _, power = expected.lower().partition("e")
    whole, _, fraction = digits.lstrip("-").partition(".")
    last = 10.0 ** (int(power or 0) - len(fraction))
    rounded = len(whole + fraction) < SHORT
    return rounded and abs(float(expected) - float(found)) < 1.5 * last
