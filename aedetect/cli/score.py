"""`aedetect score`: flag anomalies."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aedetect.cli import endings, options
from aedetect.cli.console import Output, TerminalMonitor, is_terminal, plain
from aedetect.cli.options import OUTPUT, SERIES, THRESHOLD
from aedetect.cli.outcome import reported
from aedetect.errors import ExitCode, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.detector import Detector, Verdicts
    from aedetect.io.files import FileInput
    from aedetect.jobs import Summary


def score(
    inputs: options.Inputs,
    model: options.Model,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="A file, a folder for one output per input, or '-' for CSV on stdout. "
            "Without it only the summary is given.",
            show_default=False,
        ),
    ] = None,
    alert_rate: Annotated[
        float | None,
        typer.Option(
            metavar="R",
            help="Flag this share of normal rows; default: as trained.",
            rich_help_panel=THRESHOLD,
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="VALUE",
            help="Flag rows that score above this.",
            rich_help_panel=THRESHOLD,
            show_default=False,
        ),
    ] = None,
    fail_over: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Exit with 10 if a larger share of the rows is flagged.",
            rich_help_panel=THRESHOLD,
            show_default=False,
        ),
    ] = None,
    only_anomalies: Annotated[
        bool, typer.Option("--only-anomalies", help="Write only flagged rows.", rich_help_panel=OUTPUT)
    ] = False,
    keep: Annotated[
        Literal["all", "id", "none"],
        typer.Option(help="Which of the input's columns to write.", rich_help_panel=OUTPUT),
    ] = "all",
    prefix: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="Put before the names of the added columns.",
            rich_help_panel=OUTPUT,
            show_default=False,
        ),
    ] = "",
    history: Annotated[
        list[str] | None,
        typer.Option(
            metavar="INPUT",
            help="Of time series: rows that went before, known but not scored again; may be repeated.",
            rich_help_panel=SERIES,
            show_default=False,
        ),
    ] = None,
    events: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Of time series: write one row for each event here.",
            rich_help_panel=SERIES,
            show_default=False,
        ),
    ] = None,
    format: options.Format = None,
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    device: options.Device = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Score rows with a trained model and flag what does not belong.

    The output has the input's columns and rows in their order, and anomaly_score, anomaly_p_value,
    is_anomaly, anomaly_features and anomaly_status. Exit codes: 0 done, 3 unusable data, 4
    unusable model, 5 output not written, 6 some inputs failed, 10 more flagged than --fail-over.

    Example: aedetect score march.csv -m model.aed -o march-scored.csv
    """
    out = Output("score", json, quiet, verbose)
    with reported(out):
        if json and output == "-":
            raise UsageError("--json and -o - both write to stdout; choose one")
        if fail_over is not None and not 0 <= fail_over <= 1:
            raise UsageError(f"--fail-over = {fail_over}: must lie between 0 and 1")
        if threshold is not None and alert_rate is not None:
            raise UsageError("--threshold and --alert-rate exclude each other; choose one")
        overrides = {
            "data.format": format,
            "data.delimiter": options.unescaped(delimiter),
            "data.encoding": encoding,
            "training.device": device,
            "threshold.alert_rate": alert_rate,
            "threshold.value": threshold,
        }
        shape, series = (keep, only_anomalies, prefix), (history or [], events)
        summary, view = _score(out, inputs, model, output, overrides, config, shape, series)
        code = summary.exit_code
        if code == ExitCode.OK and fail_over is not None and (summary.anomaly_share or 0.0) > fail_over:
            code = summary.exit_code = int(ExitCode.ALERTS)
        out.result(summary.as_dict())
        _tell(out, summary, shown=output != "-")
        if view and summary.counts.anomalies:
            view.show()
        if code:
            raise typer.Exit(code)


