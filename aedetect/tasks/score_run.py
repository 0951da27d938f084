"""What `aedetect score` was asked for, and the run that does it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from aedetect.engine.callbacks import Callback
from aedetect.engine.deliveries import Facts
from aedetect.engine.ledger import Ledger, StoredTail, place_of
from aedetect.engine.places import check_place
from aedetect.engine.plan import Plan, goes_together, is_folder, plan_outputs, plan_side_output
from aedetect.engine.run import Bookkeeper, Chosen, Records, Unlocker, choose_new, opened_ledger, recorded
from aedetect.engine.summary import RunSummary
from aedetect.engine.task import Consumer, Consumers
from aedetect.errors import ExitCode, ModelError, UsageError
from aedetect.io.files import FileInput, as_trained, open_inputs, read_options
from aedetect.io.locate import left_out
from aedetect.io.lock import Locks
from aedetect.io.stores import identity, name_of
from aedetect.io.without_pandas import keep_pandas_out
from aedetect.tasks.health_checks import HealthChecks, HealthSources
from aedetect.tasks.score_counts import SCORE_COUNTS, muted_by
from aedetect.tasks.suppression.request import MutingRequest

if TYPE_CHECKING:
    from aedetect.config import Config
    from aedetect.engine.distributed import Place
    from aedetect.scoring.base import PriorRows, ScoringSession
    from aedetect.scoring.fitted import FittedModel
    from aedetect.scoring.spread.session import SpreadVerdicts
    from aedetect.scoring.suppression import Suppression
    from aedetect.tasks.drift.results import Drift
    from aedetect.tasks.health import FactsCollector
    from aedetect.tasks.notify.notifier import Notifier
    from aedetect.tasks.notify.request import NotifyRequest
    from aedetect.tasks.score import Shape

# Of time series, inputs scored in an earlier run that are read again where what is kept of them will not do.
_EARLIER_INPUTS = 2
# Settings of time series that need alarms which adapt, and their flags.
_ADAPTING = {"adapt": "--adapt", "adopt_after": "--adopt-after"}
MORE_THAN_EXPLAINED = "more is flagged than the training data explain: suspect a schema or data change"


@dataclass(frozen=True)
class Guards:
    """Shares of flagged rows above which a run is not taken at face value.

    `drift_alone`: the drift is all that is asked for, and told by who asks.
    """

    fail_over: float | None = None
    max_alert_rate: float | None = None
    fail_on_drift: bool = False
    drift_alone: bool = False

    def __post_init__(self) -> None:
        for name, rate in (("--fail-over", self.fail_over), ("--max-alert-rate", self.max_alert_rate)):
            if rate is not None and not 0 <= rate <= 1:
                raise UsageError(f"{name} = {rate}: must lie between 0 and 1")


@dataclass(frozen=True)
class Request:
    """What `aedetect score` was asked for. `keep`, `only_anomalies`, `prefix`: see `tasks.score.Shape`.

    `muting`: what says that flagged rows are fine.
    """

    inputs: Sequence[str]
    model: str | os.PathLike[str]
    output: str | None
    keep: str = "all"
    only_anomalies: bool = False
    prefix: str = ""
    min_age: float = 0.0
    guards: Guards = field(default_factory=Guards)
    records: Records = field(default_factory=Records)
    digest: str | None = None
    history: Sequence[str] = ()
    events: str | None = None
    muting: MutingRequest = field(default_factory=MutingRequest)
    notify: NotifyRequest | None = None
    health: HealthChecks = field(default_factory=HealthChecks)

    def __post_init__(self) -> None:
        self.health.check_records(self.records)


@dataclass
class ScoreSummary(RunSummary):
    """What a scoring run came to; `as_dict` is the contract of `--json` and `--summary`."""

    @classmethod
    def of(cls, model: str | os.PathLike[str]) -> ScoreSummary:
        """The summary of a run that has not begun."""
        model_entry: dict[str, str | None] = {"path": str(model), "sha256": None, "trained": None}
        extra = dict.fromkeys(
            (
                "muted_by",
                "muted_events",
                "events",
                "silences",
                "adopted",
                "threshold",
                "alert_rate",
                "expected_alert_rate",
                "anomaly_share",
            )
        )
        findings = dict.fromkeys(("drift", "health", "health_unjudged", "error"))
        found: dict[str, Any] = {"notified": [], **findings}
        return cls("score", SCORE_COUNTS, model_entry, extra=dict(extra), findings=found)

    @property
    def anomaly_share(self) -> float | None:
        """Share of the rows that were flagged; None where there are no rows."""
        return self.counts["anomalies"] / self.counts["rows"] if self.counts["rows"] else None

    def as_dict(self) -> dict[str, Any]:
        self.extra["anomaly_share"] = self.anomaly_share
        self.extra["muted_by"] = muted_by(self.counts)
        summary = super().as_dict()
        trained = summary["model"].get("trained")
        age = None
        if trained is not None:
            now = datetime.fromisoformat(summary["finished"])
            age = round((now - datetime.fromisoformat(trained)).total_seconds() / 86400, 3)
        summary["model"]["age_days"] = age
        return summary


# Makes a consumer for a run that somebody watches, once there is a model, a session and its inputs.
Watch = Callable[["FittedModel", "ScoringSession", Sequence[FileInput]], Consumer]


def measure_drift(
    inputs: Sequence[str],
    model: str | os.PathLike[str],
    digest: str | None,
    settings: Config,
    callback: Callback,
    fail: bool,
) -> ScoreSummary:
    """Score `inputs` to nowhere, for the drift alone. Raises what `score` does, and ModelError for a
    model file without the figures to compare with. `fail`: whether drift changes the exit code."""
    request = Request(inputs, model, None, guards=Guards(fail_on_drift=fail, drift_alone=True), digest=digest)
    return score(request, settings, callback)


def score(request: Request, settings: Config, callback: Callback, watch: Watch | None = None) -> ScoreSummary:
    """Do what was asked for, and return what came of it; written to its files however it ends.

    Raises the errors of reading, loading and writing; see `engine.stream.run_in_process`.
    """
    records = request.records
    summary = ScoreSummary.of(request.model)
    words = [*request.inputs, *request.history, request.output, request.events, str(request.model)]
    words += request.muting.files
    if records.state is not None:
        words.append(str(records.state))
    with recorded(summary, records, words):
        files = _checked(request, settings)
        guarded = [path for path in (*files.outputs, request.events) if path is not None]
        state = [str(records.state)] if records.state else []
        with (
            Locks([*state, *guarded]) as locks,
            opened_ledger(records.state) as ledger,
            contextlib.ExitStack() as stack,
        ):
            _ScoreRun(request, settings, callback, summary, stack).run(files, locks, ledger, watch)
    return summary


@dataclass(frozen=True)
class _Files:
    """The inputs, their outputs, and inputs that went before."""

    sources: Sequence[FileInput]
    outputs: Sequence[str | None]
    history: Sequence[FileInput]


def _checked(request: Request, settings: Config) -> _Files:
    """The files of a run, found and held against one another before any work is done."""
    records, options = request.records, read_options(settings.data)
    if settings.scoring.on is not None:
        check_place(settings.scoring.on)
    sources = open_inputs(request.inputs, options)
    records.check_inputs(sources)
    outputs = plan_outputs(sources, request.output, keep_from=request.model)
    history = open_inputs(request.history, options) if request.history else []
    plan_side_output("--events", request.events, [*sources, *history], outputs, request.model)
    records.check_inputs(history)
    records.check_unused(outputs)
    request.muting.check_unused([*outputs, request.events])
    records.check_suffixes()
    records.check_state(sources, [*outputs, request.events, str(request.model)])
    # What is scored now is not known already, though a pattern for what went before may match it too.
    scored = {place_of(source) for source in sources if source.spool is None} if history else set()
    history = [source for source in history if source.spool or place_of(source) not in scored]
    return _Files(sources, outputs, history)


@dataclass(frozen=True)
class _ScoreRun:
    """A run on files that were checked and locked; `stack` closes what it opens."""

    request: Request
    settings: Config
    callback: Callback
    summary: ScoreSummary
    stack: contextlib.ExitStack

    def run(self, files: _Files, locks: Locks, ledger: Ledger | None, watch: Watch | None) -> None:
        keep_pandas_out()
        from aedetect.engine.executors import executor_of
        from aedetect.engine.stream import Run
        from aedetect.scoring.event_table import count_anomalies, write_events
        from aedetect.tasks.drift.collector import DriftCollector
        from aedetect.tasks.recipe import ModelTask
        from aedetect.tasks.score import ScoreTask

        request, summary = self.request, self.summary
        fitted = self._loaded(files)
        trained, asked = fitted.config.data, self.settings.data
        files = replace(
            files,
            sources=as_trained(fitted.placed(files.sources), trained, asked),
            history=as_trained(fitted.placed(files.history), trained, asked),
        )
        for text in left_out(request.inputs):
            _warn(summary, text, self.callback)
        # Whether rows are named by their input must not hang on how many are new today.
        together = goes_together(files.outputs) and not is_folder(request.output)
        together &= len(files.sources) > 1 or ledger is not None
        chosen, skipped = choose_new(
            files.sources, files.outputs, ledger, str(fitted.sha256), request.min_age
        )
        summary.files += skipped
        in_folder = is_folder(request.output)
        plan = Plan(chosen.inputs, chosen.outputs, together, skipped=chosen.skipped, in_folder=in_folder)
        suppression = request.muting.build(fitted, partial(_warn, summary, callback=self.callback))
        prior = _prior(fitted, ledger, files, chosen)
        if fitted.series is not None:
            self.callback.stage("reading and scoring the series")
        notifier = self._notifier(fitted)
        session, place = self._session(fitted, chosen.inputs, prior, suppression, notifier)
        verdicts = _verdicts(session)
        task = ScoreTask(fitted, chosen.inputs, self._shape(), prior, session, suppression)
        drift = DriftCollector(fitted)
        consumers: list[Consumer] = []
        request.health.check_entity(fitted, chosen.inputs)
        if ledger is not None:
            from aedetect.tasks.health import FactsCollector

            facts = FactsCollector(fitted, request.health.entity)
            consumers += [facts, _Keeper(ledger, str(fitted.sha256), summary, task.session, facts)]
        consumers.append(drift)
        if not together:
            consumers.append(Unlocker(locks))
        if notifier is not None:
            consumers.append(notifier.consumer)
        if watch is not None and chosen.inputs and verdicts is None:
            consumers.append(watch(fitted, task.session, chosen.inputs))
        make = partial(_score_task, shape=self._shape(), muting=request.muting, verdicts=verdicts)
        recipe = ModelTask.of(str(request.model), fitted, self.settings, make)
        executor = executor_of(recipe, task, plan, fitted.config.scoring.jobs, place)
        executor.execute(Run(task, summary, Consumers(consumers), self.callback), plan)
        events = task.session.events()
        if events is not None:
            summary.extra["events"] = count_anomalies(events)
            summary.extra["muted_events"] = task.session.muted_event_count
            summary.extra["adopted"] = [each.as_dict() for each in task.session.adopted_states()]
            if request.events is not None:
                write_events(events, request.events)
        health_sources = HealthSources(ledger, files.sources, request.inputs)
        request.health.note(summary, fitted, task.session, health_sources)
        _judge(summary, request.guards, drift.verdict(), self.callback)
        request.health.settle(summary)
        if notifier is not None:
            self._send(notifier, task.session)

    def _session(
        self,
        fitted: FittedModel,
        inputs: Sequence[FileInput],
        prior: PriorRows,
        suppression: Suppression | None,
        notifier: Notifier | None,
    ) -> tuple[ScoringSession | None, Place | None]:
        """The session over the inputs, where it is not the usual one, and where outputs are written."""
        from aedetect.engine.distributed import workplace

        request, place = self.request, workplace(self.settings.scoring)
        if place is not None and fitted.series is not None and inputs:
            from aedetect.tasks.spread_series import SpreadRun

            mute = request.muting.build if suppression is not None else None
            held = None if notifier is None else "--notify tells of events from all of their rows"
            spread = SpreadRun(place, str(request.model), self.settings, mute, request.output, held)
            reason = spread.why_not(fitted, inputs)
            if reason is None:
                notice = self.callback.notice
                opened = spread.session(fitted, inputs, prior, suppression, notice)
                return self.stack.enter_context(opened)[0], place
            _warn(self.summary, reason, self.callback)
            place = None
        return None if notifier is None else notifier.opened(inputs, prior, suppression), place

    def _notifier(self, fitted: FittedModel) -> Notifier | None:
        request, records = self.request, self.request.records
        if request.notify is None:
            return None
        from aedetect.tasks.notify.notifier import Notifier

        name = f"aedetect {records.job or PurePath(name_of(request.model)).stem}"
        place = records.job or identity(request.model) or os.path.abspath(request.model)
        return Notifier(request.notify, fitted, name, place, str(records.state) if records.state else None)

    def _send(self, notifier: Notifier, session: ScoringSession) -> None:
        """Send what is due, and enter it; it fails the run only where that was asked for."""
        summary, request = self.summary, self.request
        assert request.notify is not None
        outcome = notifier.send(summary, session, self.callback)
        summary.findings["notified"] = outcome.entries
        for text in outcome.warnings:
            _warn(summary, text, self.callback)
        failed = summary.exit_code and summary.exit_code < ExitCode.ALERTS
        if request.notify.strict and not outcome.all_delivered and not failed:
            summary.exit_code = int(ExitCode.NOTIFY)

    def _loaded(self, files: _Files) -> FittedModel:
        from aedetect.scoring.fitted import FittedModel

        request, summary = self.request, self.summary
        device = self.settings.training.device
        fitted = FittedModel.load(request.model, device=device, sha256=request.digest)
        fitted = fitted.adjusted(self.settings)
        # Asked here, since flags that would be passed over in silence are refused.
        if fitted.series is None and (files.history or request.events):
            raise UsageError(
                f"{request.model}: no model of time series, which --history and --events are for"
            )
        request.health.check(fitted, request.model, self.settings)
        for name, flag in _ADAPTING.items():
            if name in self.settings.series.model_fields_set and fitted.alarm_rule is None:
                raise UsageError(nothing_adapts(fitted, request.model, flag))
        summary.model |= {"sha256": fitted.sha256, "trained": fitted.training.started}
        summary.extra["threshold"] = fitted.threshold
        summary.extra.update(fitted.threshold_policy.rates())
        return fitted

    def _shape(self) -> Shape | None:
        from aedetect.tasks.score import Shape

        request = self.request
        if request.output is None:
            return None
        return Shape(request.keep, request.only_anomalies, request.prefix)


def nothing_adapts(fitted: FittedModel, path: str | os.PathLike[str], flag: str) -> str:
    """Why --adapt or --adopt-after, whichever `flag` is, is refused."""
    if fitted.series is None:
        return f"{path}: no model of time series, which {flag} is for"
    if fitted.config.threshold.value is not None:
        return f"{flag}: a threshold set by hand adapts to nothing; leave out one of them"
    return f"{path}: made by an older version, whose alarms adapt to nothing; retrain, or leave out {flag}"


def _verdicts(session: ScoringSession | None) -> SpreadVerdicts | None:
    """The verdicts that a session was handed; None of one that judges."""
    if session is None:
        return None
    from aedetect.scoring.spread.session import SpreadSession

    return session.verdicts if isinstance(session, SpreadSession) else None


def _score_task(
    fitted: FittedModel, shape: Shape | None, muting: MutingRequest, verdicts: SpreadVerdicts | None = None
) -> Any:
    """The task of another process, which is handed inputs that do not depend on one another.

    `verdicts`: on the rows of series, which were judged before.
    """
    from aedetect.tasks.score import ScoreTask

    session = None if verdicts is None else verdicts.session(fitted)
    return ScoreTask(fitted, (), shape, session=session, suppression=muting.build(fitted))


def _prior(fitted: FittedModel, ledger: Ledger | None, files: _Files, chosen: Chosen) -> PriorRows:
    """What went before the inputs that are chosen now."""
    from aedetect.data.series.context import SeriesContext
    from aedetect.scoring.base import PriorRows

    if ledger is None:
        return PriorRows(files.history)
    stored = ledger.tails(str(fitted.sha256))
    places = {id(source): place for place, source in enumerate(files.sources)}
    first = min((places[id(source)] for source in chosen.inputs), default=0)
    earlier = [source for source in chosen.known if places[id(source)] < first]
    tails = {name: SeriesContext.from_bytes(data) for name, data in stored.items()}
    return PriorRows(files.history, tails, earlier[-_EARLIER_INPUTS:])


class _Keeper(Bookkeeper):
    """Keeps the ends of an input's series, and what was seen of it, with its entry in the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        model: str,
        summary: RunSummary,
        session: ScoringSession,
        facts: FactsCollector,
    ):
        super().__init__(ledger, model, summary)
        self._session = session
        self._facts = facts

    def facts_of(self, source: FileInput) -> Facts:
        return self._facts.facts(source)

    def tails_of(self, source: FileInput) -> list[StoredTail]:
        return [
            StoredTail(name, len(tail), tail.until.isoformat(timespec="seconds"), tail.to_bytes())
            for name, tail in self._session.tails(source).items()
        ]


