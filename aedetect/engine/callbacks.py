"""What long-running work reports to; every method may be left as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aedetect.data.schema import Schema


class Callback:
    """Silent by default; the command line and notebooks override what they show."""

    def stage(self, text: str) -> None:
        """A new stage of the work begins."""

    def notice(self, text: str) -> None:
        """Something the user should know, though work goes on."""

    def columns(self, schema: Schema) -> None:
        """The roles of the columns are settled."""

    def remark(self, text: str) -> None:
        """Something about the data that is good to know, and no warning."""

    def training(self, member: int, members: int, progress: Progress) -> None:
        """Network `member` (from 0) of `members` was evaluated."""

    def rows(self, done: int) -> None:
        """So many rows of the present input are done."""


@dataclass(frozen=True)
class Progress:
    """Where training stands, for whoever shows it."""

    step: int
    steps: int
    loss: float
    validation_loss: float