def _score(
    out: Output,
    inputs: list[str],
    model: Path,
    output: str | None,
    overrides: dict[str, Any],
    config: Path | None,
    shape: tuple[str, bool, str],
    series: tuple[list[str], str | None],
) -> tuple[Summary, _View | None]:
    from aedetect.inputs import read_options
    from aedetect.io.files import open_inputs
    from aedetect.jobs import plan_outputs, score_files
    from aedetect.scoring import Shape

    settings = options.settings(config, overrides)
    sources = open_inputs(inputs, read_options(settings.data))
    outputs = plan_outputs(sources, output, keep_from=model)
    history, events = series
    before = open_inputs(history, read_options(settings.data)) if history else []
    if events is not None:
        plan_outputs([*sources, *before], events, keep_from=model)

    from aedetect.detector import load

    detector = load(model, device=settings.training.device).adjusted(settings)
    if detector.series is None and (history or events):
        raise UsageError(f"{model}: no model of time series, which --history and --events are for")
    told = {"path": str(model), "sha256": detector.sha256, "trained": detector.training.started}
    with TerminalMonitor(out, settings.training.device) as monitor:
        watched = detector.series is None and _for_people(out, sources, output)
        view = _View(out, detector, sources) if watched else None
        summary = score_files(
            detector,
            told,
            sources,
            outputs,
            detector.threshold,
            Shape(*shape),
            monitor,
            view.observe if view else None,
            history=before,
            events=events,
        )
    return summary, view


def _for_people(out: Output, sources: Sequence[FileInput], output: str | None) -> bool:
    """Whether somebody is watching who will want to know which rows, and why."""
    return is_terminal(sys.stdout) and not (out.json or out.quiet) and output != "-" and len(sources) == 1


class _View:
    """Watches one input being scored, for a table of its strangest rows and a histogram."""

    def __init__(self, out: Output, detector: Detector, sources: Sequence[FileInput]):
        from aedetect.looking import Strangest
        from aedetect.report.bins import ScoreHistogram

        self._out = out
        self._detector = detector
        self._source = sources[0]
        self._first = 1
        self._strangest = Strangest(endings.SHOWN_ROWS, flagged_only=True)
        self._histogram = ScoreHistogram(detector.threshold)

    def observe(self, batch: pa.RecordBatch, verdicts: Verdicts) -> None:
        from aedetect.looking import Seen

        self._strangest.see(Seen(self._source, self._first, batch, verdicts))
        self._histogram.add(verdicts.scores)
        self._first += len(batch)

    def show(self) -> None:
        from aedetect.explain import Explainer

        explainer = Explainer(self._detector)
        explained = [explainer.explain(found, f"row {found.row}") for found in self._strangest.found()]
        self._out.say()
        self._out.table(endings.strangest_rows(explained))
        self._out.say()
        self._out.table(endings.histogram(self._histogram, self._detector.threshold))


def _tell(out: Output, summary: Summary, shown: bool) -> None:
    """Each failed input on stderr, and what came of the others where stdout is free for it."""
    for entry in summary.files:
        where = f" → {plain(entry.output)}" if entry.output else ""
        if entry.error:
            out.error(entry.error, ExitCode.PARTIAL)
        if entry.error or not shown:
            continue
        share = entry.anomalies / entry.rows if entry.rows else 0.0
        lost = entry.unscorable - entry.warmup
        unscorable = f", {entry.warmup:,} warmup" if entry.warmup else ""
        unscorable += f", {lost:,} unscorable" if lost else ""
        out.say(
            f"{plain(entry.path)}: {entry.rows:,} rows, {entry.anomalies:,} flagged ({share:.2%})"
            f"{unscorable}{where}"
        )
    if shown and summary.events is not None:
        out.say(f"{summary.events:,} event{'s' * (summary.events != 1)}")
    if shown and len(summary.files) > 1:
        counts = summary.counts
        out.say(
            f"in all: {counts.rows:,} rows, {counts.normal:,} normal, {counts.anomalies:,} flagged, "
            f"{counts.unscorable:,} unscorable"
        )
