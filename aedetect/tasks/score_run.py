"""A scoring run that nobody watches: locks, ledger, guards, and a record of what came of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aedetect.config import Config
from aedetect.engine.callbacks import Monitor
from aedetect.engine.executors import Done, ParallelFollower, Task, score_side_by_side, worthwhile
from aedetect.engine.ledger import (
    Ledger,
    Mark,
    StoredTail,
    check_state_path,
    check_unchanged,
    is_young,
    mark_of,
    place_of,
)
from aedetect.engine.metrics_file import check_records, recorded
from aedetect.engine.outputs import alert_rate_of, goes_together, is_folder, plan_outputs, score_into
from aedetect.engine.summary import FileOutcome, Follower, Summary
from aedetect.errors import DataError, ExitCode, ModelError, UsageError
from aedetect.io.atomic import same_file
from aedetect.io.files import FileInput, open_inputs
from aedetect.io.locate import STDIN
from aedetect.io.lock import Locks
from aedetect.scoring.prior_state import Remembered, kept_tails
from aedetect.scoring.series import SeriesJudge
from aedetect.tasks.drift.collector import NO_SKETCH, DriftWatch
from aedetect.tasks.score import Shape

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.detector import Detector, Verdicts
    from aedetect.scoring.series import Judge
    from aedetect.tasks.drift.compare import Drift

# Of time series, inputs scored in an earlier run that are read again where what is kept of them will not do.
_REMEMBERED_INPUTS = 2
MORE_THAN_EXPLAINED = "more is flagged than the training data explain: suspect a schema or data change"


@dataclass(frozen=True)
class Guards:
    """Shares of flagged rows above which a run is not taken at face value."""

    fail_over: float | None = None
    max_alert_rate: float | None = None
    fail_on_drift: bool = False

    def __post_init__(self) -> None:
        for name, rate in (("--fail-over", self.fail_over), ("--max-alert-rate", self.max_alert_rate)):
            if rate is not None and not 0 <= rate <= 1:
                raise UsageError(f"{name} = {rate}: must lie between 0 and 1")


@dataclass(frozen=True)
class Records:
    """Files that a run keeps: its ledger, its summary, its metrics."""

    new_only: bool = False
    state: Path | None = None
    summary: Path | None = None
    metrics: Path | None = None

    def __post_init__(self) -> None:
        if self.new_only and self.state is None:
            raise UsageError("--new-only needs --state FILE, where it notes what was scored")
        if self.state is not None and not self.new_only:
            raise UsageError("--state FILE goes with --new-only")

    @property
    def kept(self) -> bool:
        """Whether what comes of the run can be read elsewhere than on the terminal."""
        return self.new_only or self.summary is not None or self.metrics is not None


@dataclass(frozen=True)
class Request:
    """What `aedetect score` was asked for."""

    inputs: Sequence[str]
    model: Path
    output: str | None
    shape: Shape
    min_age: float = 0.0
    guards: Guards = field(default_factory=Guards)
    records: Records = field(default_factory=Records)
    digest: str | None = None
    history: Sequence[str] = ()
    events: str | None = None


# Makes a follower for a run that somebody watches, once there is a model and its one input.
Watch = Callable[["Detector", FileInput], Follower]


def measure_drift(
    inputs: Sequence[str], model: Path, digest: str | None, settings: Config, monitor: Monitor, fail: bool
) -> Summary:
    """Score `inputs` to nowhere, for the drift alone. Raises what `score` does, and ModelError for a
    model file without the figures to compare with. `fail`: whether drift changes the exit code."""
    request = Request(inputs, model, None, Shape("none"), guards=Guards(fail_on_drift=True), digest=digest)
    summary = score(request, settings, monitor)
    if summary.exit_code == ExitCode.DRIFT and not fail:
        summary.exit_code = int(ExitCode.OK)
    return summary


def score(request: Request, settings: Config, monitor: Monitor, watch: Watch | None = None) -> Summary:
    """Do what was asked for, and return what came of it; written to its files however it ends.

    Raises the errors of reading, loading and writing; see `jobs.score_files`.
    """
    from aedetect.io.inputs import read_options

    records = request.records
    told = {"path": str(request.model), "sha256": None, "trained": None}
    summary = Summary(told, None, None, datetime.now(UTC))
    words = [*request.inputs, *request.history, request.output, request.events, str(request.model)]
    if records.state is not None:
        words.append(str(records.state))
    with recorded(summary, records.summary, records.metrics, words):
        sources = open_inputs(request.inputs, read_options(settings.data))
        _check_records(records, sources)
        outputs = plan_outputs(sources, request.output, keep_from=request.model)
        history = open_inputs(request.history, read_options(settings.data)) if request.history else []
        _check_events(request.events, [*sources, *history], outputs, request.model)
        _check_records(records, history)
        check_records(records.summary, records.metrics, outputs)
        _check_files(records, sources, [*outputs, request.events], request.model)
        # What is scored now is not known already, though a pattern for what went before may match it too.
        scored = {place_of(source) for source in sources if source.spool is None} if history else set()
        history = [source for source in history if source.spool or place_of(source) not in scored]
        guarded = [output for output in outputs if output is not None]
        state = [str(records.state)] if records.state else []
        with Locks([*state, *guarded]) as locks, _ledger(records.state) as ledger:
            _score(request, settings, monitor, summary, sources, outputs, history, locks, ledger, watch)
    return summary


def _score(
    request: Request,
    settings: Config,
    monitor: Monitor,
    summary: Summary,
    sources: Sequence[FileInput],
    outputs: Sequence[str | None],
    history: list[FileInput],
    locks: Locks,
    ledger: Ledger | None,
    watch: Watch | None,
) -> None:
    from aedetect.detector import load

    detector = load(request.model, device=settings.training.device, sha256=request.digest).adjusted(settings)
    if detector.series is None and (history or request.events):
        raise UsageError(f"{request.model}: no model of time series, which --history and --events are for")
    summary.model |= {"sha256": detector.sha256, "trained": detector.training.started}
    summary.threshold = detector.threshold
    summary.alert_rate = alert_rate_of(detector, detector.threshold)
    # Whether rows are named by their input must not hang on how many are new today.
    together = goes_together(outputs) and not is_folder(request.output)
    together &= len(sources) > 1 or ledger is not None
    chosen: list[tuple[FileInput, str | None]] = []
    known: list[FileInput] = []
    for source, output in zip(sources, outputs, strict=True):
        status = _spared(source, ledger, str(detector.sha256), request.min_age)
        if status:
            summary.files.append(FileOutcome(source.name, None, status))
            if status == "known":
                known.append(source)
        else:
            chosen.append((source, output))
    drift = DriftWatch(detector)
    book = _Bookkeeper(ledger, str(detector.sha256), summary) if ledger is not None else None
    unlock = None if together else locks
    remembered = None
    if detector.series is not None and ledger is not None:
        remembered = _remembered(detector, ledger, sources, known, chosen)
    jobs = 1 if together or detector.series is not None else worthwhile(chosen, detector.config.scoring.jobs)
    spared = len(sources) - len(chosen)
    if jobs > 1:
        task = Task(
            str(request.model), str(detector.sha256), settings.model_dump(exclude_unset=True),
            request.shape, ledger is not None, max(1, (os.cpu_count() or 1) // jobs),
        )  # fmt: skip
        arrivals = _Arrivals(drift, book, unlock)
        score_side_by_side(summary, task, chosen, jobs, monitor, arrivals, spared=spared)
    else:
        followers: list[Follower] = [*([book] if book else []), drift]
        followers += [_Unlocker(unlock)] if unlock else []
        followers += [watch(detector, chosen[0][0])] if watch and len(chosen) == 1 else []
        score_into(
            summary,
            detector,
            [source for source, _ in chosen],
            [output for _, output in chosen],
            request.shape,
            monitor,
            _All(followers),
            together=together,
            spared=spared,
            history=history,
            remembered=remembered,
            events=request.events,
        )
    _judge(summary, request.guards, drift.verdict(), monitor)


def _remembered(
    detector: Detector,
    ledger: Ledger,
    sources: Sequence[FileInput],
    known: Sequence[FileInput],
    chosen: Sequence[tuple[FileInput, str | None]],
) -> Remembered:
    """What went before the inputs that are `chosen` now."""
    from aedetect.data.series.context import SeriesContext

    stored = ledger.tails(str(detector.sha256))
    places = {id(source): place for place, source in enumerate(sources)}
    first = min((places[id(source)] for source, _ in chosen), default=0)
    earlier = [source for source in known if places[id(source)] < first]
    tails = kept_tails(detector, {name: SeriesContext.from_bytes(data) for name, data in stored.items()})
    return Remembered(tails, earlier[-_REMEMBERED_INPUTS:])


def _check_events(
    events: str | None, sources: Sequence[FileInput], outputs: Sequence[str | None], model: Path
) -> None:
    if events is None:
        return
    if is_folder(events):
        raise UsageError(f"--events {events}: a folder; name a file")
    plan_outputs(sources, events, keep_from=model)
    if any(output not in (None, STDIN) and same_file(events, str(output)) for output in outputs):
        raise UsageError(f"{events}: both -o and --events go there; name two files")


def _check_records(records: Records, sources: Sequence[FileInput]) -> None:
    local = [source.location.path for source in sources if source.location.filesystem is None]
    check_records(records.summary, records.metrics, local)


def _check_files(
    records: Records, sources: Sequence[FileInput], outputs: Sequence[str | None], model: Path
) -> None:
    if records.state is None:
        return
    for source in sources:
        place_of(source)
    taken = [source.location.path for source in sources if source.location.filesystem is None]
    check_state_path(records.state, [*taken, *(output for output in outputs if output), str(model)])


@contextlib.contextmanager
def _ledger(path: Path | None) -> Iterator[Ledger | None]:
    if path is None:
        yield None
        return
    with Ledger(path) as ledger:
        yield ledger


def _spared(source: FileInput, ledger: Ledger | None, model: str, min_age: float) -> str | None:
    """Why an input is left out of this run: 'young' or 'known'; None where it is to be scored."""
    # One that cannot even be looked at is let through, to fail by name when its turn comes.
    with contextlib.suppress(DataError):
        if min_age and is_young(source, min_age):
            return "young"
        if ledger is not None and ledger.knows(source, model):
            return "known"
    return None


def _judge(summary: Summary, guards: Guards, drift: Drift | None, monitor: Monitor) -> None:
    if drift is not None and drift.rows:
        summary.drift = drift.as_dict()
    elif drift is None and guards.fail_on_drift:
        raise ModelError(f"{summary.model['path']}: {NO_SKETCH}")
    share = summary.anomaly_share or 0.0
    if guards.max_alert_rate is not None and share > guards.max_alert_rate:
        text = f"{MORE_THAN_EXPLAINED} ({share:.2%} of the rows, --max-alert-rate {guards.max_alert_rate:g})"
        summary.warnings.append(text)
        monitor.notice(text)
    if summary.exit_code == ExitCode.OK and guards.fail_over is not None and share > guards.fail_over:
        summary.exit_code = int(ExitCode.ALERTS)
    drifted = drift is not None and drift.verdict == "drifted"
    if summary.exit_code == ExitCode.OK and guards.fail_on_drift and drifted:
        summary.exit_code = int(ExitCode.DRIFT)


class _All(Follower):
    """Several followers as one, each asked in turn."""

    def __init__(self, followers: Sequence[Follower]):
        self._followers = followers

    def judging(self, judge: Judge) -> None:
        for follower in self._followers:
            follower.judging(judge)

    def begin(self, source: FileInput) -> None:
        for follower in self._followers:
            follower.begin(source)

    def see(self, batch: pa.RecordBatch, verdicts: Verdicts) -> None:
        for follower in self._followers:
            follower.see(batch, verdicts)

    def check(self, source: FileInput) -> None:
        for follower in self._followers:
            follower.check(source)

    def done(self, source: FileInput, entry: FileOutcome) -> None:
        for follower in self._followers:
            follower.done(source, entry)


class _Bookkeeper(Follower):
    """Enters each input into the ledger once its output is in place."""

    def __init__(self, ledger: Ledger, model: str, summary: Summary):
        self._ledger = ledger
        self._model = model
        self._summary = summary
        self._marks: dict[str, Mark] = {}
        self._judge: Judge | None = None

    def judging(self, judge: Judge) -> None:
        self._judge = judge

    def begin(self, source: FileInput) -> None:
        self.marked(source, mark_of(source))

    def marked(self, source: FileInput, mark: Mark) -> None:
        """The input looked like `mark` before it was read."""
        self._marks[source.name] = mark
        other = self._ledger.same_content(mark, place_of(source), self._model)
        if other is not None:
            self._summary.warnings.append(
                f"{source.name}: has the same content as {other}, which was scored before"
            )

    def check(self, source: FileInput) -> None:
        check_unchanged(source, self._marks[source.name])

    def done(self, source: FileInput, entry: FileOutcome) -> None:
        mark = self._marks.pop(source.name)
        kept = self._judge.tails_with(source) if isinstance(self._judge, SeriesJudge) else {}
        tails = [
            StoredTail(name, len(tail), tail.until.isoformat(timespec="seconds"), tail.to_bytes())
            for name, tail in kept.items()
        ]
        self._ledger.add(source, mark, self._model, entry.output, entry.rows, entry.anomalies, tails)


class _Arrivals(ParallelFollower):
    """Does in this process what `_Bookkeeper` and `_Unlocker` do for inputs scored in it."""

    def __init__(self, drift: DriftWatch, book: _Bookkeeper | None, locks: Locks | None):
        self._drift = drift
        self._book = book
        self._locks = locks

    def arrived(self, source: FileInput, done: Done) -> None:
        self._drift.add(done.drift)
        if self._book is not None and done.mark is not None:
            self._book.marked(source, done.mark)
            self._book.done(source, done.entry)
        if self._locks is not None and done.entry.output is not None:
            self._locks.release(done.entry.output)


class _Unlocker(Follower):
    """Lets other runs at an output as soon as it is in place."""

    def __init__(self, locks: Locks):
        self._locks = locks

    def done(self, source: FileInput, entry: FileOutcome) -> None:
        if entry.output is not None:
            self._locks.release(entry.output)
