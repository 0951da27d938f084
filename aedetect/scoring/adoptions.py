"""What alarms adapted to: events that ended only because the series stayed like that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Mask
from aedetect.data.series.entities import Name
from aedetect.data.series.segments import Timeline
from aedetect.scoring.events import Event

_MOST_SAID = 3
# What lasted goes on for a while: of so many rows after the event, at least that share would be flagged.
_ROWS_AFTER, _LEAST_SHARE = 16, 0.5


@dataclass(frozen=True)
class Adoption:
    """An event that was adapted to. `row`: the first after it, which counts as normal by then.

    `seconds`: from the event's first flagged row until that one. `goes_on`: most rows since the one before
    counted as normal for the same reason, so that it is no new state but more of the last one. `began`: when
    it did, in seconds since 1970, of one that was held for as long as was asked; None for others.
    """

    event: Event
    row: int
    seconds: int
    goes_on: bool
    began: float | None = None


def find_adoptions(
    events: Sequence[Event], silenced: Mask, timeline: Timeline
) -> dict[tuple[int, int], Adoption]:
    """The events that were adapted to, by the number of the series and their own.

    The step after the last flagged row of such an event is marked in `silenced` [rows], as are most of
    the next ones: they would be flagged, had the series not been like that for long.
    """
    slots = timeline.slot_of[timeline.order]
    segment_ends = timeline.starts + timeline.lengths
    adoptions: dict[tuple[int, int], Adoption] = {}
    last_places: dict[int, int] = {}
    for event in events:
        last = int(timeline.slot_of[event.rows[-1]])
        place = int(np.searchsorted(slots, last, side="right"))
        end = segment_ends[np.searchsorted(timeline.starts, last, side="right") - 1]
        if place == len(slots) or slots[place] >= end:
            continue
        after = timeline.order[place : min(place + _ROWS_AFTER, int(np.searchsorted(slots, end)))]
        row = int(after[0])
        if silenced[row] and silenced[after].mean() >= _LEAST_SHARE:
            first = timeline.slot_of[event.rows[0]]
            seconds = round(float(timeline.seconds[slots[place]] - timeline.seconds[first]))
            since = timeline.order[last_places.get(event.series, place) : int(np.searchsorted(slots, first))]
            goes_on = bool(len(since)) and bool(silenced[since].mean() >= _LEAST_SHARE)
            last_places[event.series] = place
            adoptions[event.series, event.number] = Adoption(event, row, seconds, goes_on)
    return adoptions


def adopted_in_words(
    adoptions: Sequence[Adoption],
    names: Sequence[Name],
    instant: Callable[[int], str],
    moment: Callable[[float], str] = str,
) -> list[str]:
    """A sentence for each of the first states adapted to, and one for all others.

    `adoptions`: by series and time; those that go on belong to the state before. `names`: the series by
    number. `instant`: the time of a row, as it is shown; `moment`: a time in seconds since 1970.
    """
    states: list[list[Adoption]] = []
    for one in adoptions:
        if states and one.goes_on and states[-1][-1].event.series == one.event.series:
            states[-1].append(one)
        else:
            states.append([one])
    said = []
    for state in states[:_MOST_SAID]:
        first, since = state[0], instant(state[-1].row)
        if first.began is None:
            began, why = instant(int(first.event.rows[0])), "; --adapt off keeps flagging it"
        else:
            began, why = moment(first.began), ", as --adopt-after says"
        said.append(
            f"what began at {began} lasted and counts as normal since {since} ({_events(state, names)}){why}"
        )
    more = len(states) - _MOST_SAID
    return [*said, f"and {more:,} more that lasted and count as normal"] if more > 0 else said


def rows_within(adoptions: Mapping[tuple[int, int], Adoption], first: int, count: int) -> list[Adoption]:
    """Those whose first row that counts as normal is one of `count` rows from number `first` on."""
    return [one for one in adoptions.values() if first <= one.row < first + count]


def _events(state: Sequence[Adoption], names: Sequence[Name]) -> str:
    first, last = state[0].event, state[-1].event
    numbers = f"event {first.number}" if first is last else f"events {first.number} to {last.number}"
    name = names[first.series]
    return f"{numbers} of {', '.join(name)}" if name else numbers
