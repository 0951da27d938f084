"""Values and shares as people write them."""

from __future__ import annotations

import math

MOST_SHOWN = 60


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
    digits = max(0, 1 - math.floor(math.log10(spread)))
    return f"{value:,.{digits}f} ± {spread:,.{digits}f}"


def share(part: float) -> str:
    """'12%', '0.3%', 'none', 'all'."""
    if part <= 0:
        return "none"
    if part >= 1:
        return "all"
    if part < 0.001:
        return "less than 0.1%"
    return f"{part:.1%}" if part < 0.1 or part > 0.9 else f"{part:.0%}"


def shown(text: str, most: int = MOST_SHOWN) -> str:
    """Text from data, cut after `most` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"
