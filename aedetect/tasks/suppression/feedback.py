"""Verdicts of people as a suppressor: rows like those that somebody called normal are muted.

Alike are two rows that are blamed on the same columns, of which the new one is no stranger, and that lie near
one another: over all columns as near as normal rows do, or nearly on the same values in the columns to
blame. How near that is, is learned: from the normal rows, and from the notes, which make the radius wider
where several are of one kind, and narrower where one was called an anomaly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aedetect.data import cells
from aedetect.scoring.feedback_store import Note, read_notes
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.suppression import FlaggedRows, Reason, Suppressor
from aedetect.tasks.suppression.alike import UNLIKE, Space, in_blamed, overall, overlap
from aedetect.tasks.suppression.feedback_events import EventFeedback
from aedetect.tasks.suppression.noted_rows import JudgedRow, constants_of, judged_again

# How much of the blame must lie on the same columns: of rows that are near in all, of those in some alone.
_SAME_BLAME, _SAME_BLAME_ALONE = 0.5, 0.7
# A row that scores more than this many times what was called fine may be worse.
_STRANGER = 1.1
# Of normal rows, so many have another one within the radius over all columns.
_NEAR = 0.9
# The radius in the columns to blame: as far as notes of one kind lie apart, between these two.
_NARROW, _WIDE = 0.1, 0.2


@dataclass(frozen=True, eq=False)
class NotedRow:
    """A row that was called normal, as this model sees it.

    `radius`: in the columns to blame. `limit`: half the way over all columns to the nearest row of the same
    blame that was called an anomaly; infinite where there is none.
    """

    judged: JudgedRow
    radius: float
    limit: float

    @classmethod
    def of(
        cls, one: JudgedRow, normal: Sequence[JudgedRow], anomalies: Sequence[JudgedRow], space: Space
    ) -> NotedRow:
        """The row with what is learned from the other notes of its kind."""
        others = [other for other in normal if other is not one and _one_kind(one, other)]
        strange = [other for other in anomalies if _one_kind(one, other)]
        radius = min((_distances(space, one, other)[1] for other in others), default=_NARROW)
        radius = float(np.clip(radius, _NARROW, _WIDE))
        apart = [_distances(space, one, other) for other in strange]
        limit = min((distance for distance, _ in apart), default=np.inf) / 2
        return cls(one, min(radius, min((blamed for _, blamed in apart), default=np.inf) / 2), limit)


@dataclass(frozen=True, eq=False)
class FeedbackSuppressor:
    """Mutes rows of tables like those called normal.

    `radius`: over all columns. `constants`: the places of the watched constants, which a row as the model is
    given it does not have; `rules`: how their cells are read.
    """

    space: Space
    noted: Sequence[NotedRow]
    radius: float
    constants: Mapping[str, int]
    rules: cells.CellRules

    def reasons(self, flagged: FlaggedRows) -> list[Reason | None]:
        reasons: list[Reason | None] = [None] * len(flagged)
        nearest = np.full(len(flagged), np.inf)
        assert flagged.encoded is not None
        assert flagged.cells is not None
        constants = constants_of(list(self.constants), flagged.cells, self.rules)
        for noted in self.noted:
            one = noted.judged
            apart = self.space.apart(flagged.encoded, one.encoded)
            for name, values in constants.items():
                apart[:, self.constants[name]] = [UNLIKE * (value != one.constants[name]) for value in values]
            same, distances = overlap(flagged.attribution, one.shares), overall(apart)
            blamed, radius = in_blamed(apart, one.shares), min(self.radius, noted.limit)
            near = (same >= _SAME_BLAME) & (distances <= radius)
            alone = (same >= _SAME_BLAME_ALONE) & (blamed <= noted.radius)
            alike = (flagged.scores <= _STRANGER * one.score) & (near | alone)
            for place in np.flatnonzero(alike & (distances < nearest)):
                nearest[place] = distances[place]
                text = (
                    _over_all(distances[place], radius)
                    if near[place]
                    else _over_blamed(blamed[place], noted.radius)
                )
                reasons[place] = Reason("feedback", one.note.name, f"{one.note.said}; {text}")
        return reasons


def _over_all(distance: float, radius: float) -> str:
    return (
        f"it is {distance:.2g} away over all columns, where up to {radius:.2g} counts as alike, as near as "
        "normal rows are to one another"
    )


def _over_blamed(distance: float, radius: float) -> str:
    return f"in the columns to blame it is {distance:.2g} away, where up to {radius:.2g} counts as alike"


def feedback_suppressor(fitted: FittedModel, path: Path) -> tuple[Suppressor, list[str]]:
    """What mutes rows like those called normal in the store at `path`, and what is to be said of the store.

    Raises OutputError for a damaged store, DataError for none.
    """
    suppressor, said = suppressor_of(fitted, read_notes(path))
    return suppressor, [f"{path}: {text}" for text in said]


def suppressor_of(fitted: FittedModel, notes: Sequence[Note]) -> tuple[Suppressor, list[str]]:
    """What mutes rows like those called normal, and why some of the notes are of no use to the model."""
    counting = [note for note in notes if note.counts]
    usable = [note for note in counting if (note.event is not None) == (fitted.series is not None)]
    others, said = len(counting) - len(usable), []
    if others:
        kind = "events of time series" if fitted.series is None else "rows of tables"
        said.append(
            f"{others} of {len(counting)} notes {'is' if others == 1 else 'are'} on {kind} and mute nothing"
        )
    suppressor: Suppressor
    if fitted.series is not None:
        suppressor, lacking = EventFeedback.of(fitted, usable)
    else:
        suppressor, lacking = _of_tables(fitted, usable)
    return suppressor, [*said, *lacking]


def _of_tables(fitted: FittedModel, notes: Sequence[Note]) -> tuple[FeedbackSuppressor, list[str]]:
    space = Space.of(fitted.encoder, fitted.columns)
    constants = {name: fitted.columns.index(name) for name in fitted.encoder.state.constant}
    judged, lacking = judged_again(fitted, notes)
    normal = [one for one in judged if one.note.verdict == "normal"]
    anomalies = [one for one in judged if one.note.verdict == "anomaly"]
    noted = [NotedRow.of(one, normal, anomalies, space) for one in normal]
    radius = space.usual_distance(fitted.normal_rows, _NEAR)
    return FeedbackSuppressor(space, noted, radius, constants, fitted.schema.rules), lacking


def _one_kind(one: JudgedRow, other: JudgedRow) -> bool:
    return bool(overlap(one.shares[None], other.shares)[0] >= _SAME_BLAME_ALONE)


def _distances(space: Space, one: JudgedRow, other: JudgedRow) -> tuple[float, float]:
    """How far two rows are apart over all columns, and in those to blame for the first."""
    apart = space.apart(other.encoded[None], one.encoded)
    return float(overall(apart)[0]), float(in_blamed(apart, one.shares)[0])
