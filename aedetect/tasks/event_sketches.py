"""Events of time series in short, as their rows pass by: when, how long, which channels, and their course."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aedetect.data import cells
from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.data.series.entities import Entities
from aedetect.data.series.long_table import rows_as_read
from aedetect.scoring.blame import LEAST_SHARE
from aedetect.scoring.events import Event
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.series import SeriesSession
from aedetect.tasks.scored_rows import ScoredBatch

# Before and after an event so much of its length is drawn as well, but at least so many steps.
_AROUND, _LEAST_AROUND = 0.5, 8
_POINTS = 24
_MOST_CHANNELS = 3


@dataclass(frozen=True)
class EventSketch:
    """One event. `seconds`: from its first flagged row to its last; `zone`: what is said after a time.

    `channels`: those that contributed most, with their shares. `drawn`: the one whose course is known; None
    where that of the score stands in for it. `course` [points]: NaN where nothing is known; the points of
    `inside`, first and last, are the event.
    """

    number: int
    entity: tuple[str, ...]
    start: str
    end: str
    zone: str
    seconds: float
    score: float
    channels: list[tuple[str, float]]
    drawn: str | None
    course: Floats
    inside: tuple[int, int]


class EventSketches:
    """Draws the events of a session that score highest, while its rows are read once more."""

    def __init__(self, fitted: FittedModel, session: SeriesSession, most: int):
        self._fitted, self._session = fitted, session
        by_score = sorted(session.found_events, key=lambda event: -float(session.scores[event.peak]))
        self._drawings = [_Drawing.of(fitted, session, event) for event in by_score[:most]]
        self._entities = Entities(session.entity)

    def see(self, batch: ScoredBatch) -> None:
        """Take the cells of a batch that belong to an event or stand near one."""
        session = self._session
        begin = session.span(batch.source)[0] + batch.first - 1
        seconds = np.asarray(session.seconds[begin : begin + len(batch.rows)])
        near = [drawing for drawing in self._drawings if drawing.near(seconds).any()]
        if not near:
            return
        source, rules = self._fitted.as_read(batch.source), self._fitted.schema.rules
        rows = rows_as_read(source, batch.rows, batch.first)
        series = self._entities.number(rows, rules)
        for drawing in near:
            whose = drawing.near(seconds) & (series == self._entities.number_of(drawing.name))
            if drawing.channel is None:
                values = np.asarray(batch.scores.scores, np.float64)
            else:
                values = cells.numbers(rows.column(drawing.channel), rules.of(drawing.channel)).values
            drawing.add(seconds[whose], values[whose])

    def sketches(self) -> list[EventSketch]:
        """The events, of the highest score first."""
        return [self._sketch(drawing) for drawing in self._drawings]

    def _sketch(self, drawing: _Drawing) -> EventSketch:
        session, event = self._session, drawing.event
        first, last = (float(session.seconds[event.rows[place]]) for place in (0, -1))
        return EventSketch(
            event.number,
            drawing.name,
            session.clock.shown(first),
            session.clock.shown(last),
            session.zone,
            last - first,
            float(session.scores[event.peak]),
            drawing.channels,
            drawing.channel,
            drawing.course,
            (int(drawing.points(np.array([first]))[0]), int(drawing.points(np.array([last]))[0])),
        )


@dataclass
class _Drawing:
    """The course of one channel from before an event to after it, as means of equal stretches of time.

    `channel`: None where the leading one holds no numbers; then the score is drawn. `sums` and `counts`
    [points].
    """

    event: Event
    name: tuple[str, ...]
    channels: list[tuple[str, float]]
    channel: str | None
    begin: float
    end: float
    sums: Floats = field(init=False)
    counts: Integers = field(init=False)

    @classmethod
    def of(cls, fitted: FittedModel, session: SeriesSession, event: Event) -> _Drawing:
        shares = session.shares(event.rows)
        order = np.argsort(-shares, kind="stable")[:_MOST_CHANNELS].tolist()
        leading = [place for rank, place in enumerate(order) if not rank or shares[place] >= LEAST_SHARE]
        channels = [(fitted.columns[place], float(shares[place])) for place in leading]
        roles = {column.name: column.role for column in fitted.schema.columns}
        numeric = roles.get(channels[0][0]) in ("numeric", "constant")
        first, last = (float(session.seconds[event.rows[place]]) for place in (0, -1))
        around = max(_AROUND * (last - first), _LEAST_AROUND * session.step)
        return cls(
            event,
            session.names[event.series],
            channels,
            channels[0][0] if numeric else None,
            first - around,
            last + around,
        )

    def __post_init__(self) -> None:
        self.sums, self.counts = np.zeros(_POINTS), np.zeros(_POINTS, np.int64)

    def near(self, seconds: Floats) -> Mask:
        """Which rows [rows] are drawn, were they of the series."""
        return (seconds >= self.begin) & (seconds <= self.end)

    def points(self, seconds: Floats) -> Integers:
        """The point that each of the times [rows] belongs to."""
        places = (seconds - self.begin) / (self.end - self.begin) * _POINTS
        return np.clip(places.astype(np.int64), 0, _POINTS - 1)

    def add(self, seconds: Floats, values: Floats) -> None:
        """Take in the values [rows] of rows at these times."""
        known = np.isfinite(values)
        places = self.points(seconds[known])
        self.sums += np.bincount(places, weights=values[known], minlength=_POINTS)
        self.counts += np.bincount(places, minlength=_POINTS)

    @property
    def course(self) -> Floats:
        """The means [points]; what lies between two points of few rows is drawn as the one before it."""
        with np.errstate(invalid="ignore", divide="ignore"):
            means = self.sums / self.counts
        known = np.flatnonzero(self.counts)
        if not len(known):
            return means
        previous = known[np.clip(np.searchsorted(known, np.arange(_POINTS), side="right") - 1, 0, None)]
        filled = means[previous]
        filled[: known[0]] = np.nan
        filled[known[-1] + 1 :] = np.nan
        return filled
