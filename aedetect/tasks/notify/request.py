"""Whom to tell of what is flagged, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aedetect.tasks.notify.targets import Target

REMIND = 86_400.0


@dataclass(frozen=True)
class NotifyRequest:
    """Where messages go. `remind`: seconds after which an event that lasts is told of again.

    `strict`: whether a message that cannot be delivered changes the exit code. `timeout`: seconds that one
    message may take. `now`: the time, in seconds since 1970.
    """

    targets: Sequence[Target]
    remind: float = REMIND
    strict: bool = False
    timeout: float = 20.0
    now: Callable[[], float] = time.time
