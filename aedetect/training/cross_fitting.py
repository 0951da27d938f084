"""Learning from all rows of a table, and still judging each by what has not learned it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from aedetect.config import TrainingConfig
from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.models.base import REFERENCE_ROWS, Autoencoder, CrossFitted
from aedetect.models.layers import standardised
from aedetect.models.registry import build
from aedetect.models.threads import single_threaded
from aedetect.training.checkpoint import Checkpointer
from aedetect.training.contamination import outlier_candidates
from aedetect.training.feed import Feed, MemoryFeed
from aedetect.training.folds import Part
from aedetect.training.labelled import labelled_anomalies
from aedetect.training.loop import Hooks, rows_a_step, sample, seeded, train
from aedetect.training.members import MemberTask, TrainedNetworks, member_seed, train_members
from aedetect.training.older_weights import load_weights
from aedetect.training.profiling import TrainingProfile
from aedetect.training.request import TrainingRun
from aedetect.training.split import single_split

_MOST_VALIDATION = 1024
_JUDGE_BATCH = 512
# Networks side by side, of which each leaves out a fold of a small table; more bring nothing.
_NETWORKS = 3


@dataclass(frozen=True)
class CrossFit:
    """Who learns from which rows.

    `feed` has the rows as they are; `batches` gives those of training, with a mark for each of several
    networks; `validation` are rows to stop early by, marked for the network that has not learned them.
    `rows` [rows, features] are in random order; `folds` [rows] is the number of the network that has not
    learned a row, or -1; `row_groups` [rows] that of the group of each row with such a network.
    """

    feed: Feed
    batches: Feed
    validation: Matrix
    rows: Matrix
    folds: Integers
    networks: int
    row_groups: Integers

    @classmethod
    def of_matrix(
        cls, matrix: Matrix, settings: TrainingConfig, device: torch.device, groups: Integers | None = None
    ) -> CrossFit:
        """Of a table in memory: a small one is learned from and calibrates as a whole.

        `groups` [rows]: those of its rows.
        """
        groups = np.zeros(len(matrix), np.int64) if groups is None else groups
        if len(matrix) >= settings.fold_below:
            split = single_split(len(matrix), settings.seed)
            size = rows_a_step(len(split.train), settings, device)
            feed = MemoryFeed(matrix, size, settings.seed, device, split.train)
            calibration = matrix[split.calibration], groups[split.calibration]
            return cls.of_part(Part(feed, matrix[split.validation], *calibration), settings)
        order = np.random.default_rng(settings.seed).permutation(len(matrix))
        rows, networks = matrix[order], min(settings.folds or _NETWORKS, len(matrix))
        folds = np.arange(len(rows)) % networks
        left_out = np.eye(networks, dtype=np.float32)[folds]
        marked = np.concatenate([rows, 1 - left_out], axis=1)
        return cls(
            feed=MemoryFeed(rows, settings.batch_size, settings.seed, device),
            batches=MemoryFeed(marked, settings.batch_size, settings.seed, device),
            validation=np.concatenate([rows, left_out], axis=1)[:_MOST_VALIDATION],
            rows=rows,
            folds=folds,
            networks=networks,
            row_groups=groups[order],
        )

    @classmethod
    def of_part(cls, part: Part, settings: TrainingConfig) -> CrossFit:
        """Of many rows: one network, a sample of those it learns from, and rows that calibrate it."""
        learned = np.concatenate([sample(part.feed, REFERENCE_ROWS).cpu().numpy(), part.validation])
        rows = np.concatenate([part.calibration, learned[:REFERENCE_ROWS]])
        folds = np.where(np.arange(len(rows)) < len(part.calibration), 0, -1)
        order = np.random.default_rng(settings.seed).permutation(len(rows))
        groups = np.concatenate([part.groups, np.zeros(len(rows) - len(part.groups), np.int64)])
        return cls(part.feed, part.feed, part.validation, rows[order], folds[order], 1, groups[order])

    @property
    def calibration(self) -> Matrix:
        """No others: all are learned from."""
        return self.rows[:0]

    @property
    def calibrating(self) -> Matrix:
        return self.rows[self.folds >= 0]

    @property
    def groups(self) -> Integers:
        return self.row_groups[self.folds >= 0]

    def fit(self, run: TrainingRun, profile: TrainingProfile, checkpointer: Checkpointer) -> TrainedNetworks:
        """Train the networks as one, then fit what needs no steps."""
        validation = torch.from_numpy(self.validation).to(run.device)
        seed = member_seed(run.config.training.seed, 0)
        task: MemberTask[Autoencoder] = MemberTask(
            partial(self._built, run, profile), self.batches, validation, seed
        )
        (model,), records = train_members(run, [task], 1, checkpointer, after=1)
        assert isinstance(model, CrossFitted)
        run.callback.stage("calibrating")
        scores = self._finish(model, run, profile)
        return TrainedNetworks([model.settled()], records, scores, self.networks > 1)

    def _built(self, run: TrainingRun, profile: TrainingProfile) -> CrossFitted:
        model = build(profile.encoder.layout, run.config.model)
        assert isinstance(model, CrossFitted)
        model = model.to(run.device)
        model.prepare(sample(self.feed, REFERENCE_ROWS), self.networks)
        if run.start:
            load_weights(run.start, model, 0)
        return model

    def _finish(self, model: CrossFitted, run: TrainingRun, profile: TrainingProfile) -> Floats:
        """Unscaled scores [calibration rows] as if these rows had not been learned."""
        config, device = run.config, run.device
        anomalies = labelled_anomalies(
            run.request.inputs, profile.encoder, config, run.request.known_anomalies, run.request.workers
        )
        rows = torch.from_numpy(self.rows).to(device)
        folds = torch.from_numpy(self.folds).to(device)
        candidates = torch.zeros(len(rows), dtype=torch.bool, device=device)
        seed = member_seed(config.training.seed, 1)
        with seeded(seed, device), single_threaded(device.type):
            with torch.no_grad():
                if config.training.contamination:
                    candidates = outlier_candidates(standardised(rows, model.layout))
                held_out = model.fit_parts(rows, folds, candidates)
                pairs = model.judge_rows(rows[~candidates], held_out)
            settings = config.training.model_copy(update={"contamination": 0.0})
            feed = MemoryFeed(pairs.cpu().numpy(), _JUDGE_BATCH, seed, device)
            hooks = Hooks(lambda progress: run.callback.steps(progress.step, progress.steps))
            # Half of what time is left: the networks for other jobs follow.
            deadline = run.deadline_of_next(2)
            train(model.judge, feed, pairs[:_MOST_VALIDATION], settings, hooks, seed=seed, deadline=deadline)
            with torch.no_grad():
                scores = model.eval().fit_scores(held_out, torch.from_numpy(anomalies).to(device))
        return np.asarray(scores.double().cpu().numpy())