def _judge(summary: ScoreSummary, guards: Guards, drift: Drift | None, callback: Callback) -> None:
    """Enter the drift, and settle the exit code of a run that went well."""
    from aedetect.tasks.drift.collector import NO_SKETCH

    if drift is not None and summary.counts["rows"]:
        summary.findings["drift"] = drift.as_dict()
    elif drift is None and (guards.fail_on_drift or guards.drift_alone):
        raise ModelError(f"{summary.model['path']}: {NO_SKETCH}")
    unsure = drift is not None and drift.rows and drift.verdict == "too few rows"
    if drift is not None and unsure and guards.fail_on_drift and not guards.drift_alone:
        _warn(summary, f"--fail-on-drift: {drift.text}", callback)
    share = summary.anomaly_share or 0.0
    if guards.max_alert_rate is not None and share > guards.max_alert_rate:
        text = f"{MORE_THAN_EXPLAINED} ({share:.2%} of the rows, --max-alert-rate {guards.max_alert_rate:g})"
        _warn(summary, text, callback)
    if summary.exit_code == ExitCode.OK and guards.fail_over is not None and share > guards.fail_over:
        summary.exit_code = int(ExitCode.ALERTS)
    drifted = drift is not None and drift.verdict == "drifted"
    if summary.exit_code == ExitCode.OK and guards.fail_on_drift and drifted:
        summary.exit_code = int(ExitCode.DRIFT)


def _warn(summary: ScoreSummary, text: str, callback: Callback) -> None:
    summary.warnings.append(text)
    callback.notice(text)
