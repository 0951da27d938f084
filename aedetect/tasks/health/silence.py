"""Silences of series as findings."""

from __future__ import annotations

from aedetect.data.series.timestamps import Clock, span
from aedetect.scoring.silences import Silence, SilenceFinder
from aedetect.tasks.health.finding import Finding, Health

_SHOWN = 5


def of_silences(finder: SilenceFinder, entity: tuple[str, ...], clock: Clock) -> Health:
    """What was found; `entity`: the columns that name a series, `clock` shows times as the data have them."""
    health, limit = Health(), finder.limit
    if limit is None:
        return health
    for one in finder.silences():
        text = in_words(one, limit, entity, clock)
        name = one.name or None
        health.findings.append(Finding("silence", text, one.seconds, None, limit, entity=name))
    ended = finder.ended()
    if ended:
        names = ", ".join("/".join(name) for name in ended[:_SHOWN])
        more = f" and {len(ended) - _SHOWN:,} others" if len(ended) > _SHOWN else ""
        health.unjudged.append(f"silent for so long that they are taken to have ended: {names}{more}")
    return health


def in_words(one: Silence, limit: float, entity: tuple[str, ...], clock: Clock) -> str:
    """The sentence on a silence, which is longer than `limit` seconds."""
    whose = f"{_called(entity, one.name)}: " if entity else ""
    if one.end is None:
        when = f"no row since {clock.shown(one.start)}, while others go on until {clock.shown(one.until)}"
    else:
        when = f"no row from {clock.shown(one.start)} to {clock.shown(one.end)}"
    return f"{whose}{when}{clock.zone_name} ({span(one.seconds)}; limit {span(limit)})"


def _called(entity: tuple[str, ...], name: tuple[str, ...]) -> str:
    return ", ".join(f"{column} {value}" for column, value in zip(entity, name, strict=True))
