"""`aedetect state`: look into and repair the ledger of `score --new-only`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from aedetect.cli import options
from aedetect.cli.command import running, short_envelope
from aedetect.cli.options import argument, option
from aedetect.cli.tables import simple_table
from aedetect.cli.text import counted, plain
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.engine.deliveries import StreamCount
    from aedetect.engine.ledger import Entry

HELP = """Look into and repair the ledger of `aedetect score --new-only --state FILE`.

Both commands take --json, --log-format, --quiet and --verbose.

Example: aedetect state show scored.db
"""

State = Annotated[Path, argument("FILE", "The state file.", default=...)]
OfModel = Annotated[
    str | None,
    option(
        "--model-sha256 DIGEST",
        "Only entries of the model with this digest, or one that begins so.",
        default=...,
    ),
]


def show(state: State, messages: options.MessageOptions, model: OfModel = None) -> None:
    """Show which inputs were scored, when, and with which model; with --verbose, to which outputs.

    Example: aedetect state show scored.db
    """
    with running("state show", messages) as out:
        from aedetect.engine.ledger import Ledger

        with Ledger(state, create=False) as ledger:
            entries = [entry for entry in ledger.entries() if entry.model.startswith(model or "")]
            streams = ledger.stream_counts(model or "")
            tails = [count for count in ledger.tail_counts() if count.model.startswith(model or "")]
        body = {
            "state": str(state),
            "entries": [asdict(entry) for entry in entries],
            "tails": [asdict(count) for count in tails],
            "streams": [_stream_entry(count) for count in streams],
        }
        out.result(short_envelope("state show", body))
        out.table(_table(entries, messages.verbose))
        out.say(counted(len(entries), "entry", "entries"))
        for stream in streams:
            # Of a single file the table says as much.
            if stream.files > 1:
                out.say(_of_stream(stream))
        for count in tails:
            out.say(
                f"the end of {count.series:,} series, {counted(count.rows, 'row')} up to {count.until}, "
                f"of model {count.model[:12]}"
            )


def _stream_entry(stream: StreamCount) -> dict[str, Any]:
    times = (("first", stream.first), ("last", stream.last))
    shown = {name: datetime.fromtimestamp(each, UTC).isoformat(timespec="seconds") for name, each in times}
    return asdict(stream) | shown


def _of_stream(stream: StreamCount) -> str:
    """What `score --expect` holds the next file of a stream against."""
    first, last = (f"{datetime.fromtimestamp(each, UTC):%Y-%m-%d}" for each in (stream.first, stream.last))
    when = f"of {first}" if first == last else f"of {first} to {last}"
    least, most = f"{stream.least_rows:,}", f"{stream.most_rows:,}"
    rows = f"{least} rows" if least == most else f"{least} to {most} rows"
    return f"{plain(stream.stream)}: {counted(stream.files, 'file')} {when}, {rows}"


def _table(entries: list[Entry], with_outputs: bool) -> Table:
    table = simple_table("input", "scored", "model", "rows", "flagged", right=("rows", "flagged"))
    table.columns[1].no_wrap = True
    for entry in entries:
        where = f"{entry.path} → {entry.output}" if with_outputs and entry.output else entry.path
        table.add_row(plain(where), entry.scored, entry.model[:12], f"{entry.rows:,}", f"{entry.anomalies:,}")
    return table


def forget(
    state: State,
    messages: options.MessageOptions,
    inputs: list[str] | None = argument("INPUT...", "Inputs to score again."),
    model: OfModel = None,
    all: bool = option("--all", "Forget every input.", default=False),
) -> None:
    """Forget inputs, so that the next run scores them again.

    Example: aedetect state forget scored.db dumps/2026-03-01.csv
    """
    with running("state forget", messages) as out:
        if bool(inputs) == all and not (model and not inputs):
            raise UsageError("name the inputs to forget, or --all, but not both")
        from aedetect.engine.ledger import Ledger, place_of_path
        from aedetect.io.lock import Locks

        # The ledger holds real paths; what is remembered of a file that is gone keeps its name.
        paths = [place_of_path(path) if "://" not in path else path for path in inputs or ()]
        with Locks([str(state)]), Ledger(state, create=False) as ledger:
            gone = ledger.forget(paths, model)
        for entry in gone if messages.verbose else ():
            out.note(f"forgotten: {entry.path}, scored {entry.scored} by {entry.model[:12]}")
        for path in paths:
            if path not in {entry.path for entry in gone}:
                out.warn(f"{path}: not in the state file")
        body = {"state": str(state), "forgotten": [asdict(entry) for entry in gone]}
        out.result(short_envelope("state forget", body))
        out.say(f"{counted(len(gone), 'entry', 'entries')} forgotten")
