"""`aedetect score`: flag anomalies."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aedetect.cli import completion, options
from aedetect.cli.command import (
    end_with,
    look,
    look_at_columns,
    look_at_muting,
    running,
    stdout_for_one,
    tell_failures,
)
from aedetect.cli.groups import group
from aedetect.cli.next_steps import Given, beside, next_steps
from aedetect.cli.options import OUTPUT, SERIES, THRESHOLD, UNATTENDED, option
from aedetect.cli.output import Output, is_terminal
from aedetect.cli.progress import TerminalProgress
from aedetect.cli.text import counted, plain, said_of_muted
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from aedetect.cli.score_view import EventsView, RowsView
    from aedetect.config import Config
    from aedetect.engine.task import FileSummary
    from aedetect.io.files import FileInput
    from aedetect.scoring.base import ScoringSession
    from aedetect.scoring.fitted import FittedModel
    from aedetect.tasks.health_checks import HealthChecks
    from aedetect.tasks.notify.request import NotifyRequest
    from aedetect.tasks.score_run import Guards, Request, ScoreSummary

    View = RowsView | EventsView

# What is left of a run that was stopped, by whether a ledger knows what is done.
_KEPT = {
    True: "; whole outputs are kept: the same command goes on with the other inputs",
    False: "; whole outputs are kept: runs with --new-only --state FILE go on where they were stopped",
}
_SHOWN_FINDINGS = 10
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

    @property
    def recorded(self) -> bool:
        """Whether a run that fails is to be entered somewhere."""
        return self.summary is not None or self.metrics is not None


@group(UNATTENDED)
class NotifyOptions:
    """Whom to tell of what is flagged."""

    notify: list[str] | None = option(
        "--notify URL",
        "Send a message on what is flagged: json://HOST/PATH, mailto://…, slack://… and others that the "
        "package apprise knows; or env:NAME or file:PATH, which hold the URL. May be repeated; default: the "
        "variable AEDETECT_NOTIFY.",
    )
    remind: str | None = option(
        "--remind TIME", "While an event lasts, send a reminder after this time; default: 24h."
    )
    notify_strict: bool = option(
        "--notify-strict", "Exit with 7 if a message cannot be delivered.", default=False
    )

    def read(self) -> NotifyRequest | None:
        """What was asked for; None for no messages. Raises UsageError for what is no URL of a service."""
        from aedetect.tasks.notify.request import REMIND, NotifyRequest
        from aedetect.tasks.notify.targets import VARIABLE, targets_of

        remind = REMIND if self.remind is None else options.duration(self.remind, "--remind")
        if self.notify or os.environ.get(VARIABLE, "").strip():
            return NotifyRequest(targets_of(self.notify or (), os.environ), remind, self.notify_strict)
        if self.remind is not None or self.notify_strict:
            flag = "--remind TIME" if self.remind is not None else "--notify-strict"
            raise UsageError(f"{flag} goes with --notify URL, which says where messages go")
        return None


@group(UNATTENDED)
class HealthOptions:
    """Whether dumps are as those before them."""

    expect: Literal["auto"] | None = option(
        "--expect auto",
        "Tell what is unlike the files that --state knows: size, files that did not come, empty columns, "
        "share of flagged rows, entities that stopped.",
    )
    expect_entity: str | None = option(
        "--expect-entity COLUMN",
        "Of tables: tell of names in this column, a machine, say, that stopped.",
        completion.columns,
    )
    fail_on_health: bool = option(
        "--fail-on-health", "Exit with 12 if --expect or --silence finds something.", default=False
    )
    silence: str | None = option(
        "--silence TIME",
        "Without a row for longer than this, as in 2h, a series has an event of its own: a silence.",
        panel=SERIES,
    )

    def read(self) -> HealthChecks:
        """What they ask for. Raises UsageError where one needs another."""
        from aedetect.tasks.health_checks import HealthChecks

        return HealthChecks(self.expect is not None, self.expect_entity, self.fail_on_health)


@group(OUTPUT)
class ShapeOptions:
    """Where scored rows go, and what is written of them."""

    output: str | None = option(
        "--output -o OUT",
        "A file, a folder for one output per input, both also as s3:// or gs:// addresses, or '-' for CSV on "
        "stdout. "
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
    notify: NotifyOptions,
    health: HealthOptions,
    reading: options.ReadingOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
    jobs: options.Jobs = None,
    on: options.On = None,
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
    codes: 0 done, 3 unusable data, 4 unusable model, 5 output not written, 6 some inputs failed, 7
    --notify-strict and a message not delivered, 10 more flagged than --fail-over, 11
    --fail-on-drift and the data have drifted, 12 --fail-on-health and a dump is missing, late or
    unlike those before it.

    Example: aedetect score march.csv -m model.aed -o march-scored.csv

    Example: aedetect score s3://fab/march/ -m s3://fab/m.aed -o s3://fab/out/
    """
    with running("score", messages) as out:
        if messages.json and shape.output == "-":
            raise stdout_for_one("--json", "-o -")
        overrides = threshold.overrides()
        if not unattended.recorded:
            look(inputs, model, shape.output)
            look_at_muting(muting)
        from aedetect.engine.plan import is_folder
        from aedetect.engine.run import Records
        from aedetect.tasks.score_run import Request

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
            muting=muting.request(run.config),
            notify=notify.read(),
            health=health.read(),
        )
        if is_folder(shape.output):
            out.on_stop = lambda: _KEPT[unattended.new_only]
        with out.held_back(records.kept):
            of_series = {
                "series.adapt": adapt,
                "series.adopt_after": adopt_after,
                "series.silence": health.silence,
            }
            where = {"scoring.jobs": jobs, "scoring.on": on}
            settings = run.settings(reading.overrides(), overrides, where, of_series)
            if not unattended.recorded:
                look_at_columns(inputs, model, settings)
            summary, view = _score(out, request, settings)
            out.result(summary.as_dict())
            tell_failures(out, summary.files)
            if shape.output != "-":
                _tell(out, summary)
            _next(out, request, summary, view, Given(reading, run, threshold, muting))
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
        silences = summary.extra["silences"]
        out.say(counted(events, "event") + ("" if silences is None else f", {counted(silences, 'silence')}"))
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
    _tell_health(out, summary)
    sent = Counter(entry["target"] for entry in summary.findings["notified"] if entry["delivered"])
    for target, number in sent.items():
        out.say(f"sent to {target}: {counted(number, 'message')}")


def _muted(summary: ScoreSummary) -> list[str]:
    """What muted how many rows, a line each."""
    from aedetect.tasks.score_counts import muted_by

    lines = said_of_muted(muted_by(summary.counts))
    events = summary.extra["muted_events"]
    return [*lines, f"muted as a whole: {counted(events, 'event')}"] if events else lines


def _tell_health(out: Output, summary: ScoreSummary) -> None:
    """What is unlike before, and of what nothing can be said."""
    health, unjudged = summary.findings["health"], summary.findings["health_unjudged"]
    if health is None:
        return
    shown = health if out.verbose else health[:_SHOWN_FINDINGS]
    for finding in shown:
        out.say(f"{'silence' if finding['kind'] == 'silence' else 'health'}: {finding['text']}")
    if len(shown) < len(health):
        out.say(f"health: {len(health) - len(shown):,} more; --verbose shows them, --json holds them")
    for text in unjudged:
        out.say(f"health: {text}")
    if not health and not unjudged:
        out.say("health: all is as before")


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
