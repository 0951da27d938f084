"""Limits of what is usual, from the median of earlier deliveries and the median distance from it.

Both hold as long as more than half of the deliveries are sound, so that sick ones do not widen the limits
(Hampel, "The influence curve and its role in robust estimation", 1974; the factor that makes the median
distance a standard deviation is his).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from aedetect.engine.deliveries import Delivery

# Below so many deliveries nothing is said: of daily ones, every day of the week was seen.
LEAST = 7
# So many of the newest are compared with.
LOOKED_AT = 30
TO_DEVIATION = 1.4826
# How many deviations are usual: many where few deliveries say how large one is. By simulation, of 1,000
# sound deliveries up to 5 lie beyond, and 26 where very large ones are frequent (t, 3 degrees of freedom).
_DEVIATIONS, _FOR_FEW = 4.0, 35.0
# Counts and shares vary by chance alone; so many deviations of that are usual.
_OF_CHANCE = 5.0

# Of a delivery, a figure on a scale on which its spread does not depend on its level; None where unknown.
Measure = Callable[[Delivery], float | None]


@dataclass(frozen=True)
class Peers:
    """The deliveries that one is compared with, the newest first.

    `words` say which: 'the 14 files before it'. `groups`: deliveries of which each is to be like the others
    of its group; what they differ by says how much is usual. `alike`: few others, of its own day of the week,
    that may excuse it.
    """

    each: Sequence[Delivery]
    words: str
    groups: Sequence[Sequence[Delivery]]
    alike: Sequence[Delivery] = ()
    least: int = LEAST


@dataclass(frozen=True)
class Limits:
    """What is usual, on the scale of the measure. `least`, `most`: what the peers had."""

    low: float
    high: float
    least: float
    most: float
    peers: int

    def hold(self, value: float) -> bool:
        """Whether a value lies within them."""
        return self.low <= value <= self.high


def limits_of(
    measure: Measure, peers: Peers, floor: float, chance: Callable[[float], float]
) -> Limits | None:
    """Limits that the peers set; None where too few of them are known.

    `floor`: half the width of limits at least; `chance`: the deviation that chance alone gives at a level.
    """
    values = _known(measure, peers.each)
    if len(values) < peers.least:
        return None
    level = median(values)
    apart: list[float] = []
    for group in peers.groups:
        known = _known(measure, group)
        middle = median(known) if known else 0.0
        apart += [abs(value - middle) for value in known]
    deviations = _DEVIATIONS + _FOR_FEW / max(len(apart) - 2, 1)
    width = max(floor, deviations * TO_DEVIATION * median(apart), _OF_CHANCE * chance(level))
    return Limits(level - width, level + width, min(values), max(values), len(values))


def is_excused(measure: Measure, value: float, peers: Peers, floor: float) -> bool:
    """Whether deliveries of the same day of the week, too few to set limits, were as this one is."""
    values = _known(measure, peers.alike)
    return bool(values) and abs(value - median(values)) <= floor


def _known(measure: Measure, deliveries: Sequence[Delivery]) -> list[float]:
    return [value for delivery in deliveries if (value := measure(delivery)) is not None]


def of_rows(delivery: Delivery) -> float:
    """The logarithm of one more than the rows: a tenth fewer is as much at 100 as at 100,000."""
    return math.log1p(delivery.rows)


def rows_at(value: float) -> float:
    """The rows of which `of_rows` gives `value`; at least 0."""
    return max(math.expm1(value), 0.0)


def of_share(share: float) -> float:
    """The arcsine of a share's root, on which chance makes the same spread at every level (Anscombe 1948)."""
    return math.asin(math.sqrt(min(max(share, 0.0), 1.0)))


def share_at(value: float) -> float:
    """The share of which `of_share` gives `value`; 0 and 1 beyond."""
    return math.sin(min(max(value, 0.0), math.pi / 2)) ** 2
