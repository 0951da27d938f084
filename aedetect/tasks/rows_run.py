"""The run of a task that turns rows into other rows: from words on the command line to outputs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aedetect.engine.callbacks import Callback
from aedetect.engine.places import check_place
from aedetect.engine.plan import Plan, goes_together, is_folder, plan_outputs, plan_side_output
from aedetect.engine.run import Unlocker
from aedetect.engine.summary import RunSummary
from aedetect.engine.task import Consumer, Consumers, Task
from aedetect.io.files import as_trained, open_inputs, read_options
from aedetect.io.locate import left_out
from aedetect.io.lock import Locks
from aedetect.io.without_pandas import keep_pandas_out

if TYPE_CHECKING:
    from aedetect.config import Config
    from aedetect.scoring.fitted import FittedModel

# Makes the task of a model; it goes to other processes, so that it must be one that can be pickled.
MakeTask = Callable[["FittedModel"], Task]


@dataclass(frozen=True)
class RowsRequest:
    """What encode, decode, clean and impute are asked for.

    `side`: the file for the task's side output, which the option `side_option` names. `locked`: further
    files that the run writes.
    """

    inputs: Sequence[str]
    model: str | os.PathLike[str]
    output: str
    digest: str | None = None
    side: str | None = None
    side_option: str = "--changes"
    locked: Sequence[Path] = ()


def run_rows_task(
    request: RowsRequest,
    settings: Config,
    make: MakeTask,
    callback: Callback,
    consumers_of: Callable[[Task], Sequence[Consumer]] | None = None,
) -> RunSummary:
    """Run the task that `make` gives, and return what came of it.

    `consumers_of` makes those who look on. Raises the errors of reading, loading and writing; see
    `engine.stream.run_in_process`.
    """
    if settings.scoring.on is not None:
        check_place(settings.scoring.on)
    sources = open_inputs(request.inputs, read_options(settings.data))
    outputs = plan_outputs(sources, request.output, keep_from=request.model)
    side = request.side
    plan_side_output(request.side_option, side, sources, outputs, request.model)
    written = [*outputs, side, *map(str, request.locked)]
    with Locks([path for path in written if path is not None]) as locks:
        from aedetect.engine.distributed import workplace
        from aedetect.engine.executors import executor_of
        from aedetect.engine.stream import Run
        from aedetect.scoring.fitted import FittedModel
        from aedetect.tasks.recipe import ModelTask

        keep_pandas_out()
        fitted = FittedModel.load(request.model, device=settings.training.device, sha256=request.digest)
        sources = as_trained(sources, fitted.config.data, settings.data)
        fitted = fitted.adjusted(settings)
        sources = fitted.placed(sources)
        task = make(fitted)
        model_entry = {
            "path": str(request.model),
            "sha256": fitted.sha256,
            "trained": fitted.training.started,
        }
        summary = RunSummary(task.name, task.counts, model_entry)
        for text in left_out(request.inputs):
            summary.warnings.append(text)
            callback.notice(text)
        together = len(sources) > 1 and goes_together(outputs) and not is_folder(request.output)
        plan = Plan(sources, outputs, together, side, in_folder=is_folder(request.output))
        consumers = [Unlocker(locks)] if not together else []
        watching: list[Consumer] = [*consumers, *(consumers_of(task) if consumers_of else [])]
        recipe = ModelTask.of(str(request.model), fitted, settings, make)
        executor = executor_of(recipe, task, plan, fitted.config.scoring.jobs, workplace(settings.scoring))
        executor.execute(Run(task, summary, Consumers(watching), callback), plan)
        for watched in watching:
            summary.findings |= watched.findings()
    return summary


# The tasks there are: functions, so that another process finds them, and that are cheap to name.


def encode_task(fitted: FittedModel, scored: bool = False) -> Task:
    """The task of `aedetect encode`; see `tasks.encode.Encode`."""
    from aedetect.tasks.encode import Encode

    return Encode(fitted, scored)


def decode_task(fitted: FittedModel) -> Task:
    """The task of `aedetect decode`; see `tasks.encode.Decode`."""
    from aedetect.tasks.encode import Decode

    return Decode(fitted)


def clean_task(fitted: FittedModel, noise: float, flagged_only: bool, listed: bool) -> Task:
    """The task of `aedetect clean`; see `tasks.clean.CleanOptions`."""
    from aedetect.tasks.clean import Clean, CleanOptions

    return Clean(fitted, CleanOptions(noise, flagged_only, listed))


def impute_task(fitted: FittedModel, mark: bool, draws: int | None, seed: int) -> Task:
    """The task of `aedetect impute`; see `tasks.impute.Impute`."""
    from aedetect.tasks.impute import Impute

    return Impute(fitted, mark, draws, seed)


def who_sees_codes(task: Task, map_path: Path | None) -> list[Consumer]:
    """Those who look on while an `encode` task runs: what the codes cost, and a map of the rows."""
    from aedetect.tasks.code_cost import CodeCost
    from aedetect.tasks.encode import Encode
    from aedetect.tasks.projection import MapSample

    assert isinstance(task, Encode)
    drawn: list[Consumer] = [] if map_path is None else [MapSample(task.fitted, map_path)]
    return [CodeCost(task.columns, task.codes.size), *drawn]
