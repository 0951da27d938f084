"""Learning from a table: one network or a few folds of rows, and the auxiliary networks."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Protocol

from aedetect.data.arrays import Integers, Matrix
from aedetect.errors import DataError
from aedetect.models.evaluation.heads import AuxiliaryHeads
from aedetect.models.layers import standardised
from aedetect.models.registry import is_cross_fitted
from aedetect.training.checkpoint import Checkpointer
from aedetect.training.contamination import LEAST_APART, contamination_estimate
from aedetect.training.cross_fitting import CrossFit
from aedetect.training.feed import Feed, MemoryFeed
from aedetect.training.fit_auxiliary import fit_auxiliary_heads
from aedetect.training.folds import Folds
from aedetect.training.left_out import EMPTY, INFINITE, labelled_notice, left_out_notice
from aedetect.training.lone_values import LoneValues
from aedetect.training.loop import sample
from aedetect.training.members import TrainedNetworks
from aedetect.training.profiling import LEAST_ROWS, TrainingProfile
from aedetect.training.request import Learned, TrainingRun
from aedetect.training.split import TrainingRows

_BYTES_A_MB = 1 << 20
# Rows looked at for signs of hidden anomalies.
_INSPECTED_ROWS, _LEAST_INSPECTED = 2000, 100
# Of groups, tables of fewer rows than this are calibrated with all of them: a fifth leaves the smaller groups
# without a threshold of their own.
_FOLDED_BY_GROUP = 20_000
# Rows that go into the model file as what normal looks like, fewer of very wide tables.
_KEPT_ROWS, _LEAST_KEPT, _MOST_KEPT_CELLS = 2048, 64, 400_000


class Plan(Protocol):
    """Who learns from which rows of a table, and who is calibrated with which.

    `feed` has rows that networks learn from, `calibration` [rows, features] others, if there are any.
    `calibrating` [rows, features] are the rows that `fit` gives the scores of, `groups` [rows] theirs.
    """

    @property
    def feed(self) -> Feed: ...

    @property
    def calibration(self) -> Matrix: ...

    @property
    def calibrating(self) -> Matrix: ...

    @property
    def groups(self) -> Integers: ...

    def fit(
        self, run: TrainingRun, profile: TrainingProfile, checkpointer: Checkpointer
    ) -> TrainedNetworks: ...


def fit_table(run: TrainingRun, profile: TrainingProfile) -> Learned:
    """Networks, and the scores of the rows that calibrate them.

    Raises DataError, UsageError or ModelError for what the user can repair.
    """
    rows = TrainingRows(run.request.inputs, profile.encoder, run.config, run.request.workers)
    run.callback.stage("encoding")
    plan, lone = _plan(run, rows, profile)
    _note_left_out(run, rows, profile)
    _note_rows_elsewhere(run, plan.feed)
    if not run.config.training.contamination:
        _warn_of_contamination(run, plan.feed, profile)
    run.callback.stage("training")
    checkpointer = run.checkpointer(partial(_fingerprint, run, profile))
    run.note_resuming(checkpointer)
    networks = plan.fit(run, profile, checkpointer)
    scores, beyond = lone.counted(networks.scores, plan.calibrating)
    heads = None if run.request.passing else _heads(run, plan, profile)
    width = profile.encoder.layout.width
    normal_row_count = max(min(_KEPT_ROWS, _MOST_KEPT_CELLS // width), _LEAST_KEPT)
    return Learned(
        members=networks.members,
        records=networks.records,
        scores=scores,
        folded=networks.folded,
        rows=profile.rows - rows.infinite - rows.empty,
        rows_left_out={"labelled": profile.labelled, "infinite": rows.infinite, "empty": rows.empty},
        normal_rows=sample(plan.feed, normal_row_count).cpu().numpy(),
        sketch=rows.sketch,
        heads=heads,
        beyond=beyond,
        groups=plan.groups,
    )


def _heads(run: TrainingRun, plan: Plan, profile: TrainingProfile) -> AuxiliaryHeads:
    """The networks behind codes, repairs and new rows."""
    run.callback.stage("learning codes and repairs")
    layout, columns = profile.encoder.layout, profile.schema.columns
    learned = sum(column.is_learned for column in columns)
    return fit_auxiliary_heads(
        plan.feed, plan.calibration, layout, run.config, run.device, learned, run.deadline, run.callback
    )


def _plan(run: TrainingRun, rows: TrainingRows, profile: TrainingProfile) -> tuple[Plan, LoneValues]:
    crossed = is_cross_fitted(profile.encoder.layout, run.config.model)
    most = max(LEAST_ROWS, run.config.data.memory_mb * _BYTES_A_MB // (4 * profile.encoder.layout.width))
    sampled = profile.rows > most
    matrix, groups = rows.matrix(min(most, profile.rows), profile.rows)
    if len(matrix) < LEAST_ROWS:
        raise DataError(
            f"{rows.inputs[0].name}: {len(matrix)} usable rows remain; training needs at least {LEAST_ROWS}"
        )
    if sampled:
        run.callback.remark(
            f"{len(matrix):,} of {profile.rows:,} rows, drawn by chance, are learned from: as many as "
            f"data.memory_mb ({run.config.data.memory_mb:,}) has room for"
        )
    settings = run.config.training
    if crossed and profile.encoder.groups is not None and "fold_below" not in settings.model_fields_set:
        settings = settings.model_copy(update={"fold_below": max(settings.fold_below, _FOLDED_BY_GROUP)})
    plan = (CrossFit if crossed else Folds).of_matrix(matrix, settings, run.device, groups)
    # One row is nothing among so many that not all are learned from.
    return plan, LoneValues.none() if sampled else LoneValues.of(matrix)


def _warn_of_contamination(run: TrainingRun, feed: Feed, profile: TrainingProfile) -> None:
    rows = sample(feed, _INSPECTED_ROWS)
    if len(rows) < _LEAST_INSPECTED:
        return
    layout = profile.encoder.layout
    values = standardised(rows, layout)[:, : layout.numeric]
    share = contamination_estimate(values, rows[:, : layout.numeric].double().sinh())
    if share >= LEAST_APART:
        run.callback.notice(
            f"about {share:.1%} of the training rows lie well apart from the rest; "
            "if anomalies may hide among them, train with --contamination auto"
        )


def _note_left_out(run: TrainingRun, rows: TrainingRows, profile: TrainingProfile) -> None:
    for count, why, first in (
        (rows.infinite, INFINITE, rows.first_infinite),
        (rows.empty, EMPTY, rows.first_empty),
    ):
        if count:
            run.callback.notice(left_out_notice(count, why, first))
    if profile.labelled:
        run.callback.notice(labelled_notice(profile.labelled, rows.inputs, run.config, rows.workers))


def _note_rows_elsewhere(run: TrainingRun, feed: Feed) -> None:
    if isinstance(feed, MemoryFeed) and not feed.resident:
        run.callback.notice(
            "the training rows do not fit into the memory of the GPU and stay in main memory, which is slower"
        )


def _fingerprint(run: TrainingRun, profile: TrainingProfile) -> str:
    digest = hashlib.sha256(profile.fingerprint(run.config).encode())
    if run.start:
        digest.update(run.start.sha256.encode())
    return digest.hexdigest()
