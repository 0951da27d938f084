"""Rows above the threshold that somebody said are fine: they end as muted, not as flagged.

What mutes is a `Suppressor`: verdicts of people, calendars, rules. It is asked after the threshold, of
flagged rows alone: scores and p-values never depend on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.scoring.blame import blamed_columns
from aedetect.scoring.events import Event

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.scoring.one_series import OneSeries

Kind = Literal["feedback", "calendar", "rule"]


@dataclass(frozen=True)
class Reason:
    """Why a row is muted: what kind of thing says so, which one of its kind, and the sentence on it.

    `text` begins in lower case and completes 'muted: …'.
    """

    kind: Kind
    name: str
    text: str

    @property
    def label(self) -> str:
        """The kind and the name, as the output and the summary have them: 'calendar: Christmas'."""
        return f"{self.kind}: {self.name}"


@dataclass(frozen=True)
class SeriesRows:
    """Flagged rows of one series.

    `entity`: the values that name it, by column. `one`: the series; `places` [rows]: the rows among
    those of `one`. `seconds` [rows] since 1970 (or steps, where times are counts). `event` [rows]: which of
    the run's events each is of, 0 for none; `lasted` [rows]: seconds from its first to its last flagged row,
    in earlier runs too.
    """

    entity: Mapping[str, str]
    one: OneSeries
    places: Integers
    seconds: Floats
    event: Integers
    lasted: Floats


@dataclass(frozen=True)
class FlaggedRows:
    """Rows that are flagged unless they are muted: of one batch of a table, or of one series.

    `columns`: those that errors are attributed to. `attribution` [rows, columns]: shares of the error.
    `scores` [rows]. `top`: how many columns are named as blamed. Of tables, `encoded` [rows, features] are
    the rows as the model is given them and `cells` as they came; of series, `series` has what there is.
    """

    columns: Sequence[str]
    attribution: Matrix
    scores: Floats
    top: int
    encoded: Matrix | None = None
    cells: pa.RecordBatch | None = None
    series: SeriesRows | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def blamed(self, row: int) -> list[str]:
        """The columns to blame for row `row` (from 0), as the output names them, most to blame first."""
        return [self.columns[place] for place in blamed_columns(self.attribution[row], self.top)]


class Suppressor(Protocol):
    """Says of flagged rows which are fine. Asked by several threads at once."""

    def reasons(self, flagged: FlaggedRows) -> Sequence[Reason | None]:
        """Why each row is muted [rows]; None for those that stay flagged."""
        ...


@dataclass(frozen=True)
class Suppression:
    """Suppressors one after the other: of several that mute a row, the first is named."""

    suppressors: Sequence[Suppressor]

    def reasons(self, flagged: FlaggedRows) -> dict[int, Reason]:
        """The reasons of those rows that are muted, by their place (from 0)."""
        reasons: dict[int, Reason] = {}
        if not len(flagged):
            return reasons
        for suppressor in self.suppressors:
            for place, reason in enumerate(suppressor.reasons(flagged)):
                if reason is not None:
                    reasons.setdefault(place, reason)
        return reasons


@dataclass(frozen=True)
class MutedEvent:
    """An event all of whose rows are muted, most of them by `reason`."""

    event: Event
    reason: Reason


def without_muted(
    events: Sequence[Event], reasons: Mapping[int, Reason], scores: Floats
) -> tuple[list[Event], list[MutedEvent]]:
    """Events without their muted rows, and those of which no row is left.

    `reasons`: by the number of a row among all; `scores` [rows] of all.
    """
    remaining, muted = [], []
    for event in events:
        rows = event.rows[[int(row) not in reasons for row in event.rows]]
        if len(rows):
            peak = event.peak if event.peak in rows else int(rows[np.argmax(scores[rows])])
            remaining.append(replace(event, rows=rows, peak=peak))
        else:
            counted = Counter(reasons[int(row)] for row in event.rows)
            muted.append(MutedEvent(event, counted.most_common(1)[0][0]))
    return remaining, muted
