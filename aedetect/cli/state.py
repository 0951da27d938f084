"""`aedetect state`: look into and repair the ledger of `score --new-only`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from aedetect.cli import options
from aedetect.cli.console import Output, plain, simple_table
from aedetect.cli.exit import reported
from aedetect.errors import UsageError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look into and repair the ledger of `aedetect score --new-only --state FILE`.\n\n"
    "Both commands take --json, --quiet and --verbose.\n\n"
    "Example: aedetect state show scored.db",
)

State = Annotated[Path, typer.Argument(metavar="FILE", help="The state file.", show_default=False)]
OfModel = Annotated[
    str | None,
    typer.Option(
        "--model-sha256",
        metavar="DIGEST",
        help="Only entries of the model with this digest, or one that begins so.",
        show_default=False,
    ),
]


@app.command(no_args_is_help=True)
def show(
    state: State,
    model: OfModel = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Show which inputs were scored, when, and with which model; with --verbose, to which outputs.

    Example: aedetect state show scored.db
    """
    out = Output("state show", json, quiet, verbose)
    with reported(out):
        from aedetect.engine.ledger import Ledger

        with Ledger(state, create=False) as ledger:
            entries = [entry for entry in ledger.entries() if entry.model.startswith(model or "")]
            tails = [count for count in ledger.tail_counts() if count.model.startswith(model or "")]
        out.result(
            {
                "schema_version": 1,
                "command": "state show",
                "state": str(state),
                "entries": [asdict(entry) for entry in entries],
                "tails": [asdict(count) for count in tails],
                "exit_code": 0,
            }
        )
        table = simple_table("input", "scored", "model", "rows", "flagged", right=("rows", "flagged"))
        table.columns[1].no_wrap = True
        for entry in entries:
            where = f"{entry.path} → {entry.output}" if verbose and entry.output else entry.path
            table.add_row(
                plain(where), entry.scored, entry.model[:12], f"{entry.rows:,}", f"{entry.anomalies:,}"
            )
        out.table(table)
        out.say(f"{len(entries):,} entr{'y' if len(entries) == 1 else 'ies'}")
        for count in tails:
            out.say(
                f"the end of {count.series:,} series, {count.rows:,} row{'s' * (count.rows != 1)} up to "
                f"{count.until}, of model {count.model[:12]}"
            )


@app.command(no_args_is_help=True)
def forget(
    state: State,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="INPUT...", help="Inputs to score again.", show_default=False),
    ] = None,
    model: OfModel = None,
    all: Annotated[bool, typer.Option("--all", help="Forget every input.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Forget inputs, so that the next run scores them again.

    Example: aedetect state forget scored.db dumps/2026-03-01.csv
    """
    out = Output("state forget", json, quiet, verbose)
    with reported(out):
        if bool(inputs) == all and not (model and not inputs):
            raise UsageError("name the inputs to forget, or --all, but not both")
        from aedetect.engine.ledger import Ledger, place_of_path
        from aedetect.io.lock import Locks

        # The ledger holds real paths; what is remembered of a file that is gone keeps its name.
        paths = [place_of_path(path) if "://" not in path else path for path in inputs or ()]
        with Locks([str(state)]), Ledger(state, create=False) as ledger:
            gone = ledger.forget(paths, model)
        for entry in gone if verbose else ():
            out.note(f"forgotten: {entry.path}, scored {entry.scored} by {entry.model[:12]}")
        for path in paths:
            if path not in {entry.path for entry in gone}:
                out.warn(f"{path}: not in the state file")
        out.result(
            {
                "schema_version": 1,
                "command": "state forget",
                "state": str(state),
                "forgotten": [asdict(entry) for entry in gone],
                "exit_code": 0,
            }
        )
        out.say(f"{len(gone):,} entr{'y' if len(gone) == 1 else 'ies'} forgotten")
