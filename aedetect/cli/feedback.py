"""`aedetect feedback`: what people say of verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from aedetect.cli import completion, options
from aedetect.cli.command import look, running, short_envelope
from aedetect.cli.options import argument, option
from aedetect.cli.tables import simple_table
from aedetect.cli.text import counted, plain
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.scoring.feedback_store import Note
    from aedetect.tasks.suppression.scored_file import NoteRequest

HELP = """Say of scored rows that they are fine, or that they are anomalies: the next runs go by it.

`aedetect feedback SCORED --row N --normal --store FILE` notes it; the word 'note' may be left out.
Then `score --feedback FILE` mutes rows alike, and `train` and `calibrate --feedback FILE` learn from both.
All commands take --json, --log-format, --quiet and --verbose.

Example: aedetect feedback march-scored.csv --row 17 --normal --note "new shop" --store verdicts.json
"""

Store = Annotated[Path, option("--store FILE", "The file of notes; made where there is none.", default=...)]
By = Annotated[str | None, option("--by NAME", "Who says so; default: whoever runs this.", default=...)]


def note(
    scored: Annotated[str, argument("SCORED", "A file that `aedetect score -o` wrote.", default=...)],
    store: Store,
    reading: options.ReadingOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
    row: list[str] | None = option("--row N", "This row, counted from 1; may be repeated."),
    where: list[str] | None = option(
        "--where COLUMN=VALUE",
        "All rows that hold this, of the flagged ones with --normal; repeated: rows that hold all of it.",
    ),
    event: str | None = option("--event N", "The event of this number, as in the column anomaly_event."),
    entity: list[str] | None = option(
        "--entity VALUE", "Of --event: the series it is of, where several have one of that number."
    ),
    normal: bool = option("--normal", "They are fine.", default=False),
    anomaly: bool = option("--anomaly", "They are anomalies, flagged or not.", default=False),
    note: str = option("--note TEXT", "Why, in a few words.", default=""),
    by: By = None,
    model: Path | None = option(
        "--model -m MODEL.aed",
        "The model: the rows are noted as it sees them, too; of time series it must be named.",
        completion.model_files,
    ),
) -> None:
    """Note what somebody says of rows, or of an event: fine, or an anomaly.

    The notes outlive the model: they hold the rows. `score --feedback` mutes rows that are like those
    called fine; `train --feedback` and `calibrate --feedback` learn from them, and leave out the
    anomalies. A verdict on a row replaces an earlier one that says the contrary.

    Example: aedetect feedback note march-scored.csv --row 17 --normal --store verdicts.json
    """
    with running("feedback", messages) as out:
        if normal == anomaly:
            raise UsageError("say what they are: --normal or --anomaly")
        look([scored])
        from aedetect.tasks.suppression.noting import entered
        from aedetect.tasks.suppression.scored_file import NoteRequest

        request = NoteRequest(
            "normal" if normal else "anomaly",
            [options.whole(text, "--row") for text in row or []],
            [_condition(text) for text in where or []],
            None if event is None else options.whole(event, "--event"),
            entity or [],
            note,
            by,
        )
        _check_store(store, scored, model)
        further, unflagged = _notes(scored, request, model, run, reading)
        added, repeated = entered(store, further)
        if unflagged and normal:
            out.note(f"{counted(unflagged, 'row')} of them {'was' if unflagged == 1 else 'were'} not flagged")
        if repeated:
            out.note(f"{counted(repeated, 'note')} of the same verdict there already")
        body = {"store": str(store), "added": [_entry(one) for one in added], "repeated": repeated}
        out.result(short_envelope("feedback", body))
        if added:
            verdict = "normal" if normal else "an anomaly" if len(added) == 1 else "anomalies"
            out.say(
                f"{plain(str(store))}: {_numbers(added)}: {_what(added)} of {plain(scored)} called {verdict}"
            )


def list_(
    store: Store,
    messages: options.MessageOptions,
    all: bool = option("--all", "Those taken back, too.", default=False),
) -> None:
    """List the notes of a store.

    Example: aedetect feedback list --store verdicts.json
    """
    with running("feedback list", messages) as out:
        from aedetect.scoring.feedback_store import read_notes

        notes = [one for one in read_notes(store) if all or one.counts]
        body = {"store": str(store), "notes": [_entry(one) for one in notes]}
        out.result(short_envelope("feedback list", body))
        if notes:
            out.table(_table(notes))
        out.say(counted(len(notes), "note"))


def undo(
    numbers: Annotated[
        list[str], argument("N...", "The numbers of notes, as `feedback list` shows.", default=...)
    ],
    store: Store,
    messages: options.MessageOptions,
    by: By = None,
) -> None:
    """Take notes back; they stay in the store, and no longer count.

    Example: aedetect feedback undo 3 --store verdicts.json
    """
    with running("feedback undo", messages) as out:
        from aedetect.io.lock import Locks
        from aedetect.scoring.feedback_store import read_notes, without, write_notes
        from aedetect.tasks.suppression.scored_file import current_user

        wanted = [options.whole(text, "N") for text in numbers]
        with Locks([str(store)]):
            notes, undone = without(read_notes(store), wanted, by or current_user(), str(store))
            write_notes(store, notes)
        out.result(
            short_envelope("feedback undo", {"store": str(store), "undone": [_entry(one) for one in undone]})
        )
        out.say(f"{plain(str(store))}: taken back: {_numbers(undone)}")


def _notes(
    scored: str,
    request: NoteRequest,
    model: Path | None,
    run: options.RunOptions,
    reading: options.ReadingOptions,
) -> tuple[list[Note], int]:
    """Notes on the rows asked for, and how many of these were not flagged."""
    from aedetect.io.files import as_trained, open_inputs, read_options
    from aedetect.tasks.suppression.noting import notes_of
    from aedetect.tasks.suppression.scored_file import ScoredFile

    settings = run.settings(reading.overrides())
    sources = open_inputs([scored], read_options(settings.data))
    if len(sources) > 1:
        raise UsageError(f"{scored}: {len(sources)} files; name the one that holds the rows")
    fitted = None
    if model is not None:
        from aedetect.scoring.fitted import FittedModel

        fitted = FittedModel.load(model, device=settings.training.device)
        sources = as_trained(sources, fitted.config.data, settings.data)
    return notes_of(ScoredFile.of(sources[0]), request, fitted)


def _check_store(store: Path, scored: str, model: Path | None) -> None:
    """Raises UsageError or OutputError where the notes cannot go to the store."""
    from aedetect.io.atomic import check_writable, same_file

    for other in (scored, model):
        if other is not None and same_file(store, other):
            raise UsageError(f"{store}: --store is also the scored file or the model; name another")
    check_writable(store)


def _condition(text: str) -> tuple[str, str]:
    column, sign, value = text.partition("=")
    if not sign or not column:
        raise UsageError(f"--where {text!r}: write it as COLUMN=VALUE, e.g. --where shop=17")
    return column, value


def _entry(one: Note) -> dict[str, object]:
    """A note in JSON, without the row as the model was given it."""
    entry = one.model_dump(exclude={"features", "encoded", "event"})
    event = one.event and one.event.model_dump(exclude={"channels", "values"})
    return {**entry, "event": event}


def _numbers(notes: list[Note]) -> str:
    """'note 3', 'notes 3 to 6', 'notes 3, 5'."""
    numbers = [one.id for one in notes]
    if len(numbers) == 1:
        return f"note {numbers[0]}"
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"notes {numbers[0]} to {numbers[-1]}"
    return f"notes {', '.join(map(str, numbers))}"


def _what(notes: list[Note]) -> str:
    event = notes[0].event
    if event is not None and event.number is not None:
        return f"event {event.number}"
    return f"row {notes[0].row:,}" if len(notes) == 1 else counted(len(notes), "row")


def _table(notes: list[Note]) -> Table:
    table = simple_table("note", "verdict", "of", "to blame", "who", "when", "why", right=("note",))
    for one in notes:
        what = f"{_what([one])} of {plain(one.source, 30)}"
        blamed = ", ".join(plain(name, 16) for name in list(one.attribution)[:2])
        undone = f" (taken back by {plain(one.undone.who, 16)})" if one.undone else ""
        verdict = one.verdict + undone
        table.add_row(
            str(one.id), verdict, what, blamed, plain(one.who, 16), one.when[:10], plain(one.text, 40)
        )
    return table
