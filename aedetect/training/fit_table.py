"""Fitting a model: what `aedetect train` and `Detector.fit` do."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import torch

from aedetect._version import __version__
from aedetect.config import Config
from aedetect.data.arrays import Floats, Matrix
from aedetect.engine.callbacks import Monitor
from aedetect.errors import DataError
from aedetect.io.source import Input
from aedetect.models.base import Autoencoder, standardised
from aedetect.models.ensemble import member_errors, single_threaded
from aedetect.models.registry import build
from aedetect.scoring.fitted import Fitted
from aedetect.scoring.manifest import TrainingRecord, TrainingSummary
from aedetect.scoring.table import raw_scores
from aedetect.training.checkpoint import Checkpointer
from aedetect.training.contamination import outstanding
from aedetect.training.device import pick_device
from aedetect.training.feed import Feed, MemoryFeed, StreamFeed
from aedetect.training.fit_auxiliary import fit_companion
from aedetect.training.loop import Hooks, sample, seeded, train
from aedetect.training.split import Split, StreamedSplit, TrainingRows, folds, single_split
from aedetect.training.survey import LEAST_ROWS, Survey, survey
from aedetect.training.warm_start import Start

_BUFFER_SHARE = 4
# Rows looked at for signs of hidden anomalies, and the share of them that is worth a warning.
_INSPECTED_ROWS, _LEAST_INSPECTED = 2000, 100
_NOTEWORTHY_SHARE = 0.01
# Rows that go into the model file as what normal looks like, fewer of very wide tables.
_KEPT_ROWS, _LEAST_KEPT, _MOST_KEPT_CELLS = 2048, 64, 400_000


@dataclass(frozen=True)
class _Task:
    """What one network learns from, and the rows that calibrate it."""

    feed: Feed
    held_out: Matrix
    calibration: Matrix


def fit(
    inputs: Sequence[Input],
    config: Config,
    monitor: Monitor,
    checkpoint: Path | None = None,
    resume: bool = False,
    start: Start | None = None,
) -> Fitted:
    """Fit a model on `inputs`, or with `start` go on from an older one.

    With `checkpoint`, progress is saved there, and with `resume` taken up from there. Raises
    DataError, UsageError or ModelError for what the user can repair.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    device = pick_device(config.training.device)
    monitor.stage("reading")
    found = start.survey(inputs, config) if start else survey(inputs, config)
    monitor.columns(found.schema)
    for text in found.notices:
        monitor.notice(text)
    rows = TrainingRows(inputs, found.encoder, config)
    monitor.stage("encoding")
    tasks = _plan(rows, found, config, device)
    _note_left_out(rows, found, monitor)
    if not config.training.contamination:
        _warn_of_contamination(tasks[0], found, monitor)
    monitor.stage("training")
    deadline = clock + config.training.max_time if config.training.max_time else None
    keeper = (
        Checkpointer(checkpoint, config.training.checkpoint_every, _fingerprint(config, found, start))
        if checkpoint
        else None
    )
    members, records = _train_all(tasks, found, config, device, monitor, keeper, resume, deadline, start)
    monitor.stage("learning codes and repairs")
    companion = fit_companion(
        tasks[0].feed, tasks[0].calibration, found.encoder.layout, config, device, deadline
    )
    monitor.stage("calibrating")
    with single_threaded(device):
        raw = np.concatenate(
            [
                raw_scores(member_errors(model, task.calibration, device))
                for model, task in zip(members, tasks, strict=True)
            ]
        )
    raw = presumed_normal(raw, config.training.contamination)
    summary = TrainingSummary(
        inputs=tuple(source.name for source in inputs),
        rows=found.rows - rows.infinite - rows.empty,
        rows_left_out={"labelled": found.labelled, "infinite": rows.infinite, "empty": rows.empty},
        calibration="cross-conformal" if len(tasks) > 1 else "split-conformal",
        members=tuple(records),
        device=str(device),
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 3),
        versions={"aedetect": __version__, "torch": torch.__version__, "numpy": np.__version__},
        lineage=start.lineage if start else (),
    )
    kept = min(_KEPT_ROWS, _MOST_KEPT_CELLS // found.encoder.layout.width)
    normal = sample(tasks[0].feed, max(kept, _LEAST_KEPT)).cpu().numpy()
    return Fitted(
        found.schema, found.encoder, members, raw, summary, device, normal, None, companion, rows.sketch
    )


def _plan(rows: TrainingRows, found: Survey, config: Config, device: torch.device) -> list[_Task]:
    settings = config.training
    size = found.rows * found.encoder.layout.width * 4
    if size > config.data.memory_mb << 20:
        return [_streamed_task(rows, found, config, device)]
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
        _Task(
            MemoryFeed(matrix[split.train], settings.batch_size, settings.seed + index, device),
            matrix[split.held_out],
            matrix[split.calibration],
        )
        for index, split in enumerate(splits)
    ]


