"""`aedetect score`: flag anomalies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aedetect.cli import options
from aedetect.cli.console import Output, TerminalProgress, is_terminal, plain
from aedetect.cli.exit import reported
from aedetect.cli.options import OUTPUT, SERIES, THRESHOLD, UNATTENDED
from aedetect.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from aedetect.cli.score_view import View
    from aedetect.config import Config
    from aedetect.io.files import FileInput
    from aedetect.scoring.fitted import FittedModel
    from aedetect.tasks.score_run import Request, ScoreSummary

_SPARED = {"known": "scored before", "young": "still young; left for the next run"}


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
    model_sha256: options.Digest = None,
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
    max_alert_rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Warn of a change in the data if a larger share of the rows is flagged.",
            rich_help_panel=THRESHOLD,
            show_default=False,
        ),
    ] = None,
    fail_on_drift: Annotated[
        bool,
        typer.Option(
            "--fail-on-drift",
            help="Exit with 11 if the rows are no longer spread as in training.",
            rich_help_panel=THRESHOLD,
        ),
    ] = False,
    new_only: Annotated[
        bool,
        typer.Option(
            "--new-only",
            help="Score only inputs that --state does not hold as scored by this model.",
            rich_help_panel=UNATTENDED,
        ),
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where --new-only notes what was scored; see `aedetect state`.",
            rich_help_panel=UNATTENDED,
            show_default=False,
        ),
    ] = None,
    min_age: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Leave out files that changed less than this ago, e.g. 60s: they may still be written.",
            rich_help_panel=UNATTENDED,
            show_default=False,
        ),
    ] = None,
    jobs: options.Jobs = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the JSON summary here as well, also when the run fails.",
            rich_help_panel=UNATTENDED,
            show_default=False,
        ),
    ] = None,
    metrics: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write metrics for Prometheus' textfile collector here, also when the run fails.",
            rich_help_panel=UNATTENDED,
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
    log_format: options.LogFormat = "text",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Score rows with a trained model and flag what does not belong.

    The output has the input's columns and rows in their order, and anomaly_score, anomaly_p_value,
    is_anomaly, anomaly_features and anomaly_status; of time series anomaly_event as well. Exit
    codes: 0 done, 3 unusable data, 4 unusable model, 5 output not written, 6 some inputs failed, 10
    more flagged than --fail-over, 11 --fail-on-drift and the data have drifted.

    Example: aedetect score march.csv -m model.aed -o march-scored.csv
    """
    out = Output("score", json, quiet, verbose, log_format)
    with reported(out):
        from aedetect.engine.run import Records
        from aedetect.tasks.score_run import Guards, Request

        if json and output == "-":
            raise UsageError("--json and -o - both write to stdout; choose one")
        if threshold is not None and alert_rate is not None:
            raise UsageError("--threshold and --alert-rate exclude each other; choose one")
        overrides = {
            "data.format": format,
            "data.delimiter": options.unescaped(delimiter),
            "data.encoding": encoding,
            "training.device": device,
            "threshold.alert_rate": alert_rate,
            "threshold.value": threshold,
            "scoring.jobs": jobs,
        }
        guards = Guards(fail_over, max_alert_rate, fail_on_drift)
        records = Records(new_only, state, summary, metrics)
        age = options.duration(min_age, "--min-age")
        with out.held_back(records.kept):
            request = Request(
                inputs, model, output, keep, only_anomalies, prefix, age, guards, records, model_sha256,
                history or [], events,
            )  # fmt: skip
            done, view = _score(out, request, options.settings(config, overrides))
            out.result(done.as_dict())
            _tell(out, done, shown=output != "-")
            if output != "-":
                _tell_drift(out, done)
            if view:
                view.show()
            if done.exit_code:
                raise typer.Exit(done.exit_code)


def _score(out: Output, request: Request, settings: Config) -> tuple[ScoreSummary, View | None]:
    from aedetect.tasks import score_run

    views: list[View] = []

    def watch(fitted: FittedModel, source: FileInput) -> View:
        from aedetect.cli.score_view import View

        views.append(View(out, fitted))
        return views[0]

    with TerminalProgress(out, settings.training.device) as callback:
        watched = is_terminal(sys.stdout) and not (out.json or out.quiet) and request.output != "-"
        summary = score_run.score(request, settings, callback, watch if watched else None)
    return summary, views[0] if views else None


def _tell_drift(out: Output, summary: ScoreSummary) -> None:
    if summary.extra["drift"] and summary.extra["drift"]["verdict"] == "drifted":
        out.say(f"drift: {summary.extra['drift']['text']}")


def _tell(out: Output, summary: ScoreSummary, shown: bool) -> None:
    """Each failed input on stderr, and what came of the others where stdout is free for it."""
    from aedetect.tasks.score_counts import RowCounts

    for entry in summary.files:
        where = f" → {plain(entry.output)}" if entry.output else ""
        if entry.error:
            out.error(entry.error, ExitCode.PARTIAL)
        if entry.error or not shown:
            continue
        if entry.status in _SPARED:
            if out.verbose:
                out.say(f"{plain(entry.path)}: {_SPARED[entry.status]}")
            continue
        rows = RowCounts.of(entry.counts)
        share = rows.anomalies / rows.rows if rows.rows else 0.0
        lost = rows.unscorable - rows.warmup
        unscorable = f", {rows.warmup:,} warmup" if rows.warmup else ""
        unscorable += f", {lost:,} unscorable" if lost else ""
        out.say(
            f"{plain(entry.path)}: {rows.rows:,} rows, {rows.anomalies:,} flagged ({share:.2%})"
            f"{unscorable}{where}"
        )
    if shown and summary.extra["events"] is not None:
        out.say(f"{summary.extra['events']:,} event{'s' * (summary.extra['events'] != 1)}")
    spared = [entry for entry in summary.files if entry.status in _SPARED]
    if shown and spared and len(spared) == len(summary.files):
        out.say(f"nothing new: {len(spared):,} file{'s' * (len(spared) != 1)} scored before or still young")
    if shown and len(summary.files) - len(spared) > 1:
        counts = RowCounts.of(summary.counts)
        out.say(
            f"in all: {counts.rows:,} rows, {counts.normal:,} normal, {counts.anomalies:,} flagged, "
            f"{counts.unscorable:,} unscorable"
        )
