"""Where a run's inputs are worked on: in this process, or by several others.

To add an executor, write a class with the one method of `Executor` here or in a file beside; every
command then has it.
"""

from __future__ import annotations

import contextlib
import os
from typing import Protocol

from aedetect.engine.distributed import Distributed, Place
from aedetect.engine.divided import cut
from aedetect.engine.plan import Plan
from aedetect.engine.remote import TaskRecipe
from aedetect.engine.stream import Run, run_in_process
from aedetect.engine.task import Task
from aedetect.errors import UsageError
from aedetect.io.files import FileInput

# Of what each process gets: below this it has loaded its libraries no sooner than others have done its share.
WORTHWHILE_BYTES = 32 << 20
# Of a file that is cut: the threads of one process share one large file better than many small ones.
WORTHWHILE_SPANS = 56 << 20


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
    used = worthwhile(plan, jobs, task) if task.independent else 1
    return Distributed(recipe, Place(None, used)) if used > 1 else InProcess()


def worthwhile(plan: Plan, jobs: int, task: Task | None = None) -> int:
    """How many processes to use, up to `jobs`: one where more would not be faster or are no use.

    `task`: the one that large inputs are cut for; without it, none is.
    """
    files = [source for source in plan.inputs if isinstance(source, FileInput)]
    local = all(source.location.filesystem is None and source.spool is None for source in files)
    if jobs < 2 or not files or len(files) < len(plan.inputs) or not local or plan.together:
        return 1
    sizes = []
    for source in files:
        with contextlib.suppress(OSError):
            sizes.append(os.path.getsize(source.location.path))
    whole = max(1, min(jobs, len(files), sum(sizes) // WORTHWHILE_BYTES))
    used = min(jobs, sum(sizes) // WORTHWHILE_SPANS)
    if task is None or used <= whole:
        return whole
    cuts = [cut(task, *pair, used) for pair in zip(files, plan.outputs, strict=True)]
    return max(whole, min(used, sum(max(1, len(spans)) for spans in cuts)))
