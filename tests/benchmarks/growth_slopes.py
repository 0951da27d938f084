"""How steeply a cost grows: straight lines through logarithms."""

from __future__ import annotations

import math
from collections.abc import Sequence


def larger_half(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points (size, cost) of the larger sizes: half of them, rounded up, and two at least."""
    ordered = sorted(points)
    return ordered[-max(math.ceil(len(ordered) / 2), 2) :]


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """The exponent e of cost ~ size ** e, by least squares over the larger half; None where it has one size.

    1: ten times the size costs ten times as much; 0: it costs the same.
    """
    half = [(math.log(size), math.log(cost)) for size, cost in larger_half(points) if cost > 0]
    if len({size for size, _ in half}) < 2:
        return None
    mean_size = sum(size for size, _ in half) / len(half)
    mean_cost = sum(cost for _, cost in half) / len(half)
    products = sum((size - mean_size) * (cost - mean_cost) for size, cost in half)
    return products / sum((size - mean_size) ** 2 for size, _ in half)
