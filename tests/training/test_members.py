"""The networks of a model, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from support.layouts import layout

from aedetect.config import Config
from aedetect.engine.callbacks import Callback, Progress
from aedetect.io.source import TableInput
from aedetect.models.base import Autoencoder
from aedetect.models.registry import build
from aedetect.training.checkpoint import Checkpointer
from aedetect.training.feed import MemoryFeed
from aedetect.training.members import MemberTask, member_seed, train_members
from aedetect.training.request import FitRequest, TrainingRun

CPU = torch.device("cpu")
SETTINGS = {
    "training.device": "cpu",
    "training.epochs": 2,
    "model.width": 8,
    "model.architecture": "denoising",
}


class Interrupted(Exception):
    pass


class Evaluated(Callback):
    """Remembers which network was evaluated, and stops at the second one if asked to."""

    def __init__(self, stops: bool = False):
        self.stops = stops
        self.seen: list[tuple[int, int]] = []

    def training(self, member: int, members: int, progress: Progress) -> None:
        self.seen.append((member, members))
        if self.stops and member == 1:
            raise Interrupted


def begun(callback: Callback, path: Path | None = None, resume: bool = False) -> TrainingRun:
    inputs = (TableInput(pa.table({"a": [1.0]})),)
    return TrainingRun.begin(FitRequest(inputs, Config.build(overrides=SETTINGS), callback, path, resume))


def tasks(run: TrainingRun) -> Iterator[MemberTask[Autoencoder]]:
    for index in range(3):
        rows = np.random.default_rng(index).standard_normal((80, 3)).astype(np.float32)
        feed = MemoryFeed(rows[:60], 32, index, CPU)
        make = partial(build, layout(3), run.config.model)
        yield MemberTask(make, feed, torch.from_numpy(rows[60:]), member_seed(0, index))


def weights(model: Autoencoder) -> list[float]:
    return [value for tensor in model.state_dict().values() for value in tensor.flatten().tolist()]


def test_each_is_trained_from_its_own_seed_and_ends_in_evaluation_mode() -> None:
    callback = Evaluated()
    run = begun(callback)
    members, records = train_members(run, tasks(run), 3, Checkpointer.none())
    assert sorted(set(callback.seen)) == [(0, 3), (1, 3), (2, 3)]
    assert [record.rows for record in records] == [60, 60, 60]
    assert not any(model.training for model in members)
    assert weights(members[0]) != weights(members[1])
    again, _ = train_members(run, tasks(run), 3, Checkpointer.none())
    assert [weights(model) for model in again] == [weights(model) for model in members]


def test_the_callers_random_numbers_are_left_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    run = begun(Callback())
    train_members(run, tasks(run), 3, Checkpointer.none())
    assert torch.equal(torch.rand(3), expected)


def test_networks_that_were_done_are_taken_from_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "m.checkpoint"
    whole, records = train_members(begun(Callback()), tasks(begun(Callback())), 3, Checkpointer.none())
    run = begun(Evaluated(stops=True), path)
    with pytest.raises(Interrupted):
        train_members(run, tasks(run), 3, Checkpointer(path, 0.0, "this run"))
    # It was written in the first network, which is gone on with.
    callback = Evaluated()
    run = begun(callback, path, resume=True)
    resumed, again = train_members(run, tasks(run), 3, Checkpointer(path, 0.0, "this run"))
    assert [weights(model) for model in resumed] == [weights(model) for model in whole]
    assert again == records
    # By now it was written in the last one.
    callback = Evaluated()
    run = begun(callback, path, resume=True)
    resumed, again = train_members(run, tasks(run), 3, Checkpointer(path, 0.0, "this run"))
    assert [weights(model) for model in resumed] == [weights(model) for model in whole]
    assert again == records
    assert {member for member, _ in callback.seen} == {2}


def test_seeds_differ_by_network_and_by_training() -> None:
    assert len({member_seed(seed, index) for seed in range(5) for index in range(5)}) == 25
