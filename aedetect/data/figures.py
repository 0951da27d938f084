"""Numbers of a column as its table of columns and its reasons write them."""

from __future__ import annotations

import numpy as np

# Beyond these, digits are left to powers of ten.
_LEAST, _MOST = 1e-4, 1e15
_WRITTEN, _HELD, _EXACT = 12, 7, 4


def in_full(value: float, decimals: int | None = None) -> str:
    """A number with its thousands set apart, not in powers of ten: '347,644.53', '900,000,000', '0.5'.

    `decimals`: with at least so many. Of a number with more than four decimals seven digits are shown, or
    those before its point.
    """
    size = abs(value)
    if not np.isfinite(value) or size >= _MOST or 0 < size < _LEAST:
        return f"{value:.{_HELD}g}"
    exact = round(value, _EXACT) == value
    digits = _WRITTEN if exact else max(_HELD, len(str(int(size))))
    text = np.format_float_positional(float(f"{value:.{digits}g}") + 0.0, trim="-")
    sign, (whole, _, rest) = "-" if text.startswith("-") else "", text.removeprefix("-").partition(".")
    rest = rest.ljust(decimals or 0, "0")
    return f"{sign}{int(whole):,}{'.' if rest else ''}{rest}"
