"""What a plan says: from when to when, under which name, and for which rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from aedetect.data.series.timestamps import zone_of
from aedetect.errors import DataError


@dataclass(frozen=True)
class Moment:
    """A time as a plan has it: seconds since 1970 by a clock on the wall, or in UTC.

    `floating`: it names no zone, and is read by the clock of the data.
    """

    seconds: float
    floating: bool

    def instant(self, zone: str) -> float:
        """Seconds since 1970 in UTC; a floating time is one of `zone`.

        Of an hour that the clock runs through twice it is the first pass; in one that is left out it is
        as late after the change as it would have been without it (RFC 5545, section 3.3.5).
        """
        if not self.floating:
            return self.seconds
        whole = math.floor(self.seconds)
        wall = datetime.fromtimestamp(whole, UTC).replace(tzinfo=zone_of(zone))
        return wall.timestamp() + self.seconds - whole


@dataclass(frozen=True)
class Entry:
    """One stretch of time: from `start` on, up to before `end`.

    `entities`: names of series, of which the entry is for any; of none it is for all. `where`: texts or
    patterns, by column, that a row must have. `place`: where it stands: 'plan.csv: row 3 (line 4)'.
    """

    start: Moment
    end: Moment
    name: str
    place: str
    entities: Sequence[str] = ()
    where: Mapping[str, str] = field(default_factory=dict)


class Plan(Protocol):
    """A file of entries."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def names_zones(self) -> bool:
        """Whether some of its times name their zone, or are in UTC."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """The columns of the data that its entries name."""
        ...

    @property
    def entries(self) -> Sequence[Entry]:
        """All entries as they are written; of one that recurs, the first time."""
        ...

    def of_year(self, year: int) -> Sequence[Entry]:
        """At least the entries, each time they recur, that a row of that year may be in, in any zone."""
        ...


def check_length(entry: Entry) -> None:
    """Raises DataError for an entry that does not end after it starts."""
    if entry.start.floating != entry.end.floating:
        start, end = entry.start.instant("UTC"), entry.end.instant("UTC") + 86_400
    else:
        start, end = entry.start.seconds, entry.end.seconds
    if end > start:
        return
    if end == start:
        raise DataError(
            f"{entry.place}: {entry.name!r} ends when it starts; its end is the first moment after it: of a "
            "whole day, the next day"
        )
    raise DataError(f"{entry.place}: {entry.name!r} ends before it starts; exchange the two, or correct one")
