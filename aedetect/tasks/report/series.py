"""What a report tells of time series: their events, and what of their channels is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from aedetect.data.arrays import Floats, Integers
from aedetect.data.labels import Marks
from aedetect.data.series.timestamps import Clock, span
from aedetect.scoring.events import Event
from aedetect.scoring.reconstruction import ReconstructedColumn
from aedetect.scoring.series import SeriesSession
from aedetect.tasks.explain.choose_events import chosen_events
from aedetect.tasks.explain.events import SeriesExplainer, SeriesExplanation
from aedetect.tasks.report.event_labels import EventLabels, EventOutcome

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel


Clear = Mapping[tuple[int, int], tuple[float, float] | None]

# Series and columns drawn, and the points of all of them together.
MOST_PANELS, MOST_COLUMNS = 12, 6
_MOST_POINTS, _POINTS_A_LINE = 90_000, (600, 12_000)
SCORE = "anomaly score"


@dataclass(frozen=True)
class ChannelLine:
    """One channel of one series over time, thinned: the lowest and highest of each part stay.

    Shapes: [points] each, the band and `expected` with times of their own. `gap`: a longer pause is
    drawn as one, in seconds. `limit`: a value to draw a line at. `logarithmic`: how values are drawn.
    """

    name: str
    seconds: Floats
    seen: Floats
    expected_seconds: Floats
    expected: Floats
    low: Floats
    high: Floats
    names: tuple[str, ...] = ()
    limit: float | None = None
    gap: float = np.inf
    logarithmic: bool = False


@dataclass(frozen=True)
class EventMark:
    """An event on a panel: when, in seconds since 1970, its number, and its highest score.

    `clear`: from when to when it is clearly off, where that was looked at. `outcome`: what the labels say
    of it, '' without labels.
    """

    start: float
    end: float
    number: int
    score: float
    clear: tuple[float, float] | None = None
    outcome: EventOutcome | Literal[""] = ""


@dataclass(frozen=True)
class Panel:
    """One series: its name, from when to when it runs, its lines and events.

    `rows`: how many it has. `clock`: by which times are shown. `labelled`: from when to when its rows are
    labelled anomalies.
    """

    name: str
    start: float
    end: float
    rows: int
    clock: Clock
    lines: list[ChannelLine]
    marks: list[EventMark]
    labelled: list[tuple[float, float]]


@dataclass(frozen=True)
class MissedEvent:
    """A stretch of labelled rows, none of them flagged. `highest`: their highest score, NaN without one."""

    name: str
    start: str
    end: str
    rows: int
    highest: float


@dataclass(frozen=True)
class LabelledEvents:
    """Events and labels: events by outcome, labelled stretches, and the missed ones, least score first."""

    outcomes: dict[EventOutcome, int]
    stretches: int
    missed: list[MissedEvent]

    @property
    def caught(self) -> int:
        return self.stretches - len(self.missed)

    @property
    def sentence(self) -> str:
        """What the labels say of the events, and the events of the labels."""
        counts = self.outcomes
        events = sum(counts.values())
        return (
            f"By the labels: events with a labelled row (hits) {counts['hit']:,} of {events:,}, "
            f"within a window of one {counts['near']:,}, false alarms {counts['false alarm']:,}; "
            f"labelled stretches caught {self.caught:,} of {self.stretches:,}."
        )


@dataclass(frozen=True)
class EventsPart:
    """Events, the strangest first, as far as they are explained; `events` and `series` count all there are.

    `panels` show the series with the strangest events. `places`: of each event explained, the number
    of its panel, or -1, and its mark. `seconds`: from the first row to the last. `thinned`: rows a part
    where lines are. `labelled`: None without labels.
    """

    explanations: list[SeriesExplanation]
    events: int
    series: int
    seconds: float
    panels: list[Panel]
    places: list[tuple[int, EventMark]]
    thinned: int
    zone: str
    labelled: LabelledEvents | None = None

    def verdict(self, ordinary: str) -> str:
        """The events in a sentence or two; `ordinary` is what to say where there are none."""
        whose = f" on {self.series:,} series" if self.series > 1 else ""
        time = f"{whose} in {span(self.seconds)}"
        if not self.events:
            return f"No event{time}: {ordinary}."
        first = self.explanations[0]
        name = f", on {' '.join(first.entity.values())}," if first.entity else ""
        event = f"{self.events:,} event{'s' * (self.events != 1)}"
        lasted = f"began {first.start}{self.zone} and went on for {span(first.seconds)}"
        if not first.seconds:
            lasted = f"is one row, at {first.start}{self.zone}"
        return f"{event}{time}. The strangest{name} {lasted}."


def events_part(
    fitted: FittedModel, session: SeriesSession, top: int, marks: Marks | None = None
) -> EventsPart:
    """The part of a report that tells of events; `top` of them are explained.

    `marks` [rows]: the labels of all rows of the session, if these are known.
    """
    labels = None if marks is None else EventLabels(session, marks)
    explainer = SeriesExplainer(fitted, session)
    events, count = chosen_events(session, None, (), top)
    explanations = [explainer.event(event) for event in events]
    timed = ~np.isnan(session.seconds)
    clear = {(event.series, event.number): one.clear for event, one in zip(events, explanations, strict=True)}
    numbers = np.unique(session.series[timed]).tolist()
    wanted = list(dict.fromkeys(event.series for event in events))
    wanted = (wanted + [number for number in numbers if number not in wanted])[:MOST_PANELS]
    names = _leading_columns(session, explanations)
    most = int(np.clip(_MOST_POINTS // max(len(wanted) * (len(names) + 1), 1), *_POINTS_A_LINE))
    columns = [column for name in names if (column := explainer.reconstructed(name)) is not None]
    limit = fitted.threshold if fitted.alarm_rule is None else None
    marker = _Marker(session, clear, labels)
    panels = [_panel(marker, number, columns, limit, most) for number in wanted]
    places = [
        (wanted.index(event.series) if event.series in wanted else -1, marker.mark(event)) for event in events
    ]
    longest = max((panel.rows for panel in panels), default=0)
    return EventsPart(
        explanations,
        count,
        len(numbers),
        float(np.ptp(session.seconds[timed])) if timed.any() else 0.0,
        panels,
        places,
        -(-2 * longest // most) if longest > most else 1,
        session.zone,
        None if labels is None else _labelled_events(session, labels),
    )


@dataclass(frozen=True)
class _Marker:
    """What is drawn of the events of a session."""

    session: SeriesSession
    clear: Clear
    labels: EventLabels | None

    def mark(self, event: Event) -> EventMark:
        session = self.session
        return EventMark(
            float(session.seconds[event.rows[0]]),
            float(session.seconds[event.rows[-1]]),
            event.number,
            float(session.scores[event.peak]),
            self.clear.get((event.series, event.number)),
            self.labels.outcome(event) if self.labels else "",
        )

    def labelled(self, series: int) -> list[tuple[float, float]]:
        """From when to when rows of a series are labelled anomalies."""
        stretches = self.labels.stretches if self.labels else []
        return [(one.start, one.end) for one in stretches if one.series == series]


def _labelled_events(session: SeriesSession, labels: EventLabels) -> LabelledEvents:
    outcomes: dict[EventOutcome, int] = {"hit": 0, "near": 0, "false alarm": 0}
    for event in session.found_events:
        outcomes[labels.outcome(event)] += 1
    missed = [
        MissedEvent(
            _name(session, one.series),
            session.clock.shown(one.start),
            session.clock.shown(one.end),
            one.rows,
            one.highest,
        )
        for one in labels.missed
    ]
    return LabelledEvents(outcomes, len(labels.stretches), missed)


def _name(session: SeriesSession, series: int) -> str:
    return " ".join(session.names[series]) or "series"


def _panel(
    marker: _Marker, series: int, columns: Sequence[ReconstructedColumn], limit: float | None, most: int
) -> Panel:
    """One series, its lines of about `most` points each."""
    session = marker.session
    rows = np.flatnonzero((session.series == series) & ~np.isnan(session.seconds))
    rows = rows[np.argsort(session.seconds[rows], kind="stable")]
    times = session.seconds[rows]
    lines = [_score_line(session, rows, limit, most)]
    lines += [_line(session, rows, column, most) for column in columns]
    marks = [marker.mark(event) for event in session.found_events if event.series == series]
    return Panel(
        _name(session, series),
        float(times[0]),
        float(times[-1]),
        len(rows),
        session.clock,
        lines,
        marks,
        marker.labelled(series),
    )


def _leading_columns(session: SeriesSession, explanations: Sequence[SeriesExplanation]) -> list[str]:
    """The columns of the largest shares over the events; in the order of the model where there are none."""
    attribution = dict.fromkeys(session.columns, 0.0)
    for one in explanations:
        for reason in one.columns:
            attribution[reason.column] += reason.share
    return sorted(attribution, key=lambda name: -attribution[name])[:MOST_COLUMNS]


def _line(session: SeriesSession, rows: Integers, column: ReconstructedColumn, most: int) -> ChannelLine:
    column = _with_names_that_occur(column, rows)
    seen_rows = rows[thinned(column.seen[rows], most)]
    parts = np.array_split(rows, min(len(rows), max(most // 4, 1))) if not column.names else []
    band = [part for part in parts if not np.isnan(column.expected[part]).all()]
    expected_rows = rows[thinned(column.expected[rows], most // 2)]
    return ChannelLine(
        column.column,
        session.seconds[seen_rows],
        column.seen[seen_rows],
        session.seconds[expected_rows],
        column.expected[expected_rows],
        _edge(session, band, [np.nanmin(column.expected[part] - column.band[part]) for part in band]),
        _edge(session, band, [np.nanmax(column.expected[part] + column.band[part]) for part in band]),
        column.names,
        gap=session.gap,
    )  # fmt: skip


def _with_names_that_occur(column: ReconstructedColumn, rows: Integers) -> ReconstructedColumn:
    """A column whose words are numbered anew, without those that do not occur in `rows`."""
    if len(column.names) <= 2:
        return column
    values = np.concatenate([column.seen[rows], column.expected[rows]])
    used = np.unique(values[~np.isnan(values)]).astype(int)
    places = np.full(len(column.names) + 1, np.nan)
    places[used] = np.arange(len(used))

    def renumbered(codes: Floats) -> Floats:
        return np.asarray(places[np.nan_to_num(codes, nan=len(column.names)).astype(int)])

    names = tuple(column.names[place] for place in used)
    return replace(column, seen=renumbered(column.seen), expected=renumbered(column.expected), names=names)


def _edge(session: SeriesSession, parts: Sequence[Integers], values: Sequence[float]) -> Floats:
    """One edge of a band: [parts, 2], the time at which each part begins and the edge's value there."""
    pairs = [(session.seconds[part[0]], value) for part, value in zip(parts, values, strict=True)]
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def _score_line(session: SeriesSession, rows: Integers, limit: float | None, most: int) -> ChannelLine:
    thinned_rows = rows[thinned(session.scores[rows], most)]
    nothing = np.empty(0)
    return ChannelLine(
        SCORE, session.seconds[thinned_rows], session.scores[thinned_rows],
        nothing, nothing, nothing, nothing, limit=limit, gap=session.gap, logarithmic=True,
    )  # fmt: skip


def thinned(values: Floats, most: int) -> Integers:
    """Places of at most about `most` of `values` [rows]: the lowest and the highest of each part."""
    if len(values) <= most:
        return np.arange(len(values))
    size = -(-2 * len(values) // most)
    padded = np.append(values, np.full(-len(values) % size, np.nan)).reshape(-1, size)
    known = ~np.isnan(padded).all(axis=1)
    low = np.where(np.isnan(padded), np.inf, padded).argmin(axis=1)
    high = np.where(np.isnan(padded), -np.inf, padded).argmax(axis=1)
    starts = np.arange(len(padded)) * size
    # Where all is missing, the first row says so.
    return np.unique(np.concatenate([starts + np.where(known, low, 0), starts + np.where(known, high, 0)]))
