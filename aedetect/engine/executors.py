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
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import NoReturn, Protocol

from aedetect.engine.distributed import Distributed, Place
from aedetect.engine.outputs import SideOutput, is_typed
from aedetect.engine.plan import Plan
from aedetect.engine.remote import Done, Piece, Remote, TaskRecipe, each_of, enter_done, tell
from aedetect.engine.signals import ended_by
from aedetect.engine.stream import Run, conclude, run_in_process
from aedetect.engine.task import Task
from aedetect.errors import AedetectError, ExitCode, OutputError, UsageError
from aedetect.io.files import FileInput
from aedetect.io.source import Input

# Below this a process has loaded its libraries no sooner than another has done its share.
WORTHWHILE_BYTES = 20 << 20


class Executor(Protocol):
    """Runs a task over the inputs of a plan."""

    def execute(self, run: Run, plan: Plan) -> None:
        """Enter all that comes of it into the run's summary, and tell its consumers.

        Raises as `stream.run_in_process` does.
        """
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
        errors: list[AedetectError] = []
        try:
            with tempfile.TemporaryDirectory(prefix="aedetect-") as folder_name:
                side = SideOutput(plan.side, run.task.side_fields, len(plan.inputs) > 1)
                folder = Path(folder_name) if plan.side is not None else None
                consumers = each_of(run.consumers)
                remote = Remote.of(self.recipe, consumers)
                threads = max(1, (os.cpu_count() or 1) // self.jobs)
                with side.opened(), _pool(remote, threads, self.jobs) as pool:
                    futures = [
                        pool.submit(_work, _piece(plan, place, folder)) for place in range(len(plan.inputs))
                    ]
                    for future, source in zip(futures, plan.inputs, strict=True):
                        done = _settled(run, future, source)
                        enter_done(run, source, done, side, errors)
                        if done.error is None:
                            tell(consumers, source, done)
                    conclude(run.summary, errors, plan)
            run.consumers.finish()
        finally:
            run.summary.seconds = run.summary.clock.seconds


def _piece(plan: Plan, place: int, folder: Path | None) -> Piece:
    output = plan.outputs[place]
    side = None if folder is None else folder / f"{place}.arrow"
    return Piece(plan.inputs[place], output, is_typed(output), side=side, rows_elsewhere=plan.rows_elsewhere)


def executor_of(
    recipe: TaskRecipe, task: Task, plan: Plan, jobs: int, place: Place | None = None
) -> Executor:
    """The executor of a run that may use up to `jobs` processes, or the workers at `place`.

    Raises UsageError where they cannot do it.
    """
    if place is not None:
        if not task.independent:
            raise UsageError(
                f"--on {place.name}: rows of a series belong together, and cannot be worked on apart; "
                "leave it out"
            )
        return Distributed(recipe, place) if plan.inputs else InProcess()
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


def _settled(run: Run, future: Future[Done], source: Input) -> Done:
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
def _pool(remote: Remote, threads: int, jobs: int) -> Iterator[ProcessPoolExecutor]:
    # Spawned, not forked: threads of torch and Arrow do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, _begin, (remote, threads))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_worker: Callable[[Piece], Done] | None = None


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


def _begin(remote: Remote, threads: int) -> None:
    """A process begins: it makes the task, and leaves interruptions to the one that started it."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _worker = remote.begin(threads)


def _work(piece: Piece) -> Done:
    assert _worker is not None
    with _left_in_order():
        return _worker(piece)
    raise AssertionError
