"""Hands messages to a service, and waits no longer than it may."""

from __future__ import annotations

import contextlib
import re
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aedetect.engine.sent_messages import NEW, OVER, Message
from aedetect.tasks.notify.quiet import heard, in_detail
from aedetect.tasks.notify.targets import Target, quiet_asset

_CODE = re.compile(r"\berror\s*[=:]\s*(\d{3})\b")
# What libraries say of a failure holds URLs; only these words of ours are shown, of the first that fits.
_REASONS = (
    (re.compile(r"timed? ?out", re.IGNORECASE), "it did not answer in time"),
    (re.compile(r"refused", re.IGNORECASE), "it refused the connection"),
    (
        re.compile(r"getaddrinfo|name resolution|NameResolution|Name or service|nodename", re.IGNORECASE),
        "its host is not known",
    ),
    (re.compile(r"certificate", re.IGNORECASE), "its certificate is not trusted"),
    (re.compile(r"authenticat|credentials", re.IGNORECASE), "it did not accept the login"),
    (re.compile(r"connection|socket|unreachable", re.IGNORECASE), "there was no connection"),
)


@dataclass(frozen=True)
class Delivery:
    """How it went. `reason`: why a message was not taken, '' where it was; `answered`: whether at all."""

    delivered: bool
    reason: str = ""
    answered: bool = True


def deliver(target: Target, message: Message, timeout: float) -> Delivery:
    """Send one message, which may take `timeout` seconds."""
    outcome: list[Delivery] = []
    with _as_file(message.plot) as plot, in_detail():
        # A service that goes on and on is left behind: the thread ends with the process.
        thread = threading.Thread(
            target=lambda: outcome.append(_sent(target, message, plot)), name="aedetect-notify", daemon=True
        )
        thread.start()
        thread.join(timeout)
    if not outcome:
        return Delivery(False, f"no answer within {timeout:g} s", answered=False)
    return outcome[0]


@contextlib.contextmanager
def _as_file(plot: bytes | None) -> Iterator[str | None]:
    """The plot as a file, which is what services take; None where there is none, or no room for it."""
    with contextlib.ExitStack() as stack:
        path = None
        # The words matter more than the picture.
        with contextlib.suppress(OSError):
            if plot is not None:
                folder = tempfile.TemporaryDirectory(prefix="aedetect-", ignore_cleanup_errors=True)
                file = Path(stack.enter_context(folder), "aedetect.png")
                file.write_bytes(plot)
                path = str(file)
        yield path


def _sent(target: Target, message: Message, plot: str | None) -> Delivery:
    import apprise

    kind = {NEW: apprise.NotifyType.WARNING, OVER: apprise.NotifyType.SUCCESS}
    with heard() as texts:
        try:
            services = apprise.Apprise(asset=quiet_asset())
            services.add(target.service)
            taken = services.notify(
                body=message.body,
                title=message.title,
                notify_type=kind.get(message.kind, apprise.NotifyType.INFO),
                body_format=apprise.NotifyFormat.TEXT,
                attach=plot,
            )
        except Exception as error:
            # Whatever a service's code fails at, its text may hold the URL.
            return Delivery(False, f"it failed with {type(error).__name__}", answered=False)
        return Delivery(True) if taken else _failure(texts)


def _failure(texts: list[str]) -> Delivery:
    """Why a service did not take a message, from what was logged."""
    codes = [match[1] for match in map(_CODE.search, texts) if match]
    if codes:
        return Delivery(False, f"it answered with code {codes[-1]}")
    for pattern, reason in _REASONS:
        if any(pattern.search(text) for text in texts):
            return Delivery(False, reason, answered=False)
    return Delivery(False, "it did not take the message")
