"""One network, or a few that each learn from all folds of a small table but one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from aedetect.config import TrainingConfig
from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.models.base import Autoencoder
from aedetect.models.ensemble import member_errors
from aedetect.models.evaluation.base import RowEvaluation
from aedetect.models.registry import build
from aedetect.models.threads import single_threaded
from aedetect.scoring.table import raw_scores
from aedetect.training.checkpoint import Checkpointer
from aedetect.training.feed import Feed, MemoryFeed
from aedetect.training.loop import rows_a_step
from aedetect.training.members import MemberTask, TrainedNetworks, member_seed, train_members
from aedetect.training.older_weights import load_weights
from aedetect.training.profiling import TrainingProfile
from aedetect.training.request import TrainingRun
from aedetect.training.split import USUAL_FOLDS, Split, folds, single_split


@dataclass(frozen=True)
class Part:
    """What one network learns from, and its validation and calibration sets [rows, features].

    `groups`: those of the calibration rows [rows].
    """

    feed: Feed
    validation: Matrix
    calibration: Matrix
    groups: Integers


@dataclass(frozen=True)
class Folds:
    """Networks by the parts of the rows that they learn from; each is calibrated with rows it never saw."""

    parts: Sequence[Part]

    @classmethod
    def of_matrix(
        cls, matrix: Matrix, settings: TrainingConfig, device: torch.device, groups: Integers | None = None
    ) -> Folds:
        """Folds where there are fewer rows than the settings say, else one part; `groups` [rows]: theirs."""
        groups = np.zeros(len(matrix), np.int64) if groups is None else groups
        splits: list[Split] = (
            folds(len(matrix), settings.folds or USUAL_FOLDS, settings.seed)
            if len(matrix) < settings.fold_below
            else [single_split(len(matrix), settings.seed)]
        )
        return cls(
            tuple(
                Part(
                    MemoryFeed(
                        matrix[split.train],
                        rows_a_step(len(split.train), settings, device),
                        settings.seed + index,
                        device,
                    ),
                    matrix[split.validation],
                    matrix[split.calibration],
                    groups[split.calibration],
                )
                for index, split in enumerate(splits)
            )
        )

    @property
    def feed(self) -> Feed:
        return self.parts[0].feed

    @property
    def calibration(self) -> Matrix:
        return self.parts[0].calibration

    @property
    def calibrating(self) -> Matrix:
        return np.concatenate([part.calibration for part in self.parts])

    @property
    def groups(self) -> Integers:
        return np.concatenate([part.groups for part in self.parts])

    def fit(self, run: TrainingRun, profile: TrainingProfile, checkpointer: Checkpointer) -> TrainedNetworks:
        """Train the networks, one after the other."""
        tasks = self._tasks(run, profile)
        trained, records = train_members(run, tasks, len(self.parts), checkpointer, after=1)
        members = [model.settled() for model in trained]
        run.callback.stage("calibrating")
        return TrainedNetworks(members, records, self._scores(run, members), len(self.parts) > 1)

    def _tasks(self, run: TrainingRun, profile: TrainingProfile) -> Iterator[MemberTask[Autoencoder]]:
        for index, part in enumerate(self.parts):
            validation = torch.from_numpy(part.validation).to(run.device)
            seed = member_seed(run.config.training.seed, index)
            yield MemberTask(partial(_built, run, profile, index), part.feed, validation, seed)

    def _scores(self, run: TrainingRun, members: Sequence[RowEvaluation]) -> Floats:
        """Unscaled scores [rows] of each part's calibration set by the network that never saw it."""
        with single_threaded(run.device.type):
            scores = [
                raw_scores(member_errors(model, part.calibration, run.device.type))
                for model, part in zip(members, self.parts, strict=True)
            ]
        return np.concatenate(scores)


def _built(run: TrainingRun, profile: TrainingProfile, index: int) -> Autoencoder:
    """Network `index` as its training begins: fresh, or with the weights of an older one."""
    model = build(profile.encoder.layout, run.config.model)
    if run.start:
        load_weights(run.start, model, index)
    return model
