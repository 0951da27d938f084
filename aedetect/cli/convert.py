"""What encode, decode, clean and impute share: from words on the command line to a finished run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aedetect.cli.command import end_with, look, look_at_columns, stdout_for_one, tell_failures
from aedetect.cli.groups import group
from aedetect.cli.next_steps import beside, next_steps
from aedetect.cli.options import Inputs, Jobs, MessageOptions, ModelOptions, On, ReadingOptions, RunOptions
from aedetect.cli.options import Output as RowsOutput
from aedetect.cli.output import Output
from aedetect.cli.progress import TerminalProgress
from aedetect.cli.text import counted, plain

if TYPE_CHECKING:
    from aedetect.config import Config
    from aedetect.engine.summary import RunSummary
    from aedetect.tasks.rows_run import MakeTask, RowsRequest


@group()
class RowsOptions:
    """What each of these commands takes."""

    inputs: Inputs
    model: ModelOptions
    output: RowsOutput
    jobs: Jobs = None
    on: On = None
    reading: ReadingOptions
    run: RunOptions
    messages: MessageOptions

    def look(self) -> None:
        """Raises what `command.look` does."""
        look(self.inputs, self.model, self.output)

    def request(self, side: str | None = None, locked: Sequence[Path] = ()) -> RowsRequest:
        """What the run is asked for; `side`, `locked`: see `RowsRequest`."""
        from aedetect.tasks.rows_run import RowsRequest

        model = self.model
        return RowsRequest(self.inputs, model.model, self.output, model.model_sha256, side, locked=locked)

    def settings(self, overrides: Mapping[str, Any] | None = None) -> Config:
        """The configuration of the run."""
        where = {"scoring.jobs": self.jobs, "scoring.on": self.on}
        return self.run.settings(self.reading.overrides(), where, overrides or {})

    def checked_settings(self, overrides: Mapping[str, Any] | None = None) -> Config:
        """The same for inputs with the columns of the model. Raises what `command.look_at_columns` does."""
        settings = self.settings(overrides)
        look_at_columns(self.inputs, self.model, settings)
        return settings


def convert(
    out: Output,
    request: RowsRequest,
    settings: Config,
    make: MakeTask,
    consumers_of: Callable[[Any], Any] | None = None,
) -> None:
    """Run the task that `make` makes of the model, and tell what came of it."""
    from aedetect.tasks.rows_run import run_rows_task

    if out.json and request.output == "-":
        raise stdout_for_one("--json", "-o -")
    if str(request.side) == "-" and (out.json or request.output == "-"):
        raise stdout_for_one("--json" if out.json else "-o -", f"{request.side_option} -")
    with TerminalProgress(out) as callback:
        summary = run_rows_task(request, settings, make, callback, consumers_of)
    out.result(summary.as_dict())
    tell_failures(out, summary.files)
    if "-" not in (request.output, str(request.side)):
        _tell(out, summary)
        _next(out, request, summary)
    end_with(summary.exit_code)


def _tell(out: Output, summary: RunSummary) -> None:
    """What came of each input that did not fail."""
    done = "filled" if summary.command == "impute" else "changed"
    for entry in summary.files:
        if entry.error:
            continue
        rows, unusable, cells = (entry.counts[name] for name in ("rows", "unusable", "cells"))
        changed = f", {counted(cells, 'cell')} {done}" if cells else ""
        lost = f", {unusable:,} unusable" if unusable else ""
        out.say(f"{plain(entry.path)}: {counted(rows, 'row')}{changed}{lost} → {plain(entry.output or '')}")
    code = summary.findings.get("code")
    if code and code["error"] is not None:
        out.say(
            f"{counted(code['columns'], 'column')} as {counted(code['numbers'], 'number')} a row; rebuilt "
            f"from them, the median row is off by {code['error']:.2g} standard deviations of its columns"
        )


def _next(out: Output, request: RowsRequest, summary: RunSummary) -> None:
    """What may be done with the rows that were written; nothing where all failed."""
    rows, model = request.output, ["-m", request.model]
    listed = summary.command != "clean" or request.side is not None
    next_steps(
        out,
        [] if listed else ["clean", *request.inputs, *model, "-o", rows, "--changes", "changes.csv"],
        ["decode", rows, *model, "-o", beside(rows, "-rebuilt.csv")]
        if summary.command == "encode"
        else ["score", rows, *model],
    )
