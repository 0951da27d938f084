"""What people said of verdicts, in one small file that outlives any model.

The file is JSON: a format version, the notes, and a digest over them, so that one that was cut off or damaged
is refused. Notes are never removed: one that was taken back says when and by whom.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aedetect.errors import DataError, OutputError
from aedetect.io.atomic import atomic_output

STORE_VERSION = 1
_FORMAT = "aedetect feedback"
_REMEDY = "restore it from a backup, or name another file"

Cell = str | bool | int | float | None


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class Undone(_Entry):
    """Who took a note back, and when (UTC, ISO 8601)."""

    who: str
    when: str


class OfEvent(_Entry):
    """What a note on an event of a time series, or on a row of one, has beside that on a row of a table.

    `number`: of the event; None for a row. `entity`: the values that name the series, by column. `start`,
    `end`: the first and the last row, in seconds since 1970. `channels`: the names of the columns behind
    `values` [rows, channels], the rows as the model is given them; null where nothing was known.
    """

    number: int | None
    entity: dict[str, str]
    start: float
    end: float
    channels: list[str]
    values: list[list[float | None]]


class Note(_Entry):
    """One verdict of a person on one row, or on one event.

    `cells`: the row as it came, by column. `attribution`: the shares of the columns to blame. `features` and
    `encoded`: the names of the columns behind the row as the model was given it, and its values, null
    where missing; none where no model was named. `model`: that model's digest.
    """

    id: Annotated[int, Field(ge=1)]
    verdict: Literal["normal", "anomaly"]
    text: str
    who: str
    when: str
    source: str
    row: Annotated[int, Field(ge=1)]
    score: float | None
    cells: dict[str, Cell]
    attribution: dict[str, float]
    model: str | None = None
    features: list[str] | None = None
    encoded: list[float | None] | None = None
    event: OfEvent | None = None
    undone: Undone | None = None

    @property
    def counts(self) -> bool:
        """Whether it was not taken back."""
        return self.undone is None

    @property
    def name(self) -> str:
        """How messages call it: 'note 3 (scheduled backup)'."""
        return f"note {self.id}" + (f" ({self.text})" if self.text else "")

    @property
    def said(self) -> str:
        """Who said what of which row: "like row 12 of a.csv, which ann called normal on 2026-03-01"."""
        what = f"row {self.row:,}"
        if self.event is not None and self.event.number is not None:
            whose = "/".join(self.event.entity.values())
            what = f"event {self.event.number}" + (f" of {whose}" if whose else "")
        because = f" ({self.text!r})" if self.text else ""
        verdict = "normal" if self.verdict == "normal" else "an anomaly"
        return f"like {what} of {self.source}, which {self.who} called {verdict} on {self.when[:10]}{because}"

    def same_row(self, other: Note) -> bool:
        """Whether both are on one row of one file."""
        return (self.source, self.row, self.cells) == (other.source, other.row, other.cells)


class _File(_Entry):
    format: Literal["aedetect feedback"]
    schema_version: int
    notes: list[Note]
    sha256: str


def read_notes(path: Path, missing_ok: bool = False) -> list[Note]:
    """All notes of a store, those taken back included; none where there is no file and `missing_ok`.

    Raises OutputError for a store that is damaged or of a newer version, DataError for one that is not there
    or cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if missing_ok:
            return []
        raise DataError(
            f"{path}: there is no such file of feedback; `aedetect feedback` makes one with --store"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: the feedback cannot be read: {error.strerror}") from None
    try:
        entries = json.loads(content)
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise OutputError(f"{path}: holds no feedback, or is damaged; {_REMEDY}") from None
    if not isinstance(entries, dict) or entries.get("format") != _FORMAT:
        raise OutputError(
            f"{path}: holds no feedback; name a file that `aedetect feedback` made, or a new one"
        )
    version = entries.get("schema_version")
    if isinstance(version, int) and version > STORE_VERSION:
        raise OutputError(f"{path}: made by a newer aedetect (feedback version {version}); upgrade")
    try:
        store = _File.model_validate(entries)
    except ValidationError:
        raise OutputError(f"{path}: the feedback is damaged; {_REMEDY}") from None
    if store.sha256 != _digest(store.notes):
        raise OutputError(f"{path}: the feedback is damaged, or was changed by hand; {_REMEDY}")
    return store.notes


def write_notes(path: Path, notes: Sequence[Note]) -> None:
    """Write a store, in full or not at all. Raises OutputError where that fails."""
    store = _File(
        format="aedetect feedback", schema_version=STORE_VERSION, notes=list(notes), sha256=_digest(notes)
    )
    with atomic_output(path) as stream:
        stream.write(store.model_dump_json(indent=1).encode("utf-8", "backslashreplace") + b"\n")


def with_further(notes: Sequence[Note], further: Sequence[Note]) -> tuple[list[Note], list[Note], int]:
    """A store's notes with new ones, numbered on; the new ones; how many were there already.

    A verdict that contradicts an earlier one on the same row takes that back.
    """
    all_notes, added, repeated = list(notes), [], 0
    for note in further:
        earlier = [place for place, one in enumerate(all_notes) if one.counts and one.same_row(note)]
        if any(all_notes[place].verdict == note.verdict for place in earlier):
            repeated += 1
            continue
        for place in earlier:
            undone = Undone(who=note.who, when=note.when)
            all_notes[place] = all_notes[place].model_copy(update={"undone": undone})
        numbered = note.model_copy(update={"id": max((one.id for one in all_notes), default=0) + 1})
        all_notes.append(numbered)
        added.append(numbered)
    return all_notes, added, repeated


def without(
    notes: Sequence[Note], numbers: Sequence[int], who: str, path: str
) -> tuple[list[Note], list[Note]]:
    """The notes with those of some numbers taken back by `who`, and these.

    Raises DataError where the store at `path` has no such note, or it was taken back before.
    """
    for number in numbers:
        note = next((one for one in notes if one.id == number), None)
        if note is None:
            raise DataError(f"{path}: there is no note {number}; see `aedetect feedback list`")
        if note.undone is not None:
            raise DataError(f"{path}: note {number} was taken back on {note.undone.when[:10]} already")
    undone = Undone(who=who, when=datetime.now(UTC).isoformat(timespec="seconds"))
    after = [one.model_copy(update={"undone": undone}) if one.id in numbers else one for one in notes]
    return after, [one for one in after if one.id in numbers]


def _digest(notes: Sequence[Note]) -> str:
    entries: list[dict[str, Any]] = [note.model_dump() for note in notes]
    return hashlib.sha256(json.dumps(entries, sort_keys=True, allow_nan=False).encode()).hexdigest()
