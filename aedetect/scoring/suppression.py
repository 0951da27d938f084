"""Rows above the threshold that somebody said are fine: they end as muted, not as flagged.

What mutes is a `Suppressor`: verdicts of people, calendars, rules. It is asked after the threshold, of
flagged rows alone: scores and p-values never depend on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.scoring.blame import blamed_columns
from aedetect.scoring.events import Event

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.io.source import Input
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
    in earlier runs too. Of all rows of `one`: `scores` [rows of one], and `flagged`, muted or not.
    """

    entity: Mapping[str, str]
    one: OneSeries
    places: Integers
    seconds: Floats
    event: Integers
    lasted: Floats
    scores: Floats
    flagged: Mask

    def part(self, rows: Integers) -> SeriesRows:
        """Some of the flagged rows."""
        return replace(
            self,
            places=self.places[rows],
            seconds=self.seconds[rows],
            event=self.event[rows],
            lasted=self.lasted[rows],
        )


@dataclass(frozen=True)
class FlaggedRows:
    """Rows that are flagged unless they are muted: of one batch of a table, or of one series.

    `columns`: those that errors are attributed to. `attribution` [rows, columns]: shares of the error.
    `scores` [rows]. `top`: how many columns are named as blamed. Of tables, `encoded` [rows, features] are
    the rows as the model is given them and `cells` as they came, in `source`; of series, `series` has what
    there is.
    """

    columns: Sequence[str]
    attribution: Matrix
    scores: Floats
    top: int
    encoded: Matrix | None = None
    cells: pa.RecordBatch | None = None
    source: Input | None = None
    series: SeriesRows | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def part(self, rows: Integers) -> FlaggedRows:
        """Some of them."""
        return replace(
            self,
            attribution=self.attribution[rows],
            scores=self.scores[rows],
            encoded=None if self.encoded is None else self.encoded[rows],
            cells=None if self.cells is None else self.cells.take(rows),
            series=None if self.series is None else self.series.part(rows),
        )

    def blamed(self, row: int) -> list[str]:
        """The columns to blame for row `row` (from 0), as the output names them, most to blame first."""
        return [self.columns[place] for place in blamed_columns(self.attribution[row], self.top)]


@dataclass(frozen=True)
class SeenRows:
    """Rows of an input, flagged or not: of a table, or of one series.

    `first`: the number of the first of them in the input, from 1. `cells`: those of a table as they came.
    Of series, `seconds` [rows] since 1970, NaN where unknown, and `entity`, the values that name it.
    """

    source: Input
    first: int
    cells: pa.RecordBatch | None = None
    seconds: Floats | None = None
    entity: Mapping[str, str] = field(default_factory=dict)


class Suppressor(Protocol):
    """Says of flagged rows which are fine. Asked by several threads at once."""

    def reasons(self, flagged: FlaggedRows) -> Sequence[Reason | None]:
        """Why each row is muted [rows]; None for those that stay flagged."""
        ...


class Watcher(Protocol):
    """Sees all rows, to say of an input what did not apply to it. Asked by several threads at once."""

    def watch(self, rows: SeenRows) -> None:
        """Some rows of an input; inputs come one after the other."""
        ...

    def notices(self, source: Input) -> list[str]:
        """What is to be said of an input once all of its rows were seen."""
        ...

    def seen(self, source: Input) -> Any:
        """What was seen of an input, to be handed to another process; None for nothing."""
        ...

    def take(self, source: Input, seen: Any) -> None:
        """Take in what another has seen of other rows of an input."""
        ...


@dataclass(frozen=True)
class Suppression:
    """Suppressors one after the other, each asked of what those before it left; `watchers` see all rows."""

    suppressors: Sequence[Suppressor]
    watchers: Sequence[Watcher] = ()

    def reasons(self, flagged: FlaggedRows) -> dict[int, Reason]:
        """The reasons of those rows that are muted, by their place (from 0)."""
        reasons: dict[int, Reason] = {}
        left = np.arange(len(flagged))
        for suppressor in self.suppressors:
            if not len(left):
                break
            said = suppressor.reasons(flagged if len(left) == len(flagged) else flagged.part(left))
            reasons |= {row: reason for row, reason in zip(left.tolist(), said, strict=True) if reason}
            left = left[[reason is None for reason in said]]
        return reasons

    def watch(self, rows: SeenRows) -> None:
        """Some rows of an input, flagged or not."""
        for watcher in self.watchers:
            watcher.watch(rows)

    def seen(self, source: Input) -> list[Any]:
        """What each watcher has seen of an input, to be handed to another process."""
        return [watcher.seen(source) for watcher in self.watchers]

    def take(self, source: Input, seen: Sequence[Any]) -> None:
        """Take in what the same watchers have seen elsewhere of other rows of an input."""
        for watcher, each in zip(self.watchers, seen, strict=True):
            if each is not None:
                watcher.take(source, each)

    def notices(self, source: Input) -> list[str]:
        """What is to be said of an input once all of its rows were seen."""
        return [text for watcher in self.watchers for text in watcher.notices(source)]


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
