"""What each scale of time takes of the alert rate (weighted Bonferroni)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from aedetect.data.series.context import SCALES

LONG, SHORT, STEP, CALENDAR = SCALES
# Few series have a calendar: it takes nothing from the others.
_SHARES = {LONG: 0.3, SHORT: 0.2, STEP: 0.07, CALENDAR: 0.2}


def shares_of(scales: Collection[str]) -> Iterator[tuple[str, float]]:
    """Each of these scales, and what it takes of the rate: that of those missing falls to the others.

    Single steps come last.
    """
    usual = [name for name in _SHARES if name != CALENDAR]
    total, present = (
        sum(_SHARES[name] for name in names) for names in (usual, [name for name in usual if name in scales])
    )
    for name in sorted(scales, key=lambda name: name == STEP):
        yield name, _SHARES[name] * (1.0 if name == CALENDAR else total / present)


def scales_stored(tensors: Collection[str]) -> list[str]:
    """The scales beside LONG in a model file with tensors of these names; none in older ones."""
    return [name for name in (SHORT, STEP, CALENDAR) if f"series.{name}.scores" in tensors]


def single_share(scales: Collection[str]) -> float | None:
    """What single steps take of the rate beside LONG and these; None where they are none of these."""
    return dict(shares_of([LONG, *scales]))[STEP] if STEP in scales else None
