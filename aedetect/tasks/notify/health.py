"""What was found of the health of dumps, as messages: one on the files of a run, one on each late stream.

Silences of series are no part of it: they have messages of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aedetect.engine.sent_messages import NEW, REMINDER, Message, SentMessages
from aedetect.tasks.notify import wording
from aedetect.tasks.notify.compose import Job
from aedetect.tasks.notify.request import NotifyRequest

_MOST_LINES = 20


def health_messages(
    findings: Sequence[Mapping[str, Any]], request: NotifyRequest, store: SentMessages, now: float, job: Job
) -> list[Message]:
    """The messages that are due on the findings of a run, as the summary has them.

    What files show is told by the run that scores them. A stream is late in each run until a file
    comes: that is told once, and again as a reminder.
    """
    facts = {"about": "health", "event": None, "entity": None, "run": job.run}
    late = [one for one in findings if one["kind"] == "late"]
    texts = [wording.safe(one["text"]) for one in findings if one["kind"] not in ("late", "silence")]
    messages = []
    for target in request.targets:
        if texts:
            title = wording.health_title(job.name, len(texts))
            body = "\n".join(wording.lines(texts, _MOST_LINES))
            messages.append(Message(target.digest, f"health {job.run}", NEW, facts, title, body))
        for one in late:
            # How long after the last file this one was due tells one delay from the next.
            subject = f"late {one['input']} {one['high']:.0f}"
            kind = _kind(store, target.digest, subject, now - request.remind)
            if kind is not None:
                title = wording.late_title(job.name, one["input"], kind)
                messages.append(
                    Message(target.digest, subject, kind, facts, title, wording.safe(one["text"]))
                )
    return messages


def _kind(store: SentMessages, target: str, subject: str, remind_before: float) -> str | None:
    filed = store.filed(target, subject)
    if NEW not in filed or filed[NEW].delivered is None:
        return NEW
    said = [one.delivered for one in filed.values() if one.delivered is not None]
    return REMINDER if max(said) <= remind_before else None
