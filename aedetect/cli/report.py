"""`aedetect report`: look instead of read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aedetect.cli import options
from aedetect.cli.console import Output, TerminalProgress, printing
from aedetect.cli.exit import reported
from aedetect.cli.options import READING
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aedetect.io.files import FileInput

_STDOUT = "-"


def report(
    inputs: options.Inputs,
    model: options.Model,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="REPORT",
            help="The page to write, or '-' for stdout, which is where Markdown goes by default.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        Literal["html", "md"] | None,
        typer.Option(
            help="A web page, or Markdown for a message; default: by the name's suffix.", show_default=False
        ),
    ] = None,
    plots: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Also write the charts as PNG files there.", show_default=False),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Also hold the scores against these labels.", show_default=False),
    ] = None,
    positive: options.Positive = None,
    top: Annotated[int, typer.Option(metavar="K", help="How many of the strangest rows to explain.")] = 50,
    map: Annotated[Literal["pca", "tsne", "umap"], typer.Option(help="How to draw the map of rows.")] = "pca",
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The title; default: the inputs.", show_default=False)
    ] = None,
    alert_rate: options.AlertRate = None,
    threshold: options.Threshold = None,
    input_format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="csv, tsv, jsonl, parquet or arrow; default: by content and suffix.",
            rich_help_panel=READING,
            show_default=False,
        ),
    ] = None,
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    device: options.Device = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Write a page that shows what was found: verdict, strangest rows and why, charts, model card.

    One file that needs no network, to be read by anybody. It holds values of the rows it shows:
    share it as you would the data. With --format md, a short message for a chat instead.

    Example: aedetect report march.csv -m model.aed -o march.html
    """
    out = Output("report", json, quiet, verbose)
    with reported(out):
        kind = format or ("md" if output is not None and output.lower().endswith(".md") else "html")
        target = output or (_STDOUT if kind == "md" and not json else None)
        if target is None and plots is None:
            raise UsageError("where should the report go? give -o report.html, or --plots DIR")
        if json and target == _STDOUT:
            raise UsageError("--json and the report would both be written to stdout; give -o")
        if top < 1:
            raise UsageError(f"--top {top}: must be at least 1")
        overrides = {
            **options.reading(input_format, delimiter, encoding),
            **options.flagging(alert_rate, threshold),
            "training.device": device,
            # Named here, it is not called unknown.
            "data.label": label,
        }
        _report(
            out, inputs, model, (kind, target, plots), (label, positive), (top, map, title), overrides, config
        )


def _report(
    out: Output,
    words: list[str],
    model: Path,
    outputs: tuple[str, str | None, str | None],
    labels: tuple[str | None, str | None],
    shape: tuple[int, Literal["pca", "tsne", "umap"], str | None],
    overrides: dict[str, Any],
    config: Path | None,
) -> None:
    from aedetect._version import __version__
    from aedetect.tasks.report import ReportRequest
    from aedetect.tasks.report import report as made
    from aedetect.tasks.report.plots import check_plots

    kind, target, plots = outputs
    label, positive = labels
    top, map_kind, title = shape
    settings = options.settings(config, overrides)
    if plots is not None:
        check_plots()
    fitted, sources, told = options.opened(words, model, settings)
    _check_output(target, sources, model)
    with TerminalProgress(out, settings.training.device) as callback:
        found = made(fitted, sources, ReportRequest(label, positive, top, map_kind), title, callback)
    figures = found.as_dict()
    for text in figures["warnings"]:
        if text not in callback.notices:
            out.warn(text)
    if target is not None:
        _write(target, found.markdown() if kind == "md" else found.html())
    pictures = found.plots(plots) if plots is not None else []
    out.result(
        {
            "schema_version": 1,
            "aedetect_version": __version__,
            "command": "report",
            "model": told,
            "output": target,
            "plots": pictures,
            **figures,
            "exit_code": 0,
        }
    )
    if target != _STDOUT:
        written = [path for path in (target, f"{len(pictures)} charts in {plots}" if plots else None) if path]
        out.say(found.verdict)
        out.say(f"→ {', '.join(written)}")


def _write(target: str, text: str) -> None:
    from aedetect.io.atomic import atomic_output

    if target == _STDOUT:
        with printing():
            sys.stdout.write(text)
        return
    with atomic_output(target) as stream:
        stream.write(text.encode("utf-8", "replace"))


def _check_output(target: str | None, sources: Sequence[FileInput], model: Path) -> None:
    """Nothing is worked on in vain: a page that cannot be written, or may not, is said first."""
    from aedetect.io.atomic import check_writable, same_file

    if target is None or target == _STDOUT:
        return
    for source in sources:
        if source.location.path != _STDOUT and same_file(target, source.location.path):
            raise UsageError(f"{target}: the output is also an input; choose another name")
    if same_file(target, model):
        raise UsageError(f"{target}: the output is also the model file; choose another name")
    check_writable(target)
