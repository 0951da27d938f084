"""What encode, decode, clean and impute share: from words on the command line to a finished run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aedetect.cli import options
from aedetect.cli.console import Output, TerminalMonitor, plain
from aedetect.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from aedetect.detector import Detector
    from aedetect.engine.stream import ConversionSummary, Job

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
    inputs: list[str],
    model: Path,
    output: str,
    overrides: dict[str, Any],
    config: Path | None,
    job: Callable[[Detector], Job],
    changes: Path | None = None,
    also: Callable[[], None] | None = None,
) -> None:
    """Run the job that `job` makes of the detector, from `inputs` to `output`; tell what came of it.

    `also` is called once the outputs are written.
    """
    from aedetect.engine.outputs import plan_outputs
    from aedetect.io.atomic import check_writable, same_file
    from aedetect.io.files import open_inputs
    from aedetect.io.inputs import read_options
    from aedetect.io.locate import STDIN
    from aedetect.io.write import output_format

    if out.json and output == STDIN:
        raise UsageError("--json and -o - both write to stdout; choose one")
    if str(changes) == STDIN and (out.json or output == STDIN):
        other = "--json" if out.json else "-o -"
        raise UsageError(f"{other} and --changes - both write to stdout; choose one")
    settings = options.settings(config, overrides)
    sources = open_inputs(inputs, read_options(settings.data))
    outputs = [path for path in plan_outputs(sources, output, keep_from=model) if path is not None]
    if changes is not None:
        output_format(str(changes))
        taken = [str(model), *outputs, *(source.location.path for source in sources)]
        if any(same_file(changes, path) for path in taken if path != STDIN):
            raise UsageError(f"{changes}: the list of changes would overwrite a file in use; rename it")
        check_writable(changes)

    from aedetect.detector import load
    from aedetect.engine.stream import convert_files

    detector = load(model, device=settings.training.device).adjusted(settings)
    told = {"path": str(model), "sha256": detector.sha256, "trained": detector.training.started}
    with TerminalMonitor(out, settings.training.device) as monitor:
        summary = convert_files(
            job(detector), told, sources, outputs, monitor, str(changes) if changes is not None else None
        )
    if also is not None:
        also()
    out.result(summary.as_dict())
    _tell(out, summary, STDIN not in (output, str(changes)))
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


def _tell(out: Output, summary: ConversionSummary, shown: bool) -> None:
    """Each failed input on stderr, and what came of the others where stdout is free for it."""
    for entry in summary.files:
        if entry.error:
            out.error(entry.error, ExitCode.PARTIAL)
        elif shown:
            done = "filled" if summary.command == "impute" else "changed"
            changed = f", {entry.cells:,} cell{'s' * (entry.cells != 1)} {done}" if entry.cells else ""
            unusable = f", {entry.unusable:,} unusable" if entry.unusable else ""
            rows = f"{entry.rows:,} row{'s' * (entry.rows != 1)}"
            out.say(f"{plain(entry.path)}: {rows}{changed}{unusable} → {plain(entry.output or '')}")
