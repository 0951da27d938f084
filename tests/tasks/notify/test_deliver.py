"""Messages are handed over, and what fails is said in words of ours."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import pytest
from support.receiver import receiving

from aedetect.engine.sent_messages import NEW, Message
from aedetect.tasks.notify import deliver as module
from aedetect.tasks.notify.deliver import Delivery, deliver
from aedetect.tasks.notify.targets import targets_of

MESSAGE = Message("", "", NEW, {}, "title", "error=404, connection refused, timed out", b"\x89PNG")


@pytest.mark.parametrize("status", [404, 500])
def test_words_of_the_message_are_not_taken_for_the_reason(status: int) -> None:
    with receiving() as receiver:
        receiver.status = status
        (target,) = targets_of([receiver.url()], {})
        assert deliver(target, MESSAGE, 10) == Delivery(False, f"it answered with code {status}")


def test_no_file_of_a_plot_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with receiving() as receiver:
        (target,) = targets_of([receiver.url("form")], {})
        assert deliver(target, MESSAGE, 10) == Delivery(True)
        assert receiver.messages[0].plots == [b"\x89PNG"]
    assert list(tmp_path.iterdir()) == []


def test_without_room_for_the_plot_the_words_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with receiving() as receiver:
        (target,) = targets_of([receiver.url()], {})
        assert deliver(target, MESSAGE, 10).delivered
        assert receiver.messages[0].plots == []


def test_a_service_whose_code_fails_is_named_by_the_error_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    (target,) = targets_of(["json://localhost:9"], {})

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("SECRET")

    monkeypatch.setattr("apprise.Apprise.notify", fail)
    assert deliver(target, MESSAGE, 10) == Delivery(False, "it failed with RuntimeError", answered=False)


def test_what_the_library_logs_is_heard_by_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    (target,) = targets_of(["json://localhost:9"], {})
    level = logging.getLogger("apprise").level
    assert not deliver(target, MESSAGE, 10).answered
    assert [record for record in caplog.records if record.name == "apprise"] == []
    assert logging.getLogger("apprise").level == level
    # Others that use the library hear it as before.
    logging.getLogger("apprise").warning("of somebody else")
    assert caplog.messages == ["of somebody else"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Socket Exception: Read timed out. (read timeout=4.0)", "it did not answer in time"),
        ("Socket Exception: [Errno 111] Connection refused", "it refused the connection"),
        (
            "Socket Exception: Failed to resolve 'x' ([Errno -2] Name or service not known)",
            "its host is not known",
        ),
        ("Socket Exception: SSLError: certificate verify failed", "its certificate is not trusted"),
        ("SMTP Exception: (535, b'Authentication failed')", "it did not accept the login"),
        ("something else", "it did not take the message"),
    ],
)
def test_reasons_in_plain_words(text: str, reason: str) -> None:
    assert module._failure([text]).reason == reason
