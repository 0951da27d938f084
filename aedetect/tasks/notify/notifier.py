"""Tells people of what a run flagged, once its outputs are in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aedetect.engine.callbacks import Callback
from aedetect.engine.sent_messages import NEW, Message, SentMessages
from aedetect.engine.summary import RunSummary
from aedetect.engine.task import Consumer
from aedetect.io.source import Input
from aedetect.scoring.base import PriorRows, ScoringSession
from aedetect.scoring.event_table import anomalies_alone
from aedetect.scoring.scorers import scorer_of
from aedetect.scoring.series import SeriesScorer, SeriesSession
from aedetect.scoring.suppression import Suppression
from aedetect.tasks.notify import wording
from aedetect.tasks.notify.compose import EventMessages, Job, rows_messages
from aedetect.tasks.notify.deliver import Delivery, deliver
from aedetect.tasks.notify.due import due, settle
from aedetect.tasks.notify.flagged_rows import FlaggedRows
from aedetect.tasks.notify.health import health_messages
from aedetect.tasks.notify.plots import can_draw
from aedetect.tasks.notify.request import NotifyRequest
from aedetect.tasks.notify.silences import settle_silences, silences_of
from aedetect.tasks.notify.targets import Target

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

# Of one target and run: beyond so many, messages go together as one. What cannot be delivered for so many
# seconds is given up.
_APART, _GIVE_UP = 10, 7 * 86_400.0
NO_MEMORY = (
    "--notify without --state FILE remembers nothing: what the next run flags as well is sent again, and a "
    "message that cannot be delivered is lost"
)


@dataclass(frozen=True)
class Outcome:
    """What came of the messages of a run. `entries`: for the summary; `warnings`: of targets that failed."""

    entries: list[dict[str, Any]]
    warnings: list[str]

    @property
    def all_delivered(self) -> bool:
        return all(entry["delivered"] for entry in self.entries)


class Notifier:
    """The messages of one run. `state`: the ledger, which remembers what was sent; None for nothing.

    `name`: of the job, which titles begin with; `place`: what tells its messages from others in the ledger.
    """

    def __init__(self, request: NotifyRequest, fitted: FittedModel, name: str, place: str, state: str | None):
        self._request, self._fitted, self._name, self._place = request, fitted, name, place
        self._state = state
        self._session: SeriesSession | None = None
        self._rows = FlaggedRows(fitted.threshold)

    @property
    def consumer(self) -> Consumer:
        """What looks on while the run goes."""
        return self._rows if self._fitted.series is None else Consumer()

    def opened(
        self,
        inputs: Sequence[Input],
        prior: PriorRows | None = None,
        suppression: Suppression | None = None,
    ) -> ScoringSession | None:
        """A session over series that holds on to their values, for reasons; None for tables."""
        scorer = scorer_of(self._fitted)
        if isinstance(scorer, SeriesScorer):
            self._session = scorer.open(inputs, prior, suppression, keep=True)
        return self._session

    def send(self, summary: RunSummary, session: ScoringSession, callback: Callback) -> Outcome:
        """Send what is due. Raises OutputError where the state file cannot be used.

        `session`: the one that scored, whose events are those that count.
        """
        callback.stage("sending messages")
        if not can_draw():
            callback.stage("messages go without a plot: matplotlib is not installed")
        job = Job(self._name, summary.clock.started.isoformat(timespec="seconds"))
        now, targets = self._request.now(), self._request.targets
        with SentMessages(self._state, self._place) as store:
            warnings = [] if store.remembers else [NO_MEMORY]
            if self._session is not None:
                self._enter_events(store, self._session, session, job, now)
            else:
                messages = rows_messages(self._fitted, self._rows.seen, summary, targets, job)
                store.enter((), messages, now)
            findings = summary.findings.get("health") or []
            store.enter((), health_messages(findings, self._request, store, now, job), now)
            entries = []
            for target in targets:
                made, said = _Post(target, store, self._request).send(now)
                entries += made
                warnings += said
        return Outcome(entries, warnings)

    def _enter_events(
        self, store: SentMessages, kept: SeriesSession, session: ScoringSession, job: Job, now: float
    ) -> None:
        table = session.events()
        assert table is not None
        events = EventMessages(self._fitted, kept, anomalies_alone(table), job)
        known, ends = store.events(), events.ends
        settled = settle(
            events.seen, [one for one in known if not one.is_silence], ends, events.pace, events.muted
        )
        silences = silences_of(kept, str(self._fitted.sha256))
        settled += settle_silences(silences, [one for one in known if one.is_silence], ends)
        messages = events.messages(due(settled, self._request, store, now))
        store.enter([one.event for one in settled], messages, now)


class _Post:
    """Sends what is to go to one target."""

    def __init__(self, target: Target, store: SentMessages, request: NotifyRequest):
        self._target, self._store, self._request = target, store, request

    def send(self, now: float) -> tuple[list[dict[str, Any]], list[str]]:
        """Send all that is pending; entries for the summary, and what is to be warned of."""
        shown = self._target.shown
        given_up = self._store.give_up(self._target.digest, now - _GIVE_UP)
        warnings = [f"{shown}: {_messages(given_up)} of a week ago given up"] if given_up else []
        entries: list[dict[str, Any]] = []
        failure: Delivery | None = None
        failed: set[str] = set()
        for bundle in _bundled(self._store.pending(self._target.digest)):
            # What is over is not told of before what is new; a target that does not answer is left alone.
            waits = failure is not None and not failure.answered
            if waits or (bundle[0].kind != NEW and bundle[0].subject in failed):
                delivered = False
            else:
                delivery = deliver(self._target, _joined(bundle), self._request.timeout)
                delivered = delivery.delivered
                failure = failure if delivered else delivery
            if delivered:
                self._store.deliver(bundle, now)
            else:
                failed |= {one.subject for one in bundle}
            entries += [
                {"target": shown, "about": _about(one), **one.facts, "kind": one.kind, "delivered": delivered}
                for one in bundle
            ]
        undelivered = sum(not entry["delivered"] for entry in entries)
        if failure is not None:
            later = "; the next run will try again" if self._store.remembers else ""
            warnings.append(f"{shown}: {_messages(undelivered)} not delivered: {failure.reason}{later}")
        return entries, warnings


def _about(message: Message) -> str:
    """What a message is about where an older version made it, which did not note it."""
    return "event" if message.facts["event"] is not None else "rows"


def _bundled(messages: Sequence[Message]) -> list[list[Message]]:
    """Messages that go by themselves, and behind them those that go together."""
    apart = [[one] for one in messages[:_APART]]
    rest = list(messages[_APART:])
    return [*apart, rest] if rest else apart


def _joined(bundle: Sequence[Message]) -> Message:
    first = bundle[0]
    if len(bundle) == 1:
        return first
    titles = [one.title for one in bundle]
    kind = NEW if any(one.kind == NEW for one in bundle) else first.kind
    title = f"aedetect: {len(bundle):,} more messages"
    return Message(first.target, first.subject, kind, {}, title, wording.together(titles))


def _messages(number: int) -> str:
    return f"{number:,} message" if number == 1 else f"{number:,} messages"
