"""Numbers of events, which go on from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from aedetect.data.arrays import Floats
from aedetect.data.series.context import AlarmState
from aedetect.scoring.events import Event


class EventNumbers:
    """Numbers the events of all series, and tells where they stood at any time.

    `begin`: by the number of a series, where earlier runs left it. Two flagged rows with at most `gap`
    steps of `step` seconds between them are of one event.
    """

    def __init__(self, begin: Mapping[int, AlarmState], gap: int, step: float):
        self._begin = begin
        self._gap = gap
        self._step = step
        self._events: dict[int, list[Event]] = {}
        self._seconds: Floats = np.empty(0)

    def number(self, events: Sequence[Event], known: int, seconds: Floats) -> list[Event]:
        """The events, by series and time, with their numbers; `seconds` [rows] since 1970.

        Where no earlier run left anything of a series, only events with rows from number `known` on count.
        """
        self._seconds = seconds
        last: dict[int, int] = {}
        numbered = []
        for event in events:
            state = self._begin.get(event.series)
            if event.series not in last and state is not None:
                last[event.series] = state.event - self._goes_on(event, state)
            if state is None and event.rows[-1] < known:
                continue
            last[event.series] = last.get(event.series, 0) + 1
            numbered.append(replace(event, number=last[event.series]))
        for event in numbered:
            self._events.setdefault(event.series, []).append(event)
        return numbered

    def state_at(self, series: int, until: float, state: AlarmState) -> AlarmState:
        """`state` of a series with its last event that had begun at the time `until`."""
        for event in self._events.get(series, []):
            times = self._seconds[event.rows]
            if times[0] <= until:
                state = replace(state, event=event.number, event_until=float(times[times <= until][-1]))
        return state

    def _goes_on(self, event: Event, state: AlarmState) -> bool:
        """Whether the first event of a run is the last one of the run before."""
        apart = (self._seconds[event.rows[0]] - state.event_until) / self._step
        return bool(state.event > 0 and (apart < self._gap + 1.5 or event.continued))
