"""What is to be explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aedetect.scoring.suppression import Suppression

USUAL_TOP = 5


@dataclass(frozen=True)
class ExplainRequest:
    """Rows by number (from 1) or by id, an event by its number, or else the `top` strangest flagged ones.

    Of time series `entity` are values of the entity columns: only series that have them are looked at.
    `suppression`: what mutes rows, whose explanation then says so.
    """

    rows: Sequence[int] = ()
    ids: Sequence[str] = ()
    event: int | None = None
    entity: Sequence[str] = ()
    top: int = USUAL_TOP
    suppression: Suppression | None = None
