"""Which events of time series are to be explained, and where a row of an input stands among all."""

from __future__ import annotations

from collections.abc import Sequence

from aedetect.config.names import did_you_mean
from aedetect.errors import DataError, UsageError
from aedetect.io.source import Input
from aedetect.scoring.events import Event
from aedetect.scoring.series import SeriesSession
from aedetect.tasks.explain.format import shown

_MOST_NAMED = 10


def chosen_events(
    session: SeriesSession, number: int | None, entity: Sequence[str], top: int
) -> tuple[list[Event], int]:
    """The event with that number, muted or not, or the `top` with the highest peaks; and how many there are.

    `entity`: the series asked for, by the value of its entity columns. Raises UsageError where
    several series have an event of that number, DataError where there is no such event or series.
    """
    events = list(session.found_events)
    if entity:
        if not session.entity:
            raise UsageError("--entity: the model knows a single series; leave it out")
        known = [name for name in session.names if set(entity) <= set(name)]
        if not known:
            values = {value for name in session.names for value in name}
            hint = next((did_you_mean(value, values) for value in entity if value not in values), "")
            raise DataError(
                f"--entity {', '.join(entity)}: no such series{hint}; there are: {_names(session.names)}"
            )
        events = [event for event in events if session.names[event.series] in known]
    count = len(events)
    if number is None:
        scored = sorted(events, key=lambda event: -float(session.scores[event.peak]))
        return scored[:top], count
    muted = [one.event for one in session.muted_events]
    if entity:
        muted = [event for event in muted if session.names[event.series] in known]
    events = sorted(events + muted, key=lambda event: (event.series, event.number))
    matches = [event for event in events if event.number == number]
    if not matches:
        most = max((event.number for event in events), default=0)
        ending = f"the last is event {most}" if most else "there are none"
        raise DataError(f"--event {number}: there is no such event; {ending}")
    if len(matches) > 1:
        names = _names([session.names[event.series] for event in matches])
        raise UsageError(
            f"--event {number}: {len(matches)} series have an event of that number; "
            f"add --entity and one of: {names}"
        )
    return matches, count


def row_of(session: SeriesSession, source: Input, number: int) -> int:
    """The place of row `number` of `source` (from 1) among all rows. Raises DataError where there is none."""
    first, count = session.span(source)
    if number < 1:
        raise UsageError(f"--row {number}: rows are counted from 1")
    if number > count:
        raise DataError(f"{source.name}: there is no row {number}; the last is row {count}")
    return first + number - 1


def _names(names: Sequence[tuple[str, ...]]) -> str:
    text = ", ".join("/".join(shown(part, 30) for part in name) for name in names[:_MOST_NAMED])
    return text + (", …" if len(names) > _MOST_NAMED else "")
