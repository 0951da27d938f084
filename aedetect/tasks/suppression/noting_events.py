"""Notes on events of time series: their rows as the model is given them, among all of their series."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import Integers
from aedetect.data.series.channels import Channels
from aedetect.errors import DataError, UsageError
from aedetect.scoring.feedback_store import Note, OfEvent
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.one_series import channels_of_rows
from aedetect.scoring.series import SeriesScorer, SeriesSession
from aedetect.tasks.suppression.scored_file import NoteRequest, ScoredFile, ScoredRows, blank_note

# So many of an event's rows are noted, spread over all of it.
_MOST_ROWS = 64


def event_notes(
    scored: ScoredFile, rows: ScoredRows, request: NoteRequest, fitted: FittedModel
) -> list[Note]:
    """One note for the event asked for, or one for each row.

    Raises DataError where the file lacks rows or columns of its series, UsageError where several series have
    an event of that number.
    """
    if scored.has_rows:
        raise DataError(
            f"{scored.source.name}: holds flagged rows alone, and of time series all rows are needed; score "
            "without --only-anomalies"
        )
    source = fitted.placed([scored.source])[0]
    fitted.check(source)
    session = SeriesScorer(fitted).open([source], keep=True)
    session.check([source])
    noter = _Noter(scored, rows, request, fitted, session)
    if request.event is None:
        return [noter.note(np.array([index])) for index in range(len(rows))]
    series = np.unique(session.series[noter.places])
    if len(series) > 1:
        names = ", ".join("/".join(session.names[one]) for one in series[:10])
        raise UsageError(
            f"--event {request.event}: {len(series)} series have an event of that number; "
            f"add --entity and one of: {names}"
        )
    return [noter.note(np.arange(len(rows)))]


@dataclass(frozen=True, eq=False)
class _Noter:
    """Makes notes on rows of a scored file, which a session has read anew."""

    scored: ScoredFile
    rows: ScoredRows
    request: NoteRequest
    fitted: FittedModel
    session: SeriesSession

    @cached_property
    def places(self) -> Integers:
        """Where the rows stand among all, from 0."""
        return np.array(self.rows.numbers, dtype=np.int64) - 1

    @cached_property
    def table(self) -> pa.Table:
        return self.rows.table

    def note(self, chosen: Integers) -> Note:
        """The note on the rows at those places among the rows asked for."""
        session, data = self.session, self.session.series_data
        assert data is not None
        places, scores = self.places[chosen], np.array(self.scored.scores_of(self.table))
        some = np.unique(np.linspace(0, len(places) - 1, min(len(places), _MOST_ROWS)).astype(np.int64))
        values = channels_of_rows(data.timeline, data.read_channels, places[some])
        peak = int(chosen[np.argmax(scores[chosen])])
        series = int(session.series[places[0]])
        note = blank_note(
            self.scored, self.request, self.rows.numbers[peak], float(scores[peak]), self.table.slice(peak, 1)
        )
        event = OfEvent(
            number=self.request.event,
            entity=dict(zip(session.entity, session.names[series], strict=True)),
            start=float(session.seconds[places].min()),
            end=float(session.seconds[places].max()),
            channels=list(Channels.of(self.fitted.encoder).owners),
            values=[[None if np.isnan(one) else float(one) for one in row] for row in values],
        )
        attribution = self._mean_attribution(chosen)
        return note.model_copy(
            update={"model": self.fitted.sha256, "attribution": attribution, "event": event}
        )

    def _mean_attribution(self, chosen: Integers) -> dict[str, float]:
        """The shares of the columns to blame, on the mean of rows."""
        each = self.scored.attribution_of(self.table)
        totals: dict[str, float] = {}
        for index in chosen:
            for name, share in each[int(index)].items():
                totals[name] = totals.get(name, 0.0) + share / len(chosen)
        return {name: round(share, 4) for name, share in totals.items()}
