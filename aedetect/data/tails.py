"""Tails of the laws that chance is measured by: chi-squared, and Kolmogorov's.

Every scoring run asks for a few of them, and `scipy.special`, which has them too, takes longer to load than
a small file to score.
"""

from __future__ import annotations

import math

_EPSILON = 2.0**-53
_SMALLEST = 1e-300


def chi_squared_tail(degrees: float, value: float) -> float:
    """The chance that chi-squared of so many degrees of freedom is larger than `value`."""
    shape, half = degrees / 2, value / 2
    if half <= 0:
        return 1.0
    if half < shape + 1:
        return 1 - _lower_by_series(shape, half)
    return _upper_by_fraction(shape, half)


def chi_squared_above(degrees: float, chance: float) -> float:
    """The value that chi-squared of so many degrees of freedom exceeds by that chance, in (0, 1)."""
    low, high = 0.0, max(2.0 * degrees, 2.0)
    while chi_squared_tail(degrees, high) > chance:
        low, high = high, 2 * high
    value = (low + high) / 2
    while True:
        off = chi_squared_tail(degrees, value) - chance
        low, high = (value, high) if off > 0 else (low, value)
        density = _density(degrees / 2, value / 2) / 2
        # Newton's step, where it stays between what is known to be too small and too large.
        following = value + off / density if density > 0 else low
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - value) <= 4 * _EPSILON * value:
            return following
        value = following


def kolmogorov_tail(reach: float) -> float:
    """The chance that Kolmogorov's statistic is larger than `reach` (Kolmogorov, 1933)."""
    if reach <= 0:
        return 1.0
    if reach < 1:
        # Jacobi's form of the same series, which ends sooner for small values.
        terms = (math.exp(-(((2 * k + 1) * math.pi / reach) ** 2) / 8) for k in range(6))
        return 1 - math.sqrt(2 * math.pi) / reach * math.fsum(terms)
    return 2 * math.fsum((-1) ** (k + 1) * math.exp(-2 * (k * reach) ** 2) for k in range(1, 6))


def kolmogorov_above(chance: float) -> float:
    """What Kolmogorov's statistic exceeds by that chance, in (0, 1)."""
    low, high = 0.0, 1 + math.sqrt(-math.log(chance / 2) / 2)
    while high - low > 2 * _EPSILON * high:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if kolmogorov_tail(middle) > chance else (low, middle)
    return high


def _density(shape: float, half: float) -> float:
    """Of a gamma variable of that shape, at `half`."""
    return math.exp((shape - 1) * math.log(half) - half - math.lgamma(shape))


def _lower_by_series(shape: float, half: float) -> float:
    """The regularised lower incomplete gamma function, by its power series (Abramowitz & Stegun, 6.5.29)."""
    term = total = 1 / shape
    above = shape
    while abs(term) > total * _EPSILON:
        above += 1
        term *= half / above
        total += term
    return total * half * _density(shape, half)


def _upper_by_fraction(shape: float, half: float) -> float:
    """The regularised upper one, by its continued fraction (6.5.31), evaluated as Lentz (1976) does."""
    below = half + 1 - shape
    front, back = 1 / _SMALLEST, 1 / below
    value, place = back, 0
    while True:
        place += 1
        factor = -place * (place - shape)
        below += 2
        back = 1 / _away_from_zero(factor * back + below)
        front = _away_from_zero(below + factor / front)
        change = front * back
        value *= change
        if abs(change - 1) <= 2 * _EPSILON:
            return value * half * _density(shape, half)


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _SMALLEST else _SMALLEST
