"""From what a run saw to messages: their texts, and a picture where that can be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from aedetect.engine.sent_messages import NEW, OVER, KnownEvent, Message
from aedetect.engine.summary import RunSummary
from aedetect.scoring.events import Event, usual_gap
from aedetect.scoring.series import SeriesSession
from aedetect.tasks.explain.events import SeriesExplainer, SeriesExplanation
from aedetect.tasks.explain.rows import Explainer
from aedetect.tasks.notify import wording
from aedetect.tasks.notify.due import Due, Pace, SeenEvent
from aedetect.tasks.notify.flagged_rows import Seen
from aedetect.tasks.notify.plots import can_draw, event_plot, scores_plot
from aedetect.tasks.notify.targets import Target

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

# So many events of a run are explained and drawn, those of the highest peaks.
EXPLAINED = 10
# An alarm that was adapted to goes on for so many times what it adapts in without being flagged.
_REACH = 1.5


@dataclass(frozen=True)
class Job:
    """Whose messages they are. `name`: what titles begin with; `run`: when it began (UTC, ISO 8601)."""

    name: str
    run: str


class EventMessages:
    """Messages on the events of a session that keeps its rows.

    `table`: of those events that count, as `ScoringSession.events` gives it. `seen` are these; they end with
    their last row, muted or not. `muted` are those that do not count.
    """

    def __init__(self, fitted: FittedModel, session: SeriesSession, table: pa.Table, job: Job):
        self._fitted, self._session, self._job = fitted, session, job
        self._peaks: list[dict[str, Any]] = table.to_pylist()
        starts, ends = (_seconds(table.column(name)) for name in ("start", "end"))
        self._of_session = {(session.names[one.series], one.number): one for one in session.found_events}
        self.seen = [
            SeenEvent(self._event(peak, starts[place], ends[place]), place, float(peak["peak_score"]))
            for place, peak in enumerate(self._peaks)
        ]
        self.seen.sort(key=lambda one: (one.event.series, one.event.begin))
        self.muted = [self._muted_event(one.event) for one in session.muted_events]

    @property
    def ends(self) -> dict[tuple[str, ...], float]:
        """By series, the time of the last row that was read, in seconds since 1970."""
        session, ends = self._session, dict[tuple[str, ...], float]()
        for series, seconds in zip(session.series.tolist(), session.seconds.tolist(), strict=True):
            if seconds == seconds:
                name = session.names[series]
                ends[name] = max(seconds, ends.get(name, seconds))
        return ends

    @property
    def pace(self) -> Pace:
        """When events are over."""
        session, rule = self._session, self._fitted.alarm_rule
        asked = self._fitted.config.series.event_gap
        gap = usual_gap(session.window) if asked is None else asked
        adapt = rule.adapt if rule is not None and rule.adapt is not None else 0.0
        return Pace((gap + 1.5) * session.step, _REACH * adapt * session.step)

    def messages(self, due: Sequence[Due]) -> list[Message]:
        """A message each."""
        events = [one.settled.event for one in due if one.kind != OVER]
        told = dict.fromkeys(event.subject for event in events if not event.is_silence)
        explained = set(list(told)[:EXPLAINED])
        texts: dict[tuple[str, str], tuple[str, str, bytes | None]] = {}
        messages = []
        for one in due:
            event = one.settled.event
            key = event.subject, one.kind
            if key not in texts:
                texts[key] = self._text(one, event.subject in explained)
            silence = event.is_silence
            facts = {
                "about": "silence" if silence else "event",
                "event": None if silence else event.number,
                "entity": event.facts["entity"],
                "run": self._job.run,
            }
            messages.append(Message(one.target.digest, event.subject, one.kind, facts, *texts[key]))
        return messages

    def _text(self, one: Due, explained: bool) -> tuple[str, str, bytes | None]:
        event, counted = one.settled.event, self._session.clock.kind == "count"
        if event.is_silence:
            return (
                wording.silence_title(self._job.name, event, one.kind),
                wording.silence_body(event),
                None,
            )
        if one.kind == OVER:
            title = f"{wording.safe(self._job.name, 60)}: {wording.event_name(event)} is over"
            return title, wording.over_body(event, counted), None
        assert one.settled.seen is not None
        peak = self._peaks[one.settled.seen.place]
        explanation, plot = None, None
        if explained:
            of_session = self._of_session[event.series, event.number]
            explanation = self._explainer.event(of_session)
            plot = self._plot(of_session, explanation)
        title = wording.event_title(self._job.name, event, one.kind)
        return title, wording.event_body(event, explanation, peak, counted), plot

    def _plot(self, event: Event, explanation: SeriesExplanation) -> bytes | None:
        column = self._explainer.reconstructed(explanation.columns[0].column)
        if column is None or not can_draw():
            return None
        return event_plot(self._session, event, column)

    @cached_property
    def _explainer(self) -> SeriesExplainer:
        return SeriesExplainer(self._fitted, self._session)

    def _event(self, peak: Mapping[str, Any], begin: float, until: float) -> KnownEvent:
        session = self._session
        series, number = tuple(str(peak[name]) for name in session.entity), int(peak["anomaly_event"])
        of_session = self._of_session[series, number]
        last = session.last_rows.get((of_session.series, number))
        return self._known(
            of_session, begin, until if last is None else max(until, float(session.seconds[last]))
        )

    def _muted_event(self, event: Event) -> KnownEvent:
        begin, until = self._session.seconds[event.rows[[0, -1]]].tolist()
        return self._known(event, begin, until)

    def _known(self, event: Event, begin: float, until: float) -> KnownEvent:
        session, series, number = self._session, self._session.names[event.series], event.number
        adoption = session.adoptions.get((event.series, number))
        facts = {
            "entity": dict(zip(session.entity, series, strict=True)) or None,
            "start": session.clock.shown(begin) + session.zone,
            "end": session.clock.shown(until) + session.zone,
        }
        if adoption is not None:
            facts["adopted_since"] = session.clock.shown(float(session.seconds[adoption.row])) + session.zone
        adopted = adoption is not None
        goes_on = (event.series, number) in session.going_on
        digest = str(self._fitted.sha256)
        return KnownEvent(series, begin, until, digest, number, True, adopted, facts, goes_on)


def rows_messages(
    fitted: FittedModel, seen: Seen, summary: RunSummary, targets: Sequence[Target], job: Job
) -> list[Message]:
    """The messages on a run over tables: one to each target, none where nothing was flagged."""
    flagged, rows = summary.counts["anomalies"], summary.counts["rows"]
    if not flagged:
        return []
    explainer = Explainer(fitted)
    explained = [explainer.explain(one, f"row {one.row}") for one in seen.strangest]
    title = wording.rows_title(job.name, flagged, rows)
    body = wording.rows_body([entry for entry in summary.files if entry.counts["rows"]], explained)
    plot = scores_plot(seen.histogram, fitted.threshold) if can_draw() else None
    facts = {"about": "rows", "event": None, "entity": None, "run": job.run}
    return [Message(target.digest, f"run {job.run}", NEW, facts, title, body, plot) for target in targets]


def _seconds(column: pa.ChunkedArray) -> list[float]:
    """Times of the table of events in seconds since 1970, or in steps as they are."""
    if pa.types.is_timestamp(column.type):
        return [
            value / 1000
            for value in column.cast(pa.timestamp("ms", column.type.tz)).cast(pa.int64()).to_pylist()
        ]
    return [float(value) for value in column.to_pylist()]
