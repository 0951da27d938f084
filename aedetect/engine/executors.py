"""Where a run's inputs are worked on: in this process, or each in one of a few others.

To add an executor, write a class with the one method of `Executor` here or in a file beside; every
command then has it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Any, NoReturn, Protocol

import pyarrow as pa

from aedetect.engine.outputs import SideOutput
from aedetect.engine.plan import Plan
from aedetect.engine.signals import ended_by
from aedetect.engine.stream import Run, conclude, run_in_process
from aedetect.engine.summary import RunSummary
from aedetect.engine.task import Consumers, FileSummary, RemoteConsumer, Task
from aedetect.errors import AedetectError, DataError, ExitCode, ModelError, OutputError
from aedetect.io.files import FileInput
from aedetect.io.source import Input
from aedetect.io.without_pandas import keep_pandas_out

# Below this a process has loaded its libraries no sooner than another has done its share.
WORTHWHILE_BYTES = 20 << 20


class Executor(Protocol):
    """Runs a task over the inputs of a plan."""

    def execute(self, run: Run, plan: Plan) -> None:
        """Enter all that comes of it into the run's summary, and tell its consumers.

        Raises as `stream.run_in_process` does.
        """
        ...


class TaskRecipe(Protocol):
    """How another process makes the same task; it can be pickled."""

    def build(self, threads: int) -> Task:
        """The task, computed by so many threads."""
        ...


class InProcess:
    """One input after the other, here."""

    def execute(self, run: Run, plan: Plan) -> None:
        run_in_process(run, plan)


@dataclass(frozen=True)
class ProcessPool:
    """Inputs side by side, each by one of `jobs` processes; outputs and summary are the same as of one."""

    recipe: TaskRecipe
    jobs: int

    def execute(self, run: Run, plan: Plan) -> None:
        plan = plan.surveyed()
        consumers = run.consumers.each if isinstance(run.consumers, Consumers) else [run.consumers]
        errors: list[AedetectError] = []
        try:
            with tempfile.TemporaryDirectory(prefix="aedetect-") as folder:
                side = SideOutput(plan.side, run.task.side_fields, len(plan.inputs) > 1)
                remote = _Remote(
                    self.recipe,
                    tuple(consumer.remote() for consumer in consumers),
                    max(1, (os.cpu_count() or 1) // self.jobs),
                    Path(folder) if plan.side is not None else None,
                )
                with side.opened(), _pool(remote, self.jobs) as pool:
                    futures = [
                        pool.submit(_work, place, source, output, plan.rows_elsewhere)
                        for place, (source, output) in enumerate(zip(plan.inputs, plan.outputs, strict=True))
                    ]
                    for future, source in zip(futures, plan.inputs, strict=True):
                        _arrived(run, source, _settled(run, future, source), consumers, side, errors)
                    conclude(run.summary, errors, plan)
            run.consumers.finish()
        finally:
            run.summary.seconds = run.summary.clock.seconds


def executor_of(recipe: TaskRecipe, task: Task, plan: Plan, jobs: int) -> Executor:
    """The executor of a run that may use up to `jobs` processes."""
    used = worthwhile(plan, jobs) if task.independent else 1
    return ProcessPool(recipe, used) if used > 1 else InProcess()


def worthwhile(plan: Plan, jobs: int) -> int:
    """How many processes to use, up to `jobs`: one where more would not be faster or are no use."""
    files = [source for source in plan.inputs if isinstance(source, FileInput)]
    local = all(source.location.filesystem is None and source.spool is None for source in files)
    if jobs < 2 or len(files) < 2 or len(files) < len(plan.inputs) or not local or plan.together:
        return 1
    sizes = []
    for source in files:
        with contextlib.suppress(OSError):
            sizes.append(os.path.getsize(source.location.path))
    return max(1, min(jobs, len(files), sum(sizes) // WORTHWHILE_BYTES))


@dataclass(frozen=True)
class _Remote:
    """What every process needs to know. `side`: a folder for what goes to the side output."""

    recipe: TaskRecipe
    consumers: Sequence[RemoteConsumer | None]
    threads: int
    side: Path | None


@dataclass(frozen=True)
class _Done:
    """What came of one input in another process. `states`: of each consumer, None where it has none there."""

    entry: FileSummary
    warnings: list[str]
    states: Sequence[Any]
    side: Path | None
    error: AedetectError | None


def _arrived(
    run: Run,
    source: Input,
    done: _Done,
    consumers: Sequence[Any],
    side: SideOutput,
    errors: list[AedetectError],
) -> None:
    run.summary.files.append(done.entry)
    if done.error is not None:
        errors.append(done.error)
        return
    run.summary.counts.update(done.entry.counts)
    run.summary.warnings += done.warnings
    for text in done.warnings:
        run.callback.notice(text)
    if done.side is not None:
        with pa.memory_map(str(done.side)) as stream, side.of_input(source.name) as take:
            reader = pa.ipc.open_file(stream)
            for number in range(reader.num_record_batches):
                take(reader.get_batch(number))
    for consumer, state in zip(consumers, done.states, strict=True):
        consumer.merge(source, done.entry, state)


def _settled(run: Run, future: Future[_Done], source: Input) -> _Done:
    from concurrent.futures.process import BrokenProcessPool

    run.callback.stage(source.name)
    try:
        return future.result()
    except BrokenProcessPool:
        raise OutputError(
            f"{source.name}: the process that {run.task.counts.done} it was ended from outside (out of "
            "memory?); try fewer --jobs"
        ) from None


@contextlib.contextmanager
def _pool(remote: _Remote, jobs: int) -> Iterator[ProcessPoolExecutor]:
    # Spawned, not forked: threads of torch and Arrow do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, _begin, (remote,))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_worker: tuple[_Remote, Task] | None = None


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
        with ended_by(_SIGNALS) as stop_request:
            yield
    except _Stop:
        _end()
    if stop_request.by is not None:
        _end()


def _end(*_: object) -> NoReturn:
    os._exit(ExitCode.TERMINATED)


def _end_with(parent: int) -> None:
    """A process whose starter was killed would wait for inputs for ever."""
    connection.wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)


def _begin(remote: _Remote) -> None:
    """A process begins: it makes the task, and leaves interruptions to the one that started it."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    keep_pandas_out()
    _worker = remote, remote.recipe.build(remote.threads)


def _work(place: int, source: Input, output: str | None, rows_elsewhere: bool) -> _Done:
    assert _worker is not None
    remote, task = _worker
    consumers = Consumers([make(task) for make in remote.consumers if make is not None])
    summary = RunSummary(task.name, task.counts, {})
    side = remote.side / f"{place}.arrow" if remote.side is not None else None
    error: AedetectError | None = None
    with _left_in_order():
        try:
            side_path = None if side is None else str(side)
            plan = Plan([source], [output], side=side_path, rows_elsewhere=rows_elsewhere)
            run_in_process(Run(task, summary, consumers), plan)
        except (DataError, ModelError) as failure:
            error = failure
    remote_states = iter(consumers.state())
    states = [None if make is None else next(remote_states) for make in remote.consumers]
    return _Done(summary.files[0], summary.warnings, states, side, error)
