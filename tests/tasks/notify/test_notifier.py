"""Many messages, and targets that do not answer."""

from __future__ import annotations

import pytest

from aedetect.engine.sent_messages import NEW, OVER, Message, SentMessages
from aedetect.tasks.notify import notifier
from aedetect.tasks.notify.deliver import Delivery
from aedetect.tasks.notify.notifier import _Post
from aedetect.tasks.notify.request import NotifyRequest
from aedetect.tasks.notify.targets import Target

TARGET = Target(None, "digest", "json://h")


class Postman:
    """Takes what is sent, and answers as it was told: with one outcome after the other, the last for ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *outcomes: Delivery):
        self.sent: list[Message] = []
        self._outcomes = list(outcomes) or [Delivery(True)]
        monkeypatch.setattr(notifier, "deliver", self._take)

    def _take(self, target: Target, message: Message, timeout: float) -> Delivery:
        self.sent.append(message)
        return self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]


def messages(count: int, kind: str = NEW) -> list[Message]:
    return [
        Message("digest", f"s{number}", kind, {"event": number}, f"t{number}", "") for number in range(count)
    ]


def posted(made: list[Message], now: float = 0.0) -> tuple[list[bool], list[str], int]:
    """What was delivered, what was warned of, and how many messages are left."""
    with SentMessages(None, "job") as store:
        store.enter((), made, 0.0)
        entries, warnings = _Post(TARGET, store, NotifyRequest([TARGET])).send(now)
        return [entry["delivered"] for entry in entries], warnings, len(store.pending("digest"))


def test_beyond_ten_messages_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    postman = Postman(monkeypatch)
    assert posted(messages(13)) == ([True] * 13, [], 0)
    assert [message.title for message in postman.sent] == [
        *(f"t{number}" for number in range(10)), "aedetect: 3 more messages"
    ]  # fmt: skip
    assert postman.sent[-1].body == "- t10\n- t11\n- t12"


def test_a_target_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    postman = Postman(monkeypatch, Delivery(False, "it refused the connection", answered=False))
    delivered, warnings, left = posted(messages(3))
    assert (len(postman.sent), delivered, left) == (1, [False] * 3, 3)
    assert warnings == ["json://h: 3 messages not delivered: it refused the connection"]


def test_one_message_that_is_not_taken_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    Postman(monkeypatch, Delivery(False, "it answered with code 413"), Delivery(True))
    assert posted(messages(3)) == (
        [False, True, True], ["json://h: 1 message not delivered: it answered with code 413"], 1
    )  # fmt: skip


def test_what_is_over_is_not_told_of_before_what_was_new(monkeypatch: pytest.MonkeyPatch) -> None:
    Postman(monkeypatch, Delivery(False, "it answered with code 500"), Delivery(True))
    delivered, _, left = posted([*messages(1), *messages(1, OVER)])
    assert (delivered, left) == ([False, False], 2)


def test_after_a_week_messages_are_given_up_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    postman = Postman(monkeypatch)
    assert posted(messages(2), now=8 * 86_400.0) == ([], ["json://h: 2 messages of a week ago given up"], 0)
    assert postman.sent == []
