"""Several inputs scored side by side, each by one of a few processes, to one output each."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, NoReturn

from aedetect.engine.callbacks import Monitor
from aedetect.engine.ledger import Mark, check_unchanged, mark_of
from aedetect.engine.outputs import conclude, score_into
from aedetect.engine.signals import ended_by
from aedetect.engine.summary import FileOutcome, Follower, Summary
from aedetect.errors import AedetectError, DataError, ExitCode, ModelError, OutputError
from aedetect.io.files import FileInput
from aedetect.tasks.score import Shape

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.detector import Detector, Verdicts
    from aedetect.tasks.drift.collector import Counted, DriftWatch

# Below this a process has loaded its libraries no sooner than another has scored its share.
WORTHWHILE_BYTES = 20 << 20


@dataclass(frozen=True)
class Task:
    """What every process needs to know. `settings`: those that were set, by section and name."""

    model: str
    sha256: str
    settings: dict[str, Any]
    shape: Shape
    marks: bool
    threads: int


@dataclass(frozen=True)
class Done:
    """What came of one input in another process."""

    entry: FileOutcome
    summary: Summary
    mark: Mark | None
    drift: Counted
    error: AedetectError | None


def worthwhile(chosen: Sequence[tuple[FileInput, str | None]], jobs: int) -> int:
    """How many processes to use, up to `jobs`: one where more would not be faster or are no use."""
    local = all(source.location.filesystem is None and source.spool is None for source, _ in chosen)
    if jobs < 2 or len(chosen) < 2 or not local:
        return 1
    sizes = []
    for source, _ in chosen:
        with contextlib.suppress(OSError):
            sizes.append(os.path.getsize(source.location.path))
    return max(1, min(jobs, len(chosen), sum(sizes) // WORTHWHILE_BYTES))


def score_side_by_side(
    summary: Summary,
    task: Task,
    chosen: Sequence[tuple[FileInput, str | None]],
    jobs: int,
    monitor: Monitor,
    follower: ParallelFollower,
    *,
    spared: int,
) -> None:
    """What `jobs.score_into` does, by `jobs` processes; `summary` is the same, in the same order.

    Raises OutputError where an output cannot be written or a process came to an end by itself.
    """
    errors: list[AedetectError] = []
    with _pool(task, jobs) as pool:
        futures: list[Future[Done]] = [pool.submit(_score_one, *item) for item in chosen]
        for future, (source, _) in zip(futures, chosen, strict=True):
            monitor.stage(source.name)
            done = _settled(future, source)
            summary.files.append(done.entry)
            if done.error is not None:
                errors.append(done.error)
                continue
            summary.counts.add(done.summary.counts)
            summary.warnings += done.summary.warnings
            for text in done.summary.warnings:
                monitor.notice(text)
            follower.arrived(source, done)
    conclude(summary, errors, len(chosen), spared)


class ParallelFollower:
    """Told of every input that another process has scored, in order; may be left as it is."""

    def arrived(self, source: FileInput, done: Done) -> None:
        """The input's output is in place."""


def _settled(future: Future[Done], source: FileInput) -> Done:
    from concurrent.futures.process import BrokenProcessPool

    try:
        return future.result()
    except BrokenProcessPool:
        raise OutputError(
            f"{source.name}: the process that scored it was ended from outside (out of memory?); "
            "try fewer --jobs"
        ) from None


@contextlib.contextmanager
def _pool(task: Task, jobs: int) -> Iterator[ProcessPoolExecutor]:
    # Spawned, not forked: threads of torch and Arrow do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, _begin, (task,))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Keeper(Follower):
    """In a worker: measures drift, and marks what the input looked like."""

    def __init__(self, drift: DriftWatch, marks: bool):
        self.mark: Mark | None = None
        self._drift = drift
        self._marks = marks

    def begin(self, source: FileInput) -> None:
        if self._marks:
            self.mark = mark_of(source)
        self._drift.begin(source)

    def see(self, batch: pa.RecordBatch, verdicts: Verdicts) -> None:
        self._drift.see(batch, verdicts)

    def check(self, source: FileInput) -> None:
        if self.mark is not None:
            check_unchanged(source, self.mark)
        self._drift.check(source)


_worker: tuple[Task, Detector] | None = None


class _Stop(BaseException):
    """Unwinds what a process is at, so that its temporary files go before it does."""


_SIGNALS = {signal.SIGTERM: _Stop, signal.SIGHUP: _Stop}


@contextlib.contextmanager
def _left_in_order() -> Iterator[None]:
    """A block that the process leaves in good order when it is told to end, and ends.

    The loop that hands out inputs takes every exception for the outcome of one of them, and would
    go on with the next: so the process is left, not the function.
    """
    try:
        with ended_by(_SIGNALS) as told:
            yield
    except _Stop:
        _end()
    if told.by is not None:
        _end()


def _end(*_: object) -> NoReturn:
    os._exit(ExitCode.TERMINATED)


def _end_with(parent: int) -> None:
    """A process whose starter was killed would wait for inputs for ever."""
    connection.wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)


def _begin(task: Task) -> None:
    """A process begins: it loads the model, and leaves interruptions to the one that started it."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    import torch

    from aedetect.config import Config
    from aedetect.detector import load

    torch.set_num_threads(task.threads)
    settings = Config.model_validate(task.settings)
    detector = load(task.model, device=settings.training.device, sha256=task.sha256)
    _worker = task, detector.adjusted(settings)


def _score_one(source: FileInput, output: str | None) -> Done:
    from aedetect.tasks.drift.collector import DriftWatch

    assert _worker is not None
    task, detector = _worker
    drift = DriftWatch(detector)
    keeper = _Keeper(drift, task.marks)
    summary = Summary({}, detector.threshold, None, datetime.now(UTC))
    error: AedetectError | None = None
    with _left_in_order():
        try:
            score_into(summary, detector, [source], [output], task.shape, Monitor(), keeper, together=False)
        except (DataError, ModelError) as failure:
            error = failure
    return Done(summary.files[0], summary, keeper.mark, drift.bare(), error)
