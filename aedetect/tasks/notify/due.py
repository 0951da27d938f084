"""Which events are new, which last, which are over; and whom to tell of it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aedetect.engine.sent_messages import NEW, OVER, REMINDER, Filed, KnownEvent, SentMessages
from aedetect.tasks.notify.request import NotifyRequest
from aedetect.tasks.notify.targets import Target


@dataclass(frozen=True)
class Pace:
    """Seconds after its last flagged row at which an event is over: `gap`, or `reach` of one that alarms
    adapted to, which is flagged now and then while it lasts."""

    gap: float
    reach: float

    def ends(self, event: KnownEvent) -> float:
        """The time by which an event that is not flagged again is over."""
        return event.until + (max(self.gap, self.reach) if event.adopted else self.gap)


@dataclass(frozen=True)
class SeenEvent:
    """An event of this run. `place`: its row in the table of events; `score`: of its peak."""

    event: KnownEvent
    place: int
    score: float


@dataclass(frozen=True)
class Settled:
    """An event as it is known now; `before`: as earlier runs left it; `seen`: what this run saw of it."""

    event: KnownEvent
    before: KnownEvent | None
    seen: SeenEvent | None


@dataclass(frozen=True)
class Due:
    """A message of that kind that a target is to get."""

    target: Target
    kind: str
    settled: Settled


def settle(
    seen: Sequence[SeenEvent],
    known: Sequence[KnownEvent],
    ends: Mapping[tuple[str, ...], float],
    pace: Pace,
    muted: Sequence[KnownEvent] = (),
) -> list[Settled]:
    """Join the events of a run, in the order of time, with those that are known from earlier ones.

    `ends`: by series, the time of the last row that was read, in seconds since 1970. `muted`: events of the
    run that somebody said are fine. They are no news, but one that was told of before is not over by that.
    """
    settled = {one.subject: Settled(one, one, None) for one in known}
    for one in seen:
        same = _same(one.event, [each.event for each in settled.values()], pace)
        if same is None:
            settled[one.event.subject] = Settled(one.event, None, one)
            continue
        joined = replace(
            one.event,
            begin=same.begin,
            until=max(same.until, one.event.until),
            facts={**one.event.facts, "start": same.facts.get("start", one.event.facts.get("start"))},
        )
        settled[joined.subject] = replace(settled[same.subject], event=joined, seen=one)
    for event in muted:
        same = _same(event, [each.event for each in settled.values()], pace)
        if same is not None and same.lasts:
            settled[same.subject] = replace(settled[same.subject], event=_longer(same, event))
    changed = []
    for each in settled.values():
        end = ends.get(each.event.series)
        if end is None or (each.seen is None and not each.event.lasts):
            continue
        changed.append(replace(each, event=replace(each.event, lasts=end <= pace.ends(each.event))))
    return changed


def _longer(event: KnownEvent, muted: KnownEvent) -> KnownEvent:
    """An event that went on while it was muted."""
    if muted.until <= event.until:
        return event
    facts = {**muted.facts, "start": event.facts.get("start", muted.facts.get("start"))}
    return replace(
        event,
        until=muted.until,
        model=muted.model,
        number=muted.number,
        adopted=event.adopted or muted.adopted,
        facts=facts,
    )


def _same(event: KnownEvent, known: Sequence[KnownEvent], pace: Pace) -> KnownEvent | None:
    """The event that `event` is, or goes on with: one at the same time, or else of its number."""
    of_series = [one for one in known if one.series == event.series]
    for one in reversed(of_series):
        if event.begin <= one.until + pace.gap and event.until >= one.begin - pace.gap:
            return one
    for one in reversed(of_series):
        # Numbers begin anew where rows are judged anew: they count only onwards in time.
        numbered = (one.model, one.number) == (event.model, event.number) and event.begin >= one.until
        # Where an event of the last rows is none any more in hindsight, the next one has its number.
        if numbered and event.goes_on and (one.lasts or event.begin - one.until <= pace.reach):
            return one
    return None


def due(settled: Sequence[Settled], request: NotifyRequest, store: SentMessages, now: float) -> list[Due]:
    """What is to be said of events now, to each target; the highest peaks first."""
    first = sorted(settled, key=lambda one: -one.seen.score if one.seen else 0.0)
    messages = []
    for target in request.targets:
        for one in first:
            kind = _kind(one, store.filed(target.digest, one.event.subject), now - request.remind)
            if kind is not None:
                messages.append(Due(target, kind, one))
    return messages


def _kind(one: Settled, filed: Mapping[str, Filed], remind_before: float) -> str | None:
    """What is to be said of an event to one target; None for nothing."""
    new = filed.get(NEW)
    if new is None or new.delivered is None:
        if one.seen is not None:
            return NEW
        # A new event that could not be told of is told of still, and that it is over as well.
        return OVER if new is not None and not one.event.lasts else None
    if not one.event.lasts:
        return OVER if one.before is not None and one.before.lasts else None
    if one.seen is None:
        return None
    said = [filed[kind].delivered for kind in (NEW, REMINDER) if kind in filed]
    return REMINDER if max(time for time in said if time is not None) <= remind_before else None
