"""What a window is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WindowLayout:
    """What a window is: so many steps of so many channels.

    >>> WindowLayout(steps=24, channels=3).width
    72
    """

    steps: int
    channels: int

    @property
    def width(self) -> int:
        return self.steps * self.channels