def _streamed_task(rows: TrainingRows, found: Survey, config: Config, device: torch.device) -> _Task:
    settings = config.training
    split = StreamedSplit(found.rows, settings.seed)
    kept = [(held_out, calibration) for _, held_out, calibration in split.parts(rows.blocks())]
    held_out, calibration = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    width = found.encoder.layout.width
    feed = StreamFeed(
        lambda: (block for block, _, _ in split.parts(rows.blocks())),
        found.rows - len(held_out) - len(calibration),
        (config.data.memory_mb << 20) // (_BUFFER_SHARE * 4 * width),
        settings.batch_size,
        settings.seed,
        device,
    )
    return _Task(feed, held_out, calibration)


def _train_all(
    tasks: Sequence[_Task],
    found: Survey,
    config: Config,
    device: torch.device,
    monitor: Monitor,
    keeper: Checkpointer | None,
    resume: bool,
    deadline: float | None,
    start: Start | None,
) -> tuple[list[Autoencoder], list[TrainingRecord]]:
    layout = found.encoder.layout
    pending = keeper.load(device) if keeper and resume else None
    members: list[Autoencoder] = []
    records: list[TrainingRecord] = []
    for index, task in enumerate(tasks):
        seed = member_seed(config.training.seed, index)
        with seeded(seed, device), single_threaded(device):
            model = build(layout, config.model).to(device)
            if keeper and index < len(keeper.finished):
                model.load_state_dict(keeper.finished[index])
                members.append(model.eval())
                records.append(keeper.records[index])
                continue
            if start:
                start.load_weights(model, index)
            hooks = Hooks(
                partial(monitor.training, index, len(tasks)),
                keeper.offer if keeper else (lambda _: None),
            )
            held_out = torch.from_numpy(task.held_out).to(device)
            share = None
            if deadline is not None:
                now = time.monotonic()
                share = now + max(deadline - now, 0.0) / (len(tasks) - index)
            record = train(
                model, task.feed, held_out, config.training, hooks, seed=seed, deadline=share, resume=pending
            )
            pending = None
        members.append(model)
        records.append(record)
        if keeper:
            keeper.member_done(model.state_dict(), record)
    return members, records


def presumed_normal(raw: Floats, contamination: float | str) -> Floats:
    """The scores without the highest ones, where the user said what share of the rows are anomalies.

    Where they only may be, all are kept: the threshold then errs towards fewer false alarms.
    """
    if not isinstance(contamination, float):
        return raw
    return np.sort(raw)[: max(1, len(raw) - round(contamination * len(raw)))]


def _warn_of_contamination(task: _Task, found: Survey, monitor: Monitor) -> None:
    rows = sample(task.feed, _INSPECTED_ROWS)
    if len(rows) < _LEAST_INSPECTED:
        return
    share = outstanding(standardised(rows, found.encoder.layout))
    if share >= _NOTEWORTHY_SHARE:
        monitor.notice(
            f"about {share:.1%} of the training rows lie well apart from the rest; "
            "if anomalies may hide among them, train with --contamination auto"
        )


def member_seed(seed: int, index: int) -> int:
    return int(np.random.SeedSequence((seed, index)).generate_state(1, np.uint32)[0])


def _fingerprint(config: Config, found: Survey, start: Start | None) -> str:
    told = config.model_dump_json(exclude={"threshold": True, "scoring": True})
    parts = (told, found.schema.model_dump_json(), str(found.rows), found.encoder.state.model_dump_json())
    digest = hashlib.sha256("\n".join(parts).encode())
    if start:
        digest.update(start.sha256.encode())
    for values in found.encoder.statistics().values():
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _note_left_out(rows: TrainingRows, found: Survey, monitor: Monitor) -> None:
    for count, why in (
        (rows.infinite, "with a number that is infinite or beyond 3.4e38"),
        (rows.empty, "without any value"),
        (found.labelled, "labelled as anomalies"),
    ):
        if count:
            monitor.notice(f"left out of training: {count:,} row{'s' * (count != 1)} {why}")
