"""What encode, decode, clean and impute share: from words on the command line to a finished run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aedetect.cli.console import Output, TerminalProgress, plain
from aedetect.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from aedetect.config import Config
    from aedetect.engine.summary import RunSummary
    from aedetect.tasks.rows_run import MakeTask, RowsRequest

RowsOutput = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="A file, a folder for one output per input, or '-' for CSV on stdout.",
        show_default=False,
    ),
]


def convert(
    out: Output,
    request: RowsRequest,
    settings: Config,
    make: MakeTask,
    consumer: Callable[[Any], Any] | None = None,
) -> None:
    """Run the task that `make` makes of the model, and tell what came of it."""
    from aedetect.tasks.rows_run import run_rows_task

    if out.json and request.output == "-":
        raise UsageError("--json and -o - both write to stdout; choose one")
    if str(request.side) == "-" and (out.json or request.output == "-"):
        other = "--json" if out.json else "-o -"
        raise UsageError(f"{other} and {request.side_option} - both write to stdout; choose one")
    with TerminalProgress(out, settings.training.device) as callback:
        summary = run_rows_task(request, settings, make, callback, consumer)
    out.result(summary.as_dict())
    _tell(out, summary, "-" not in (request.output, str(request.side)))
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


def _tell(out: Output, summary: RunSummary, shown: bool) -> None:
    """Each failed input on stderr, and what came of the others where stdout is free for it."""
    for entry in summary.files:
        if entry.error:
            out.error(entry.error, ExitCode.PARTIAL)
        elif shown:
            rows, unusable, cells = (entry.counts[name] for name in ("rows", "unusable", "cells"))
            done = "filled" if summary.command == "impute" else "changed"
            changed = f", {cells:,} cell{'s' * (cells != 1)} {done}" if cells else ""
            lost = f", {unusable:,} unusable" if unusable else ""
            counted = f"{rows:,} row{'s' * (rows != 1)}"
            out.say(f"{plain(entry.path)}: {counted}{changed}{lost} → {plain(entry.output or '')}")
