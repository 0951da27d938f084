"""Why events of time series, or single rows of them, were flagged: which columns, and what was expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.data.arrays import Floats, Integers
from aedetect.scoring.events import Event
from aedetect.scoring.reconstruction import ReconstructedColumn, Reconstruction, ScoredSeries
from aedetect.scoring.series import SeriesSession
from aedetect.scoring.suppression import Reason
from aedetect.tasks.explain.format import share, shown
from aedetect.tasks.explain.rarity import UNKNOWN, Rarities, Rarity
from aedetect.tasks.explain.series_values import SeriesValues, farthest
from aedetect.tasks.explain.units import Units

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

_MOST_REASONS, _LEAST_SHARE = 2, 0.25
# A step is clearly off where the column to blame is so many usual distances from what was expected,
# and half as far as at its worst.
_OFF = 5.0
_CONTEXT = 0.5


@dataclass(frozen=True)
class SeriesReason:
    """One column of an event or a row. `time`: the instant at which it is farthest from expected.

    `away`: by how many usual distances; of words infinite where it is another one.
    """

    column: str
    share: float
    time: str
    seen: str
    expected: str
    rarity: Rarity
    sentence: str
    away: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return {
            "column": self.column,
            "share": round(self.share, 4),
            "time": self.time,
            "seen": self.seen,
            "expected": self.expected,
            "rarity": self.rarity.as_dict(),
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class Sketched:
    """A column over an event and what surrounds it: seen and expected [points], for a line of blocks."""

    column: str
    seen: list[float]
    expected: list[float]
    inside: tuple[int, int]


@dataclass(frozen=True)
class SeriesExplanation:
    """An event (`number` counts those of its series) or a row (`number` is None), explained.

    `start`, `end`, `peak`: of the flagged rows; an event's ends are those of windows. `clearest`: from
    when to when the column most to blame was clearly off; `clear` the same in seconds since 1970.
    `adopted_since`: the first time after the event that counts as normal as it had lasted, and
    `adopted_after`, seconds from its start; None where the series went back to what it was.
    `rows`: how many are flagged. `first_row`: where the event begins, or the row stands, in `source`.
    """

    number: int | None
    entity: dict[str, str]
    source: str
    first_row: int
    start: str
    end: str
    peak: str
    seconds: float
    clearest: tuple[str, str] | None
    rows: int
    score: float | None
    p_value: float | None
    flagged: bool
    sentence: str
    columns: list[SeriesReason]
    sketches: list[Sketched] = field(default_factory=list)
    clear: tuple[float, float] | None = None
    adopted_since: str | None = None
    adopted_after: int | None = None
    muted: Reason | None = None

    @property
    def adoption(self) -> str:
        """What is said of an event that the alarms adapted to; '' of others."""
        return f"lasted and counts as normal since {self.adopted_since}" if self.adopted_since else ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "anomaly_event": self.number,
            "entity": self.entity,
            "source": self.source,
            "row": self.first_row,
            "start": self.start,
            "end": self.end,
            "peak": self.peak,
            "clearest": list(self.clearest) if self.clearest else None,
            "seconds": self.seconds,
            "adopted_since": self.adopted_since,
            "adopted_after_seconds": self.adopted_after,
            "rows": self.rows,
            "anomaly_score": self.score,
            "anomaly_p_value": self.p_value,
            "is_anomaly": self.flagged if self.score is not None else None,
            "muted_by": self.muted and {"kind": self.muted.kind, "name": self.muted.name},
            "sentence": self.sentence,
            "columns": [reason.as_dict() for reason in self.columns],
        }


class SeriesExplainer:
    """Explains events and rows of the inputs that a session has read and kept."""

    def __init__(self, fitted: FittedModel, session: SeriesSession):
        self._fitted, self._session = fitted, session
        self._reconstruction = Reconstruction(fitted, ScoredSeries.of(session))
        units = Units(fitted.encoder, fitted.normal_rows)
        self._values = SeriesValues(units)
        self._rarities = Rarities(fitted.encoder, units=units)
        self._columns: dict[str, ReconstructedColumn | None] = {}

    def reconstructed(self, name: str) -> ReconstructedColumn | None:
        """A column as seen and expected; None for one that has no single value, such as a time of day."""
        if name not in self._columns:
            self._columns[name] = self._reconstruction.column(name)
        return self._columns[name]

    def event(self, event: Event) -> SeriesExplanation:
        session = self._session
        shares = session.shares(event.rows).astype(np.float64)
        reasons = list(self._reasons(shares, event.rows))
        explanation = self._explained(event.rows, event.peak, reasons, event.series)
        leading = [reason.column for reason in reasons if reason.share >= _LEAST_SHARE] or [reasons[0].column]
        clear = self._clearest(event.rows, leading[0])
        adoption = session.adoptions.get((event.series, event.number))
        return replace(
            explanation,
            number=event.number,
            adopted_since=self.instant(adoption.row) if adoption else None,
            adopted_after=adoption.seconds if adoption else None,
            clearest=clear and (self.instant(clear[0]), self.instant(clear[1])),
            clear=clear and (float(session.seconds[clear[0]]), float(session.seconds[clear[1]])),
            sketches=[
                self._sketched(event, name) for name in leading[:_MOST_REASONS] if self.reconstructed(name)
            ],
        )

    def row(self, row: int) -> SeriesExplanation:
        """Row `row`, from 0, over all inputs."""
        session = self._session
        if np.isnan(session.scores[row]):
            explanation = self._explained(np.array([row]), row, [], int(session.series[row]))
            return replace(explanation, sentence=self._unscorable(row))
        rows = np.array([row])
        reasons = list(self._reasons(self._reconstruction.shares(row), rows))
        return self._explained(rows, row, reasons, int(session.series[row]))

    def _explained(
        self, rows: Integers, peak: int, reasons: list[SeriesReason], series: int
    ) -> SeriesExplanation:
        session = self._session
        source, place = session.place(int(rows[0]))
        score = float(session.scores[peak])
        known = not np.isnan(score)
        main_reasons = [
            reason
            for index, reason in enumerate(reasons[:_MOST_REASONS])
            if not index or (reason.share >= _LEAST_SHARE and reason.away >= _OFF)
        ]
        return SeriesExplanation(
            None,
            dict(zip(session.entity, session.names[series], strict=True)),
            source.name,
            place,
            self.instant(int(rows[0])),
            self.instant(int(rows[-1])),
            self.instant(peak),
            float(session.seconds[rows[-1]] - session.seconds[rows[0]]),
            None,
            int(session.flagged[rows].sum()),
            score if known else None,
            float(session.p_values[peak]) if known else None,
            bool(session.flagged[peak]),
            "; ".join(reason.sentence for reason in main_reasons),
            reasons,
            muted=session.reasons.get(peak),
        )

    def _reasons(self, shares: Floats, rows: Integers) -> Iterator[SeriesReason]:
        names = self._session.columns
        for index in np.argsort(-shares, kind="stable").tolist():
            yield self._reason(names[index], float(shares[index]), rows)

    def _reason(self, name: str, part: float, rows: Integers) -> SeriesReason:
        column = self.reconstructed(name)
        if column is None:
            at = self.instant(int(rows[0]))
            return SeriesReason(name, part, at, "", "", UNKNOWN, f"{shown(name)} is odd")
        away = column.deviations(rows)
        worst, values = farthest(column, rows), self._values
        at, seen = self.instant(worst), values.seen(column, worst)
        value, expected = values.text(column, seen), values.expected(column, worst)
        rarity = self._rarity(name, column, seen)
        what = f"the growth of {shown(name)} per row" if column.growth else shown(name)
        when = f" at {at}{self._session.zone}" if len(rows) > 1 else ""
        if column.names:
            odd = float(away.mean())
            sentence = f"{what} is {value}{when}, where {expected} was expected"
            if len(rows) > 1 and 0 < odd < 1:
                sentence += f", as in {share(odd)} of the event's rows"
            if not odd:
                sentence = f"{what} is {value}, as expected"
        elif np.isnan(seen):
            sentence = f"{what} is missing{when}; {expected} was expected"
        else:
            sentence = f"{what} is {value}{when}, where {expected} was expected"
            if value == expected:
                sentence = f"{what} is {value}{when}, about as expected"
            if rarity.direction:
                sentence += f" ({rarity.text})"
        most_away = float(away.max()) if not column.names else np.inf if away.any() else 0.0
        return SeriesReason(name, part, at, value, expected, rarity, sentence, most_away)

    def _rarity(self, name: str, column: ReconstructedColumn, seen: float) -> Rarity:
        encoder = self._fitted.encoder
        if name in encoder.state.constant:
            return UNKNOWN
        row = np.zeros(len(encoder.center) + len(encoder.state.categorical), dtype=np.float32)
        if name in (words := [vocabulary.column for vocabulary in encoder.state.categorical]):
            row[len(encoder.center) + words.index(name)] = 0 if np.isnan(seen) else seen
        elif np.isnan(seen):
            row[:] = np.nan
        return self._rarities.of(name, row, seen)

    def _clearest(self, rows: Integers, name: str) -> tuple[int, int] | None:
        """The first and the last row that are clearly off."""
        column = self.reconstructed(name)
        if column is None:
            return None
        away = column.deviations(rows)
        places = np.flatnonzero(away >= (1.0 if column.names else max(_OFF, float(away.max()) / 2)))
        if not len(places):
            return None
        return int(rows[places[0]]), int(rows[places[-1]])

    def _sketched(self, event: Event, name: str, points: int = 60) -> Sketched:
        """The column from before the event to after it, as means of so many parts."""
        column, session = self.reconstructed(name), self._session
        assert column is not None
        assert session.series_data is not None
        order = session.series_data.timeline.order
        series_rows = order[session.series[order] == event.series]
        ends = event.rows[[0, -1]]
        first, last = (int(np.flatnonzero(series_rows == row)[0]) for row in ends)
        around = max(int(_CONTEXT * (last - first + 1)), 5)
        low, high = max(first - around, 0), min(last + around + 1, len(series_rows))
        parts = np.array_split(series_rows[low:high], min(points, high - low))
        size = (high - low) / len(parts)
        return Sketched(
            name,
            [_mean(column.seen[part]) for part in parts],
            [_mean(column.expected[part]) for part in parts],
            (int((first - low) / size), int((last - low) / size)),
        )

    def _unscorable(self, row: int) -> str:
        session = self._session
        assert session.series_data is not None
        if not session.warmup[row]:
            if self._fitted.long_table is not None:
                return "the row has no timestamp, or no reading of a channel that the model knows"
            return "a cell cannot be read, or the row has no timestamp"
        return (
            f"too little of the series is known yet: a window is {session.window:,} rows, and a series not "
            "learned from takes its scale from its first ones; with what went before, the row has a score"
        )

    def instant(self, row: int) -> str:
        """When a row was, by the clock of its data; '' where it has no time."""
        return self._session.clock.shown(float(self._session.seconds[row]))


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
