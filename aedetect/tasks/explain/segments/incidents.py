"""Which events of several series belong together: the same columns to blame, at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from aedetect.scoring.events import Event
    from aedetect.scoring.series import SeriesSession

# A column is to blame that has at least this share in the error of an event.
_LEAST_SHARE = 0.25
# Events begin together that do so within this part of a window: windows blur when something began.
_TOGETHER = 0.25
# Or else the time that two have in common is at least this part of the longer one.
_COMMON = 0.5


@dataclass(frozen=True)
class IncidentEvent:
    """An event of one series, as `explain --event` knows it. `rows`: how many are flagged."""

    number: int
    entity: dict[str, str]
    start: str
    end: str
    rows: int
    columns: list[str]

    def as_dict(self) -> dict[str, Any]:
        return {
            "anomaly_event": self.number,
            "entity": self.entity,
            "start": self.start,
            "end": self.end,
            "rows": self.rows,
            "columns": self.columns,
        }


@dataclass(frozen=True)
class Incident:
    """Events of at least two series that share a column to blame and overlap in time.

    `columns`: those to blame, that of most events first. `entities`: the series, in the order in which they
    were affected. `seconds`: from its start to its end.
    """

    start: str
    end: str
    seconds: float
    entities: list[str]
    columns: list[str]
    events: list[IncidentEvent]

    @property
    def rows(self) -> int:
        return sum(event.rows for event in self.events)

    def as_dict(self) -> dict[str, Any]:
        return {
            "start": self.start,
            "end": self.end,
            "seconds": self.seconds,
            "entities": self.entities,
            "columns": self.columns,
            "rows": self.rows,
            "events": [event.as_dict() for event in self.events],
        }


@dataclass(frozen=True)
class Incidents:
    """All incidents, the largest first. `alone`: events that belong to none. `series`: how many there are.

    `by_chance`: how many pairs of events of different series would be taken to belong together, had each
    happened at a random time.
    """

    incidents: list[Incident]
    alone: int
    series: int
    by_chance: float


@dataclass(frozen=True)
class _Span:
    """An event in time, in seconds since 1970, until the end of its last step, and what is to blame."""

    event: Event
    start: float
    end: float
    columns: list[str]


def find_incidents(session: SeriesSession) -> Incidents | None:
    """Group the events of a session that keeps its rows; None where the model knows a single series."""
    if not session.entity:
        return None
    spans = sorted((_span(session, event) for event in session.found_events), key=lambda one: one.start)
    tolerance = _TOGETHER * session.window * session.step
    members: dict[int, list[_Span]] = {}
    for place, home in enumerate(_components(spans, tolerance)):
        members.setdefault(home, []).append(spans[place])
    grouped = [group for group in members.values() if len({one.event.series for one in group}) > 1]
    grouped.sort(key=lambda group: (-len({one.event.series for one in group}), -len(group), group[0].start))
    known = session.seconds[np.isfinite(session.seconds)]
    length = float(known.max() - known.min()) + session.step if len(known) else 0.0
    return Incidents(
        [_incident(session, group) for group in grouped],
        len(spans) - sum(map(len, grouped)),
        len(session.names),
        _by_chance(spans, tolerance, length),
    )


def _span(session: SeriesSession, event: Event) -> _Span:
    shares = session.shares(event.rows)
    order = np.argsort(-shares, kind="stable")
    leading = order[shares[order] >= _LEAST_SHARE].tolist() or order[:1].tolist()
    first, last = (float(session.seconds[event.rows[end]]) for end in (0, -1))
    return _Span(event, first, last + session.step, [session.columns[place] for place in leading])


def _components(spans: Sequence[_Span], tolerance: float) -> list[int]:
    """For each of the spans, which are in order of their start, the first that it belongs together with."""
    homes = list(range(len(spans)))

    def home(place: int) -> int:
        while homes[place] != place:
            homes[place] = homes[homes[place]]
            place = homes[place]
        return place

    lasting: list[int] = []
    for place, span in enumerate(spans):
        lasting = [other for other in lasting if spans[other].end + tolerance > span.start]
        for other in lasting:
            if _belong_together(spans[other], span, tolerance):
                first, second = sorted((home(other), home(place)))
                homes[second] = first
        lasting.append(place)
    return [home(place) for place in range(len(spans))]


def _belong_together(first: _Span, second: _Span, tolerance: float) -> bool:
    if first.event.series == second.event.series or not set(first.columns) & set(second.columns):
        return False
    common = min(first.end, second.end) - max(first.start, second.start)
    longer = max(first.end - first.start, second.end - second.start)
    return abs(first.start - second.start) <= tolerance or common >= _COMMON * longer


def _by_chance(spans: Sequence[_Span], tolerance: float, length: float) -> float:
    """How many pairs are expected to belong together where each event may begin at any time of `length`."""
    if not length:
        return 0.0
    names = sorted({column for one in spans for column in one.columns})
    blamed = np.array([[name in one.columns for name in names] for one in spans], dtype=np.float32)
    series = np.array([one.event.series for one in spans])
    lasts = np.array([one.end - one.start for one in spans])
    expected = 0.0
    for place in range(1, len(spans)):
        alike = (series[:place] != series[place]) & (blamed[:place] @ blamed[place] > 0)
        short = np.minimum(lasts[:place], lasts[place])[alike]
        long = np.maximum(lasts[:place], lasts[place])[alike]
        # From when to when, relative to the start of the longer one, the shorter one may begin.
        early, late = short - _COMMON * long, (1 - _COMMON) * long
        reach = np.where(
            early >= 0, np.maximum(early, tolerance) + np.maximum(late, tolerance), 2 * tolerance
        )
        expected += float(np.minimum(reach / length, 1.0).sum())
    return expected


def _incident(session: SeriesSession, spans: Sequence[_Span]) -> Incident:
    counts: dict[str, int] = {}
    for span in spans:
        for column in span.columns:
            counts[column] = counts.get(column, 0) + 1
    first, last = min(one.start for one in spans), max(one.end for one in spans) - session.step
    return Incident(
        session.clock.shown(first),
        session.clock.shown(last),
        last - first,
        list(dict.fromkeys("/".join(session.names[one.event.series]) for one in spans)),
        sorted(counts, key=lambda column: -counts[column]),
        [_event(session, one) for one in spans],
    )


def _event(session: SeriesSession, span: _Span) -> IncidentEvent:
    event = span.event
    return IncidentEvent(
        event.number,
        dict(zip(session.entity, session.names[event.series], strict=True)),
        session.clock.shown(span.start),
        session.clock.shown(span.end - session.step),
        len(event.rows),
        span.columns,
    )
