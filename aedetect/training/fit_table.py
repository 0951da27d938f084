"""Learning from a table: one network or a few folds of rows, and the auxiliary networks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from aedetect.data.arrays import Floats, Matrix
from aedetect.errors import DataError
from aedetect.models.base import Autoencoder
from aedetect.models.ensemble import member_errors, single_threaded
from aedetect.models.layers import standardised
from aedetect.models.registry import build
from aedetect.scoring.table import raw_scores
from aedetect.training.contamination import contamination_estimate
from aedetect.training.feed import Feed, MemoryFeed, StreamFeed
from aedetect.training.fit_auxiliary import fit_auxiliary_heads
from aedetect.training.loop import sample
from aedetect.training.members import MemberTask, member_seed, train_members
from aedetect.training.profiling import LEAST_ROWS, TrainingProfile
from aedetect.training.request import Learned, TrainingRun
from aedetect.training.split import Split, StreamedSplit, TrainingRows, folds, single_split

_BUFFER_SHARE = 4
# Rows looked at for signs of hidden anomalies, and the share of them that is worth a warning.
_INSPECTED_ROWS, _LEAST_INSPECTED = 2000, 100
_NOTEWORTHY_SHARE = 0.01
# Rows that go into the model file as what normal looks like, fewer of very wide tables.
_KEPT_ROWS, _LEAST_KEPT, _MOST_KEPT_CELLS = 2048, 64, 400_000


@dataclass(frozen=True)
class _Part:
    """What one network learns from, and its validation and calibration sets [rows, features]."""

    feed: Feed
    validation: Matrix
    calibration: Matrix


def fit_table(run: TrainingRun, profile: TrainingProfile) -> Learned:
    """Networks, and the scores of the rows that calibrate them.

    Raises DataError, UsageError or ModelError for what the user can repair.
    """
    rows = TrainingRows(run.request.inputs, profile.encoder, run.config)
    run.callback.stage("encoding")
    parts = _parts(run, rows, profile)
    _note_left_out(run, rows, profile)
    if not run.config.training.contamination:
        _warn_of_contamination(run, parts[0], profile)
    run.callback.stage("training")
    checkpointer = run.checkpointer(partial(_fingerprint, run, profile))
    members, records = train_members(run, _tasks(run, parts, profile), len(parts), checkpointer)
    run.callback.stage("learning codes and repairs")
    layout, first = profile.encoder.layout, parts[0]
    heads = fit_auxiliary_heads(first.feed, first.calibration, layout, run.config, run.device, run.deadline)
    run.callback.stage("calibrating")
    normal_row_count = max(min(_KEPT_ROWS, _MOST_KEPT_CELLS // layout.width), _LEAST_KEPT)
    return Learned(
        members=members,
        records=records,
        scores=_calibration_scores(run, members, parts),
        folded=len(parts) > 1,
        rows=profile.rows - rows.infinite - rows.empty,
        rows_left_out={"labelled": profile.labelled, "infinite": rows.infinite, "empty": rows.empty},
        normal_rows=sample(first.feed, normal_row_count).cpu().numpy(),
        sketch=rows.sketch,
        heads=heads,
    )


def _parts(run: TrainingRun, rows: TrainingRows, profile: TrainingProfile) -> list[_Part]:
    settings = run.config.training
    size = profile.rows * profile.encoder.layout.width * 4
    if size > run.config.data.memory_mb << 20:
        return [_streamed_part(run, rows, profile)]
    matrix = rows.matrix()
    if len(matrix) < LEAST_ROWS:
        raise DataError(
            f"{rows.inputs[0].name}: {len(matrix)} usable rows remain; training needs at least {LEAST_ROWS}"
        )
    splits: list[Split] = (
        folds(len(matrix), settings.folds, settings.seed)
        if len(matrix) < settings.fold_below
        else [single_split(len(matrix), settings.seed)]
    )
    return [
        _Part(
            MemoryFeed(matrix[split.train], settings.batch_size, settings.seed + index, run.device),
            matrix[split.validation],
            matrix[split.calibration],
        )
        for index, split in enumerate(splits)
    ]


def _streamed_part(run: TrainingRun, rows: TrainingRows, profile: TrainingProfile) -> _Part:
    settings = run.config.training
    split = StreamedSplit(profile.rows, settings.seed)
    held_out = [(validation, calibration) for _, validation, calibration in split.parts(rows.blocks())]
    validation, calibration = (np.concatenate(sets) for sets in zip(*held_out, strict=True))
    width = profile.encoder.layout.width
    feed = StreamFeed(
        lambda: (block for block, _, _ in split.parts(rows.blocks())),
        profile.rows - len(validation) - len(calibration),
        (run.config.data.memory_mb << 20) // (_BUFFER_SHARE * 4 * width),
        settings.batch_size,
        settings.seed,
        run.device,
    )
    return _Part(feed, validation, calibration)


def _tasks(
    run: TrainingRun, parts: Sequence[_Part], profile: TrainingProfile
) -> Iterator[MemberTask[Autoencoder]]:
    for index, part in enumerate(parts):
        validation = torch.from_numpy(part.validation).to(run.device)
        seed = member_seed(run.config.training.seed, index)
        yield MemberTask(partial(_built, run, profile, index), part.feed, validation, seed)


def _built(run: TrainingRun, profile: TrainingProfile, index: int) -> Autoencoder:
    """Network `index` as its training begins: fresh, or with the weights of an older one."""
    model = build(profile.encoder.layout, run.config.model)
    if run.start:
        run.start.load_weights(model, index)
    return model


def _calibration_scores(run: TrainingRun, members: Sequence[Autoencoder], parts: Sequence[_Part]) -> Floats:
    """Unscaled scores [rows] of each part's calibration set by the network that never saw it."""
    with single_threaded(run.device):
        scores = [
            raw_scores(member_errors(model, part.calibration, run.device))
            for model, part in zip(members, parts, strict=True)
        ]
    return np.concatenate(scores)


def _warn_of_contamination(run: TrainingRun, part: _Part, profile: TrainingProfile) -> None:
    rows = sample(part.feed, _INSPECTED_ROWS)
    if len(rows) < _LEAST_INSPECTED:
        return
    share = contamination_estimate(standardised(rows, profile.encoder.layout))
    if share >= _NOTEWORTHY_SHARE:
        run.callback.notice(
            f"about {share:.1%} of the training rows lie well apart from the rest; "
            "if anomalies may hide among them, train with --contamination auto"
        )


def _note_left_out(run: TrainingRun, rows: TrainingRows, profile: TrainingProfile) -> None:
    for count, why in (
        (rows.infinite, "with a number that is infinite or beyond 3.4e38"),
        (rows.empty, "without any value"),
        (profile.labelled, "labelled as anomalies"),
    ):
        if count:
            run.callback.notice(f"left out of training: {count:,} row{'s' * (count != 1)} {why}")


def _fingerprint(run: TrainingRun, profile: TrainingProfile) -> str:
    digest = hashlib.sha256(profile.fingerprint(run.config).encode())
    if run.start:
        digest.update(run.start.sha256.encode())
    return digest.hexdigest()
