"""The networks of a model, trained one after the other; an interrupted training goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import numpy as np
from torch import Tensor

from aedetect.data.arrays import Floats
from aedetect.models.base import Autoencoder, WindowAutoencoder
from aedetect.models.evaluation.base import RowEvaluation
from aedetect.models.threads import single_threaded
from aedetect.scoring.manifest import TrainingRecord
from aedetect.training.checkpoint import Checkpointer
from aedetect.training.feed import Feed
from aedetect.training.loop import Hooks, seeded, train
from aedetect.training.request import TrainingRun

M = TypeVar("M", Autoencoder, WindowAutoencoder)


@dataclass(frozen=True)
class MemberTask(Generic[M]):
    """One network to train.

    `build` makes it, drawing from torch's generator, which is set to `seed`. It learns from `feed`
    and stops early on the `validation` set: rows [rows, features] or windows [windows, steps,
    channels], on the training device.
    """

    build: Callable[[], M]
    feed: Feed
    validation: Tensor
    seed: int


@dataclass(frozen=True)
class TrainedNetworks:
    """The networks of a table as scoring has them, with a record each, unscaled scores of the calibration set
    [rows], and whether each of its rows was scored by the one network that never saw it."""

    members: Sequence[RowEvaluation]
    records: Sequence[TrainingRecord]
    scores: Floats
    folded: bool


def train_members(
    run: TrainingRun, tasks: Iterable[MemberTask[M]], count: int, checkpointer: Checkpointer, after: int = 0
) -> tuple[list[M], list[TrainingRecord]]:
    """The trained networks of `count` tasks, in evaluation mode, and a record of each.

    `after`: how many trainings follow, which are left their share of the time.

    With a request to resume, the networks that the checkpoint holds are taken from it and the one
    it was made in is trained on, which ends as if there had been no interruption. Raises
    ModelError for a checkpoint of other data or settings, DataError where training diverges.
    """
    pending = checkpointer.load(run.device) if run.request.resume else None
    members: list[M] = []
    records: list[TrainingRecord] = []
    for index, task in enumerate(tasks):
        with seeded(task.seed, run.device), single_threaded(run.device.type):
            model = task.build().to(run.device)
            if index < len(checkpointer.finished):
                model.load_state_dict(checkpointer.finished[index])
                record = checkpointer.records[index]
            else:
                record = train(
                    model,
                    task.feed,
                    task.validation,
                    run.config.training,
                    Hooks(partial(run.callback.training, index, count), checkpointer.offer),
                    seed=task.seed,
                    deadline=run.deadline_of_next(count - index + after),
                    resume=pending,
                )
                pending = None
                checkpointer.member_done(model.state_dict(), record)
        members.append(model.eval())
        records.append(record)
    return members, records


def member_seed(seed: int, index: int) -> int:
    """The seed of network `index`, from that of the whole training."""
    return int(np.random.SeedSequence((seed, index)).generate_state(1, np.uint32)[0])
