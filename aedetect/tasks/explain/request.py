"""What is to be explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

USUAL_TOP = 5


@dataclass(frozen=True)
class ExplainRequest:
    """Rows by number (from 1) or by id, an event by its number, or else the `top` strangest flagged ones.

    Of time series `entity` are values of the entity columns: only series that have them are looked at.
    """

    rows: Sequence[int] = ()
    ids: Sequence[str] = ()
    event: int | None = None
    entity: Sequence[str] = ()
    top: int = USUAL_TOP
