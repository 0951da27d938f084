"""From rows of a scored file that a person names to notes on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aedetect.errors import DataError, UsageError
from aedetect.io.lock import Locks
from aedetect.scoring.feedback_store import Note, read_notes, with_further, write_notes
from aedetect.tasks.suppression.scored_file import NoteRequest, ScoredFile, ScoredRows, blank_note

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel


def notes_of(scored: ScoredFile, request: NoteRequest, fitted: FittedModel | None) -> tuple[list[Note], int]:
    """Notes on the rows or the event asked for, and how many of the rows were not flagged.

    With a model the rows are noted as it sees them, too; of series one is needed. Raises DataError,
    UsageError or ModelError where rows, columns or the model do not go together.
    """
    rows = scored.named(request)
    if fitted is not None and (fitted.series is not None) != scored.has_events:
        kind = "time series" if fitted.series is not None else "tables"
        raise UsageError(f"{scored.source.name}: was not scored by this model, which is of {kind}")
    if scored.has_events:
        from aedetect.tasks.suppression.noting_events import event_notes

        if fitted is None:
            raise UsageError("of time series, name the model that scored them: -m MODEL.aed")
        return event_notes(scored, rows, request, fitted), rows.unflagged
    return _row_notes(scored, rows, request, fitted), rows.unflagged


def entered(store: Path, further: Sequence[Note]) -> tuple[list[Note], int]:
    """Enter notes into the store at `store`: those that are new, with their numbers, and how many are not.

    Raises OutputError where another run holds the store, or it is damaged or cannot be written.
    """
    with Locks([str(store)]):
        notes, added, repeated = with_further(read_notes(store, missing_ok=True), further)
        if added:
            write_notes(store, notes)
    return added, repeated


def _row_notes(
    scored: ScoredFile, rows: ScoredRows, request: NoteRequest, fitted: FittedModel | None
) -> list[Note]:
    if fitted is not None:
        fitted.check(scored.source)
    table = rows.table
    each = zip(rows.numbers, scored.scores_of(table), scored.attribution_of(table), strict=True)
    notes = []
    for index, (number, score, attribution) in enumerate(each):
        note = blank_note(scored, request, number, score, table.slice(index, 1))
        note = note.model_copy(update={"attribution": attribution})
        notes.append(note if fitted is None else _as_seen(note, fitted))
    return notes


def _as_seen(note: Note, fitted: FittedModel) -> Note:
    """A note with the row as the model is given it, and all shares of its error."""
    from aedetect.tasks.suppression.noted_rows import judged_again

    judged, _ = judged_again(fitted, [note])
    if not judged:
        raise DataError(
            f"{note.source}: row {note.row}: the model cannot read it; name the one that scored the file, or "
            "leave out -m"
        )
    one = judged[0]
    shares = zip(fitted.columns, one.shares.tolist(), strict=True)
    return note.model_copy(
        update={
            "model": fitted.sha256,
            "score": one.score,
            "features": list(fitted.encoder.owners),
            "encoded": [None if np.isnan(value) else float(value) for value in one.encoded],
            "attribution": {name: round(share, 4) for name, share in shares if share >= 0.0001},
        }
    )
