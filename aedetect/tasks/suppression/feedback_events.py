"""Verdicts of people on events: events of the same series like those called normal are muted, as a whole.

An event is like another one where it is blamed on the same columns, lasts no more than about twice as long,
is no stranger, and nearly all its rows have one of the other's near by on what the columns to blame hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.data.series.channels import Channels
from aedetect.scoring.feedback_store import Note
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.one_series import channels_of_rows
from aedetect.scoring.suppression import FlaggedRows, Reason, SeriesRows
from aedetect.tasks.suppression.alike import Space, in_blamed, overlap, places_of

_SAME_BLAME = 0.5
# An event that lasts longer than so many times what was called fine, and so many steps, is another matter.
_LONGER, _STEPS = 2.0, 3
# A peak this many times as high may be worse.
_STRANGER = 1.25
# So many of an event's rows must have one of the noted event's within the radius.
_ROWS_NEAR = 0.8
# The radius, in standard deviations of a series: as its own rows lie to one another, between these two.
_NARROW, _WIDE = 0.25, 1.0


@dataclass(frozen=True, eq=False)
class NotedEvent:
    """An event that somebody gave a verdict on. `values` [rows, channels], `shares` [columns]."""

    note: Note
    entity: dict[str, str]
    values: Floats
    shares: Floats
    score: float
    lasted: float
    radius: float

    @classmethod
    def of(cls, note: Note, space: Space, columns: Sequence[str]) -> NotedEvent:
        """A note as it is compared; its radius is learned from its own rows."""
        assert note.event is not None
        values = np.array(note.event.values, dtype=np.float64).reshape(len(note.event.values), -1)
        shares = np.array([note.attribution.get(name, 0.0) for name in columns])
        shares = shares / max(float(shares.sum()), 1e-30)
        distances = [
            float(np.delete(in_blamed(space.apart(values, row), shares), place).min())
            for place, row in enumerate(values)
            if len(values) > 1
        ]
        radius = float(np.clip(np.quantile(distances, 0.9) if distances else 0, _NARROW, _WIDE))
        lasted = note.event.end - note.event.start
        return cls(note, note.event.entity, values, shares, note.score or np.inf, lasted, radius)

    def distance(self, space: Space, values: Matrix) -> Floats:
        """How far each row [rows] is from the nearest one of this event, in its columns to blame."""
        each = [in_blamed(space.apart(values, row), self.shares) for row in self.values]
        return np.asarray(np.min(each, axis=0))


@dataclass(frozen=True, eq=False)
class EventFeedback:
    """Mutes events like those called normal; one that is nearer to one called an anomaly stays."""

    space: Space
    noted: Sequence[NotedEvent]
    step: float

    @classmethod
    def of(cls, fitted: FittedModel, notes: Sequence[Note]) -> tuple[EventFeedback, list[str]]:
        """The notes under a model, and why some of them mute nothing."""
        owners = list(Channels.of(fitted.encoder).owners)
        space = Space(len(owners), places_of(owners, fitted.columns), len(fitted.columns))
        noted, lacking = [], []
        for note in notes:
            assert note.event is not None
            if note.event.channels != owners:
                lacking.append(f"{note.name} was made under a model of other columns: it mutes nothing")
                continue
            noted.append(NotedEvent.of(note, space, fitted.columns))
        assert fitted.series is not None
        return cls(space, noted, fitted.series.state.step), lacking

    def reasons(self, flagged: FlaggedRows) -> list[Reason | None]:
        reasons: list[Reason | None] = [None] * len(flagged)
        series = flagged.series
        assert series is not None
        here = [one for one in self.noted if one.entity == dict(series.entity)]
        for number in np.unique(series.event[series.event > 0]) if here else ():
            rows = np.flatnonzero(series.event == number)
            reason = self._reason(here, flagged, series, rows)
            for row in rows:
                reasons[row] = reason
        return reasons

    def _reason(
        self, noted: Sequence[NotedEvent], flagged: FlaggedRows, series: SeriesRows, rows: Integers
    ) -> Reason | None:
        shares = flagged.attribution[rows].mean(axis=0)
        values = channels_of_rows(series.one.timeline, series.one.read_channels, series.places[rows])
        peak, lasted = float(flagged.scores[rows].max()), float(series.lasted[rows[0]])
        best, nearest = None, np.inf
        for one in noted:
            if float(overlap(shares[None], one.shares)[0]) < _SAME_BLAME:
                continue
            distance = float(np.quantile(one.distance(self.space, values), _ROWS_NEAR))
            if distance < nearest:
                best, nearest = one, distance
        if best is None or best.note.verdict == "anomaly" or nearest > best.radius:
            return None
        if peak > _STRANGER * best.score or lasted > _LONGER * best.lasted + _STEPS * self.step:
            return None
        return Reason(
            "feedback",
            best.note.name,
            f"{best.note.said}; it is {nearest:.2g} standard deviations away in the columns to blame, where "
            f"up to {best.radius:.2g} counts as alike",
        )
