"""`aedetect report`: look instead of read."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aedetect.cli import completion, options
from aedetect.cli.command import look, look_at_columns, look_at_muting, opened, running, warn_of
from aedetect.cli.groups import group
from aedetect.cli.next_steps import Given, next_steps
from aedetect.cli.options import OUTPUT, READING, option
from aedetect.cli.output import Output, printing
from aedetect.cli.progress import TerminalProgress
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aedetect.config import Config
    from aedetect.engine.output_names import Target
    from aedetect.io.files import FileInput
    from aedetect.tasks.suppression.request import MutingRequest

_STDOUT = "-"


@group(READING)
class InputOptions(options.ReadingOptions):
    """How inputs are read, where --format is that of the report."""

    format: str | None = option(
        "--input-format NAME",
        "csv, tsv, jsonl, parquet or arrow; default: by content and suffix.",
        completion.formats,
    )


@dataclass(frozen=True)
class Asked:
    """What the report tells, and where it goes; `target`: the page or '-', `plots`: a folder."""

    kind: Literal["html", "md"]
    target: str | None
    plots: str | None
    label: str | None
    positive: str | None
    top: int
    map: Literal["pca", "tsne", "umap"]
    title: str | None


def report(
    inputs: options.Inputs,
    model: options.ModelOptions,
    threshold: options.ThresholdOptions,
    muting: options.MutingOptions,
    reading: InputOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
    output: str | None = option(
        "--output -o REPORT",
        "The page to write, or '-' for stdout, which is where Markdown goes by default.",
        panel=OUTPUT,
    ),
    kind: Literal["html", "md"] | None = option(
        "--format html|md",
        "A web page, or Markdown for a message; default: by the name's suffix.",
        panel=OUTPUT,
    ),
    plots: str | None = option("--plots DIR", "Also write the charts as PNG files there.", panel=OUTPUT),
    label: str | None = option(
        "--label COLUMN",
        "Mark hits, misses and false alarms by these labels, and measure how good the model is.",
        completion.columns,
    ),
    positive: options.Positive = None,
    top: str = option("--top K", "How many of the strangest rows to explain; default: 50.", default="50"),
    map: Literal["pca", "tsne", "umap"] = option(
        "--map pca|tsne|umap", "How to draw the map of rows; default: pca.", default="pca"
    ),
    title: str | None = option("--title TEXT", "The title; default: the inputs.", panel=OUTPUT),
) -> None:
    """Write a page that shows what was found: verdict, strangest rows and why, charts, model card.

    One file that needs no network, to be read by anybody. It holds values of the rows it shows:
    share it as you would the data. With --format md, a short message for a chat instead.

    Example: aedetect report march.csv -m model.aed -o march.html
    """
    with running("report", messages) as out:
        is_markdown = output is not None and output.lower().endswith((".md", ".markdown"))
        kind = kind or ("md" if is_markdown else "html")
        target = output or (_STDOUT if kind == "md" and not messages.json else None)
        if target is None and plots is None:
            raise UsageError("where should the report go? give -o report.html, or --plots DIR")
        if messages.json and target == _STDOUT:
            raise UsageError("--json and the report would both be written to stdout; give -o")
        strangest = options.whole(top, "--top")
        if strangest < 1:
            raise UsageError(f"--top {top}: must be at least 1")
        asked = Asked(kind, target, plots, label, positive, strangest, map, title)
        look(inputs, model)
        look_at_muting(muting)
        # The label is named here, so that it is not called an unknown column.
        settings = run.settings(reading.overrides(), threshold.overrides(), {"data.label": label})
        look_at_columns(inputs, model, settings)
        _report(out, inputs, model, asked, settings, muting.request(run.config))
        given = Given(reading, run, threshold, muting)
        if target != _STDOUT and len(inputs) == 1:
            next_steps(out, ["explain", inputs[0], "-m", model.model, *given.words])


def _report(
    out: Output,
    words: list[str],
    model: options.ModelOptions,
    asked: Asked,
    settings: Config,
    muting: MutingRequest,
) -> None:
    from aedetect.engine.output_names import MARKDOWN, PAGE, Target, check_folder, check_suffix
    from aedetect.engine.summary import envelope
    from aedetect.tasks.report import ReportRequest, report
    from aedetect.tasks.report.plots import check_plots

    target, plots = asked.target, asked.plots
    if plots is not None:
        check_plots()
        check_folder(plots, "--plots")
    page = None if target in (None, _STDOUT) else Target.of(str(target), f"report.{asked.kind}")
    subject = opened(words, model, settings)
    if page is not None:
        target = str(page.path)
        _check_output(page, subject.sources, model.model)
        check_suffix(page.path, MARKDOWN if asked.kind == "md" else PAGE)
    muting.check_unused([None if page is None else str(page.path)])
    suppression = muting.build(subject.fitted, out.warn)
    request = ReportRequest(asked.label, asked.positive, asked.top, asked.map, suppression)
    with TerminalProgress(out) as callback:
        document = report(subject.fitted, subject.sources, request, asked.title, callback)
    figures = document.as_dict()
    figures["warnings"] = [*subject.left_out, *figures["warnings"]]
    warn_of(out, figures["warnings"], callback.notices)
    if page is not None:
        page.make_folder()
    if target is not None:
        _write(target, document.markdown() if asked.kind == "md" else document.html())
    pictures = document.plots(plots) if plots is not None else []
    out.result(envelope("report", subject.entry, {"output": target, "plots": pictures, **figures}))
    if target != _STDOUT:
        written = [path for path in (target, f"{len(pictures)} charts in {plots}" if plots else None) if path]
        out.say(document.verdict)
        out.say(f"→ {', '.join(written)}")


def _write(target: str, text: str) -> None:
    from aedetect.io.atomic import atomic_output

    if target == _STDOUT:
        with printing():
            sys.stdout.write(text)
        return
    with atomic_output(target) as stream:
        stream.write(text.encode("utf-8", "replace"))


def _check_output(page: Target, sources: Sequence[FileInput], model: str) -> None:
    """Nothing is worked on in vain: a page that cannot be written, or may not, is said first."""
    from aedetect.io.atomic import same_file

    target = str(page.path)
    for source in sources:
        if source.location.path != _STDOUT and same_file(target, source.location.place):
            raise UsageError(f"{target}: the output is also an input; choose another name")
    if same_file(target, model):
        raise UsageError(f"{target}: the output is also the model file; choose another name")
    page.check()
