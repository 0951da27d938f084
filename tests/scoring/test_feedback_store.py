"""The file of notes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.errors import DataError, OutputError
from aedetect.scoring.feedback_store import (
    Note,
    OfEvent,
    read_notes,
    with_further,
    without,
    write_notes,
)

CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
NOTES = st.builds(
    Note,
    id=st.integers(1, 9),
    verdict=st.sampled_from(["normal", "anomaly"]),
    text=st.text(),
    who=st.text(),
    when=st.just("2026-03-01T00:00:00+00:00"),
    source=st.text(),
    row=st.integers(1, 9),
    score=NUMBERS,
    cells=st.dictionaries(st.text(), CELLS, max_size=3),
    attribution=st.dictionaries(st.text(), st.floats(0, 1), max_size=3),
    model=st.none(),
    features=st.none(),
    encoded=st.one_of(st.none(), st.lists(NUMBERS, max_size=3)),
    event=st.one_of(
        st.none(),
        st.builds(
            OfEvent,
            number=st.one_of(st.none(), st.integers(1, 9)),
            entity=st.dictionaries(st.text(), st.text(), max_size=2),
            start=st.floats(0, 9),
            end=st.floats(0, 9),
            channels=st.lists(st.text(), max_size=2),
            values=st.lists(st.lists(NUMBERS, max_size=2), max_size=2),
        ),
    ),
    undone=st.none(),
)


def note(row: int, verdict: str = "normal", who: str = "ann") -> Note:
    return Note(
        id=1, verdict=verdict, text="", who=who, when="2026-03-01T00:00:00+00:00", source="s.csv",
        row=row, score=9.0, cells={"x": str(row)}, attribution={"x": 1.0},
    )  # fmt: skip


@given(st.lists(NOTES, max_size=3))
def test_notes_come_back_as_they_were_written(notes: list[Note]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "notes.json")
        write_notes(path, notes)
        assert read_notes(path) == notes


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["normal", "anomaly"])), max_size=12))
def test_the_last_verdict_on_a_row_is_the_one_that_counts(said: list[tuple[int, str]]) -> None:
    notes: list[Note] = []
    for row, verdict in said:
        notes, added, repeated = with_further(notes, [note(row, verdict)])
        assert len(added) + repeated == 1
    counting = {one.row: one.verdict for one in notes if one.counts}
    assert counting == dict(said)
    assert sum(one.counts for one in notes) == len(counting)
    assert [one.id for one in notes] == list(range(1, len(notes) + 1))


def test_taking_back_keeps_the_note() -> None:
    notes, _, _ = with_further([], [note(1), note(2)])
    after, undone = without(notes, [2], "bob", "notes.json")
    assert [one.counts for one in after] == [True, False]
    assert undone[0].undone is not None
    assert undone[0].undone.who == "bob"
    with pytest.raises(DataError, match="notes.json: there is no note 3; see `aedetect feedback list`"):
        without(after, [3], "bob", "notes.json")


def test_any_change_by_hand_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    write_notes(path, with_further([], [note(1)])[0])
    entries = json.loads(path.read_text())
    for key, value in (("row", 2), ("who", "eve"), ("score", 1.0)):
        entries["notes"][0] |= {key: value}
        path.write_text(json.dumps(entries))
        with pytest.raises(OutputError, match="damaged, or was changed by hand"):
            read_notes(path)


def test_what_was_said_in_words() -> None:
    assert note(1200).said == "like row 1,200 of s.csv, which ann called normal on 2026-03-01"
    event = OfEvent(number=3, entity={"machine": "m1"}, start=0.0, end=1.0, channels=[], values=[])
    of_event = note(1, "anomaly").model_copy(update={"event": event, "text": "leak"})
    assert of_event.said == (
        "like event 3 of m1 of s.csv, which ann called an anomaly on 2026-03-01 ('leak')"
    )
    assert of_event.name == "note 1 (leak)"
