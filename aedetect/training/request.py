"""What is asked of a training, where and until when it computes, and what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aedetect._version import __version__
from aedetect.config import Config
from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.data.features import FeatureEncoder
from aedetect.data.reference import Sketch
from aedetect.engine.callbacks import Callback
from aedetect.engine.cluster import Here, Workers
from aedetect.errors import UsageError
from aedetect.io.source import Input
from aedetect.models.device import check_double_precision, pick_device
from aedetect.models.evaluation.heads import AuxiliaryHeads
from aedetect.scoring.feedback_store import Note
from aedetect.scoring.fitted import FittedModel, SeriesParts
from aedetect.scoring.manifest import TrainingRecord, TrainingSummary
from aedetect.training.checkpoint import Checkpointer
from aedetect.training.planned_rows import PlanRequest, planned_rows
from aedetect.training.warm_start import Start

_NOTHING_TO_RESUME = (
    "there is nothing to resume: this architecture learns in one pass and keeps no checkpoints; "
    "training starts from the beginning"
)


@dataclass(frozen=True)
class FitRequest:
    """A model to fit on `inputs`; with `older`, from its weights on, with its columns and scaling.

    Progress is saved in the file `checkpoint`, and with `resume` taken up from there. `planned`: rows that
    are left out. `notes`: what people said of rows. `known_anomalies`: inputs of rows that are, beside the
    labelled ones. `workers`: who passes over the rows; networks learn in this process. `passing`: whether the
    model is only to score a few rows, and needs no auxiliary networks.
    """

    inputs: Sequence[Input]
    config: Config
    callback: Callback = field(default_factory=Callback)
    checkpoint: Path | None = None
    resume: bool = False
    older: FittedModel | None = None
    planned: PlanRequest = field(default_factory=PlanRequest)
    notes: Sequence[Note] = ()
    known_anomalies: Sequence[Input] = ()
    workers: Workers = field(default_factory=Here)
    passing: bool = False


@dataclass(frozen=True)
class TrainingRun:
    """A request being carried out. `deadline` is on time.monotonic's clock, as is `clock`, its beginning."""

    request: FitRequest
    config: Config
    start: Start | None
    device: torch.device
    started: datetime
    clock: float
    deadline: float | None

    @classmethod
    def begin(cls, request: FitRequest) -> TrainingRun:
        """From now on time counts. Raises UsageError for what the settings rule out."""
        older, config = request.older, request.config
        check_double_precision(config.training.device, "training needs")
        if config.data.group and config.series.time is not None:
            raise UsageError(
                f"--group {config.data.group[0]} goes with tables; of time series, --entity "
                f"{config.data.group[0]} sees each one relative to itself"
            )
        if older is not None:
            data = config.data.model_copy(update={"group": older.config.data.group})
            config = config.model_copy(update={"model": older.config.model, "data": data})
            if config.series.time is not None:
                raise UsageError("--from goes with tables; a model of time series is retrained")
        if request.resume and request.checkpoint is None:
            raise UsageError("resuming needs the checkpoint that an interrupted training left; name its file")
        clock = time.monotonic()
        return cls(
            request=request,
            config=config,
            start=Start.of(older, "trained on") if older is not None else None,
            device=torch.device(pick_device(config.training.device)),
            started=datetime.now(UTC),
            clock=clock,
            deadline=clock + config.training.max_time if config.training.max_time else None,
        )

    @property
    def callback(self) -> Callback:
        return self.request.callback

    def checkpointer(self, fingerprint: Callable[[], str]) -> Checkpointer:
        """Where progress is kept; `fingerprint` names what is learned from; asked where needed."""
        path = self.request.checkpoint
        name = fingerprint() if path is not None else ""
        return Checkpointer(path, self.config.training.checkpoint_every, name)

    def note_resuming(self, checkpointer: Checkpointer, keeps_any: bool = True) -> None:
        """Tell that there is nothing to resume; `keeps_any`: whether the architecture keeps checkpoints."""
        if not self.request.resume or checkpointer.has_checkpoint:
            return
        self.callback.notice(
            f"{checkpointer.path}: there is no such checkpoint to resume from; training starts anew"
            if keeps_any
            else _NOTHING_TO_RESUME
        )

    def deadline_of_next(self, waiting: int) -> float | None:
        """When the next of `waiting` networks must be done: what time is left is shared equally."""
        if self.deadline is None:
            return None
        now = time.monotonic()
        return now + max(self.deadline - now, 0.0) / waiting

    def summary(self, learned: Learned) -> TrainingSummary:
        """How the model came to be, up to now."""
        return TrainingSummary(
            inputs=tuple(source.name for source in self.request.inputs),
            rows=learned.rows,
            rows_left_out={**learned.rows_left_out, **planned_rows(self.request.inputs)},
            calibration="cross-conformal" if learned.folded else "split-conformal",
            members=tuple(learned.records),
            device=str(self.device),
            started=self.started.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - self.clock, 3),
            versions={"aedetect": __version__, "torch": torch.__version__, "numpy": np.__version__},
            lineage=self.start.lineage if self.start else (),
        )


@dataclass(frozen=True)
class Learned:
    """What learning from a table or from series comes to.

    `members` are the evaluation passes of the networks, with a record each, `scores` those of the calibration
    set, unscaled [rows], and `folded` says whether each row was scored by the one network that never saw it
    (cross-conformal). `rows` were learned from or calibrated with; `rows_left_out` counts the
    others, by reason. `normal_rows` [rows, features] show what is normal. `encoder`: that of the
    first pass, where what was learned has changed it. `beyond`: what a changed constant adds to a score,
    unscaled, where some of `scores` are of such rows. `groups` [rows]: those of the rows with `scores`; None
    for series.
    """

    members: Sequence[Any]
    records: Sequence[TrainingRecord]
    scores: Floats
    folded: bool
    rows: int
    rows_left_out: Mapping[str, int]
    normal_rows: Matrix
    sketch: Sketch | None
    series: SeriesParts | None = None
    heads: AuxiliaryHeads | None = None
    encoder: FeatureEncoder | None = None
    beyond: float | None = None
    groups: Integers | None = None
