"""`aedetect score`: flag anomalies."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aedetect.cli import options
from aedetect.cli.command import end_with, running, stdout_for_one, tell_failures
from aedetect.cli.groups import group
from aedetect.cli.next_steps import Given, beside, next_steps
from aedetect.cli.options import OUTPUT, SERIES, THRESHOLD, UNATTENDED, option
from aedetect.cli.output import Output, is_terminal
from aedetect.cli.progress import TerminalProgress
from aedetect.cli.text import counted, plain

if TYPE_CHECKING:
    from aedetect.cli.score_view import EventsView, RowsView
    from aedetect.config import Config
    from aedetect.engine.task import FileSummary
    from aedetect.io.files import FileInput
    from aedetect.scoring.base import ScoringSession
    from aedetect.scoring.fitted import FittedModel
    from aedetect.tasks.score_run import Guards, Request, ScoreSummary

    View = RowsView | EventsView

# What is left of a run that was stopped, by whether a ledger knows what is done.
_KEPT = {
    True: "; whole outputs are kept: the same command goes on with the other inputs",
    False: "; whole outputs are kept: runs with --new-only --state FILE go on where they were stopped",
}
_SKIPPED = {"known": "already scored", "young": "changed too recently; left for the next run"}


@group(THRESHOLD)
class GuardOptions:
    """When a run is not taken at face value."""

    fail_over: str | None = option(
        "--fail-over RATE", "Exit with 10 if a larger share of the rows is flagged, as 0.02 or 2%."
    )
    max_alert_rate: str | None = option(
        "--max-alert-rate RATE", "Warn of a change in the data if a larger share of the rows is flagged."
    )
    fail_on_drift: bool = option(
        "--fail-on-drift", "Exit with 11 if the rows are no longer spread as in training.", default=False
    )

    def read(self) -> Guards:
        """Their numbers. Raises UsageError for what is no share."""
        from aedetect.tasks.score_run import Guards

        over, most = self.fail_over, self.max_alert_rate
        return Guards(
            None if over is None else options.share(over, "--fail-over"),
            None if most is None else options.share(most, "--max-alert-rate"),
            self.fail_on_drift,
        )


@group(UNATTENDED)
class UnattendedOptions:
    """What runs that nobody watches note, and where."""

    new_only: bool = option(
        "--new-only", "Score only inputs that --state does not hold as scored by this model.", default=False
    )
    state: Path | None = option(
        "--state FILE", "Where --new-only notes what was scored; see `aedetect state`."
    )
    min_age: str | None = option(
        "--min-age TIME",
        "Leave out files that changed less than this ago, e.g. 60s: they may still be written.",
    )
    summary: Path | None = option(
        "--summary FILE", "Write the JSON summary here as well, also when the run fails."
    )
    metrics: Path | None = option(
        "--metrics FILE", "Write metrics for Prometheus' textfile collector here, also when the run fails."
    )
    job: str | None = option(
        "--job NAME", "Label the metrics with this name: it tells runs apart that use the same model."
    )


@group(OUTPUT)
class ShapeOptions:
    """Where scored rows go, and what is written of them."""

    output: str | None = option(
        "--output -o OUT",
        "A file, a folder for one output per input, or '-' for CSV on stdout. "
        "Without it only the summary is given.",
    )
    only_anomalies: bool = option(
        "--only-anomalies",
        "Write only flagged rows, each with its number in the input as anomaly_row.",
        default=False,
    )
    keep: Literal["all", "id", "none"] = option(
        "--keep all|id|none", "Which of the input's columns to write; default: all.", default="all"
    )
    prefix: str = option("--prefix TEXT", "Put before the names of the added columns.", default="")


def score(
    inputs: options.Inputs,
    model: options.ModelOptions,
    shape: ShapeOptions,
    threshold: options.ThresholdOptions,
    muting: options.MutingOptions,
    guards: GuardOptions,
    unattended: UnattendedOptions,
    reading: options.ReadingOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
    jobs: options.Jobs = None,
    history: list[str] | None = option(
        "--history INPUT", "Rows that went before, known but not scored again; may be repeated.", panel=SERIES
    ),
    events: str | None = option("--events FILE", "Write one row for each event here.", panel=SERIES),
    adapt: options.Adapt = None,
    adopt_after: options.AdoptAfter = None,
) -> None:
    """Score rows with a trained model and flag what does not belong.

    The output has the input's columns and rows in their order, and anomaly_score, anomaly_p_value,
    is_anomaly, anomaly_features and anomaly_status; of time series anomaly_event as well. Exit
    codes: 0 done, 3 unusable data, 4 unusable model, 5 output not written, 6 some inputs failed, 10
    more flagged than --fail-over, 11 --fail-on-drift and the data have drifted.

    Example: aedetect score march.csv -m model.aed -o march-scored.csv
    """
    with running("score", messages) as out:
        from aedetect.engine.plan import is_folder
        from aedetect.engine.run import Records
        from aedetect.tasks.score_run import Request

        if messages.json and shape.output == "-":
            raise stdout_for_one("--json", "-o -")
        overrides = threshold.overrides()
        records = Records(
            unattended.new_only, unattended.state, unattended.summary, unattended.metrics, unattended.job
        )
        request = Request(
            inputs,
            model.model,
            shape.output,
            shape.keep,
            shape.only_anomalies,
            shape.prefix,
            min_age=options.duration(unattended.min_age, "--min-age"),
            guards=guards.read(),
            records=records,
            digest=model.model_sha256,
            history=history or [],
            events=events,
            muting=muting.request(),
        )
        if is_folder(shape.output):
            out.on_stop = lambda: _KEPT[unattended.new_only]
        with out.held_back(records.kept):
            of_series = {"series.adapt": adapt, "series.adopt_after": adopt_after}
            settings = run.settings(reading.overrides(), overrides, {"scoring.jobs": jobs}, of_series)
            summary, view = _score(out, request, settings)
            out.result(summary.as_dict())
            tell_failures(out, summary.files)
            if shape.output != "-":
                _tell(out, summary)
            _next(out, request, summary, view, Given(reading, run, threshold))
            end_with(summary.exit_code)


def _score(out: Output, request: Request, settings: Config) -> tuple[ScoreSummary, View | None]:
    from aedetect.tasks import score_run

    views: list[View] = []

    def watch(fitted: FittedModel, session: ScoringSession, inputs: Sequence[FileInput]) -> View:
        from aedetect.cli.score_view import view_of

        views.append(view_of(out, fitted, session, inputs))
        return views[0]

    with TerminalProgress(out) as callback:
        watched = is_terminal(sys.stdout) and not (out.json or out.quiet) and request.output != "-"
        summary = score_run.score(request, settings, callback, watch if watched else None)
    return summary, views[0] if views else None


def _tell(out: Output, summary: ScoreSummary) -> None:
    """What came of the run, for people."""
    skipped = [entry for entry in summary.files if entry.status in _SKIPPED]
    for entry in summary.files:
        if entry.status in _SKIPPED:
            if out.verbose:
                out.say(f"{plain(entry.path)}: {_SKIPPED[entry.status]}")
        elif not entry.error:
            out.say(_of_input(entry))
    events, drift = summary.extra["events"], summary.findings["drift"]
    if events is not None:
        out.say(counted(events, "event"))
    if skipped and len(skipped) == len(summary.files):
        out.say(f"nothing new: {counted(len(skipped), 'file')} already scored or changed too recently")
    if len(summary.files) - len(skipped) > 1:
        counts = summary.counts
        out.say(
            f"in all: {counts['rows']:,} rows, {counts['normal']:,} normal, {counts['anomalies']:,} flagged, "
            f"{counts['unscorable']:,} unscorable"
            + (f", {counts['muted']:,} muted" if counts["muted"] else "")
        )
    for line in _muted(summary):
        out.say(line)
    if drift and drift["verdict"] == "drifted":
        out.say(f"drift: {drift['text']}")


def _muted(summary: ScoreSummary) -> list[str]:
    """What muted how many rows, a line each."""
    from aedetect.tasks.score_counts import muted_by

    lines = [
        f"muted by {entry['kind']} {plain(entry['name'], 60)}: {counted(entry['rows'], 'row')}"
        for entry in muted_by(summary.counts)
    ]
    events = summary.extra["muted_events"]
    return [*lines, f"muted as a whole: {counted(events, 'event')}"] if events else lines


def _next(out: Output, request: Request, summary: ScoreSummary, view: View | None, given: Given) -> None:
    """The strangest rows or events, and how to see more of them."""
    if view is None:
        return
    chosen = view.show()
    inputs, model = list(request.inputs), ["-m", str(request.model)]
    # Events are numbered over all inputs, of which `explain` takes one word.
    explained = inputs if chosen[:1] == ["--event"] else []
    drift = summary.findings["drift"]
    next_steps(
        out,
        ["explain", *explained, *chosen, *model, *given.words] if chosen and len(explained) < 2 else [],
        ["drift", *inputs, *model, *given.reading_words()] if drift and drift["verdict"] == "drifted" else [],
        ["report", *inputs, *model, "-o", beside(inputs[0], "-report.html"), *given.of_report],
        ["score", *inputs, *model, "-o", beside(inputs[0], "-scored.csv"), *given.words]
        if request.output is None
        else [],
    )


def _of_input(entry: FileSummary) -> str:
    """A line on an input that was scored."""
    from aedetect.tasks.score_counts import RowCounts

    rows = RowCounts.of(entry.counts)
    share = rows.anomalies / rows.rows if rows.rows else 0.0
    lost = rows.unscorable - rows.warmup
    unscorable = f", {rows.warmup:,} warmup" if rows.warmup else ""
    unscorable += f", {lost:,} unscorable" if lost else ""
    unscorable += f", {rows.muted:,} muted" if rows.muted else ""
    where = f" → {plain(entry.output)}" if entry.output else ""
    return (
        f"{plain(entry.path)}: {rows.rows:,} rows, {rows.anomalies:,} flagged ({share:.2%})"
        f"{unscorable}{where}"
    )
