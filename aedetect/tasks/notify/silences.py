"""Silences of series, as messages know them: one when a series falls silent, one when it has rows again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aedetect.engine.sent_messages import KnownEvent
from aedetect.scoring.series import SeriesSession
from aedetect.scoring.silences import Silence
from aedetect.tasks.health.silence import in_words
from aedetect.tasks.notify.due import SeenEvent, Settled


def silences_of(session: SeriesSession, model: str) -> list[KnownEvent]:
    """The silences that a session of the model of that digest knows of."""
    finder, clock = session.silences(), session.clock

    def known(one: Silence) -> KnownEvent:
        assert finder.limit is not None
        until = one.until if one.end is None else one.end
        facts = {
            "entity": dict(zip(session.entity, one.name, strict=True)) or None,
            "start": clock.shown(one.start) + session.zone,
            "end": clock.shown(until) + session.zone,
            "text": in_words(one, finder.limit, session.entity, clock),
        }
        return KnownEvent(one.name, one.start, until, model, 0, one.end is None, False, facts)

    return [known(one) for one in finder.silences()]


def settle_silences(
    found: Sequence[KnownEvent], known: Sequence[KnownEvent], ends: Mapping[tuple[str, ...], float]
) -> list[Settled]:
    """Join the silences of a run with those that are known from earlier ones.

    `ends`: by series, the time of the last row that was read, in seconds since 1970. What lasted is over
    too where its rows came late, and left no silence.
    """
    before = {one.subject: one for one in known}
    settled = [Settled(one, before.get(one.subject), SeenEvent(one, 0, 0.0)) for one in found]
    seen = {one.subject for one in found}
    for one in known:
        if one.lasts and one.subject not in seen and ends.get(one.series, one.begin) > one.begin:
            text = f"{one.facts['start']} was the last row, and more came late; it is silent no more."
            facts = {**one.facts, "text": text}
            settled.append(Settled(replace(one, lasts=False, facts=facts), one, None))
    return settled
