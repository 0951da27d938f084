"""The training loop: step, evaluate, fit. Every model and every feed goes through it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from aedetect.config import TrainingConfig
from aedetect.engine.callbacks import Progress
from aedetect.errors import DataError
from aedetect.models.base import REFERENCE_ROWS, Model
from aedetect.scoring.manifest import TrainingRecord
from aedetect.training.contamination import suspects
from aedetect.training.feed import Feed
from aedetect.training.optimizer import FlatAdamW

LEAST_STEPS, MOST_STEPS = 1000, 2000
# Networks of more weights, on very wide rows, learn about as much in fewer steps, each of which takes longer.
MANY_WEIGHTS, LEAST_WIDE_STEPS = 200_000, 400
EPOCHS = 40
EVALUATIONS = 20
_WARMUP_SHARE = 0.05
# Anomalies are recognised by their loss only once the network knows the normal rows a little.
_TRIM_AFTER_SHARE = 0.2
_EVALUATED_ROWS = 4096
# With contamination of unknown extent, the share of a batch that no step learns from.
AUTO_TRIM = 0.05


@dataclass
class LoopState:
    """Where a run stands. With the weights and the optimizer's state, all that resuming needs."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    recent_loss: float = 0.0
    best_step: int = 0
    best_loss: float = math.inf
    history: list[tuple[int, float, float]] = field(default_factory=list)


@dataclass
class Snapshot:
    """A run frozen after an evaluation: its state, its vectors of weights, the random generators."""

    state: LoopState
    tensors: dict[str, Tensor]
    random: dict[str, Tensor]


@dataclass(frozen=True)
class Hooks:
    """What the loop reports to; both are called after each evaluation."""

    progress: Callable[[Progress], None] = lambda _: None
    snapshot: Callable[[Callable[[], Snapshot]], None] = lambda _: None


def planned_steps(rows: int, weights: int, config: TrainingConfig) -> int:
    """Steps of a whole run: as many epochs as asked for, or a number sized to the data and the network."""
    per_epoch = math.ceil(rows / config.batch_size)
    if config.epochs is not None:
        return config.epochs * per_epoch
    least = max(LEAST_STEPS * MANY_WEIGHTS // max(weights, MANY_WEIGHTS), LEAST_WIDE_STEPS)
    return min(max(EPOCHS * per_epoch, least), MOST_STEPS)


def train(
    model: Model,
    feed: Feed,
    held_out: Tensor,
    config: TrainingConfig,
    hooks: Hooks,
    *,
    seed: int,
    deadline: float | None = None,
    resume: Snapshot | None = None,
) -> TrainingRecord:
    """Fit `model` in place, ending with the averaged weights that did best on `held_out` rows.

    `held_out` [rows, features], or windows [windows, steps, channels], lies on the training
    device. `deadline` is on time.monotonic's clock. The global random generator is the
    caller's: seed it before.
    Raises DataError where the loss is no longer finite.
    """
    trim = config.contamination if isinstance(config.contamination, float) else AUTO_TRIM
    if not any(True for _ in model.parameters()):
        _fit_score_normalisation(model, feed, held_out, trim)
        return TrainingRecord(rows=feed.rows, steps=0, best_step=0, stopped="planned", history=())
    optimizer = FlatAdamW(model, config.weight_decay, config.gradient_clip)
    steps = planned_steps(feed.rows, optimizer.weights.numel(), config)
    every = max(steps // EVALUATIONS, 1)
    best = optimizer.average.clone()
    state = LoopState()
    if resume:
        state = resume.state
        best.copy_(resume.tensors.pop("best"))
        optimizer.restore(resume.tensors, state.step)
        _restore_random(resume.random, held_out.device)
    stopped = "planned"
    for batch in _batches(feed, state):
        loss = _objective(model, batch, trim if state.step >= _TRIM_AFTER_SHARE * steps else 0.0)
        optimizer.step(loss, config.learning_rate * _schedule(state.step / steps))
        state.step += 1
        state.recent_loss += (loss.item() - state.recent_loss) / min(state.step, every)
        out_of_time = deadline is not None and time.monotonic() > deadline
        if not (state.step % every == 0 or state.step >= steps or out_of_time):
            continue
        value = _evaluate(model, optimizer, held_out, trim, seed)
        if not (math.isfinite(value) and math.isfinite(state.recent_loss)):
            raise DataError(
                "training diverged: the loss is no longer finite; try a lower training.learning_rate"
            )
        state.history.append((state.step, state.recent_loss, value))
        if value < state.best_loss:
            state.best_loss, state.best_step = value, state.step
            best.copy_(optimizer.average)
        hooks.progress(Progress(state.step, steps, state.recent_loss, value))
        if out_of_time:
            stopped = "out of time"
        elif sum(step > state.best_step for step, _, _ in state.history) >= config.patience:
            stopped = "early"
        if stopped != "planned" or state.step >= steps:
            break
        hooks.snapshot(
            lambda: Snapshot(state, {**optimizer.state(), "best": best}, _random_state(held_out.device))
        )
    optimizer.load(best)
    _fit_score_normalisation(model, feed, held_out, trim)
    return TrainingRecord(
        rows=feed.rows,
        steps=state.step,
        best_step=state.best_step,
        stopped=stopped,
        history=tuple(state.history),
    )


def _fit_score_normalisation(model: Model, feed: Feed, held_out: Tensor, trim: float) -> None:
    model.eval()
    with torch.no_grad():
        learned = sample(feed, REFERENCE_ROWS)
        suspect = torch.zeros(len(learned), dtype=torch.bool, device=learned.device)
        if trim:
            suspect = suspects(model.vectors(learned))
        model.fit_score_normalisation(held_out, learned, suspect)


def sample(feed: Feed, size: int) -> Tensor:
    """At most `size` rows from the start of the first epoch: a random draw, in memory as in a stream."""
    taken: list[Tensor] = []
    for batch in feed.epoch(0):
        taken.append(batch)
        if sum(len(part) for part in taken) >= size:
            break
    return torch.cat(taken)[:size]


def _batches(feed: Feed, state: LoopState) -> Iterator[Tensor]:
    """Endless batches from where `state` stands; a resumed epoch skips what it has seen."""
    while True:
        for index, batch in enumerate(feed.epoch(state.epoch)):
            if index >= state.batch:
                state.batch = index + 1
                yield batch
        state.epoch, state.batch = state.epoch + 1, 0


def _objective(model: Model, batch: Tensor, trim: float) -> Tensor:
    kept = _trimmed(model, batch, trim)
    model.train()
    return _row_losses(model, kept).mean()


def _trimmed(model: Model, rows: Tensor, share: float) -> Tensor:
    """Least trimmed squares (Rousseeuw, 1984): without the rows that fit worst, which may be anomalies.

    Rows are ranked by their error in evaluation mode, which no random noise blurs.
    """
    if not share or len(rows) < 2:
        return rows
    kept = max(1, len(rows) - math.ceil(share * len(rows)))
    model.eval()
    with torch.no_grad():
        return rows[model.errors(rows).flatten(1).mean(dim=1).topk(kept, largest=False).indices]


def _row_losses(model: Model, batch: Tensor) -> Tensor:
    with torch.autocast(batch.device.type, torch.bfloat16, enabled=batch.device.type == "cuda"):
        errors = model.errors(batch)
        penalty = model.penalty(batch)
    losses = errors.float().flatten(1).mean(dim=1)
    return losses if penalty is None else losses + penalty.float()


def _evaluate(model: Model, optimizer: FlatAdamW, held_out: Tensor, trim: float, seed: int) -> float:
    """The objective of the averaged weights on held-out rows, under the same noise every time."""
    weights = optimizer.weights.clone()
    optimizer.load(optimizer.average)
    rows = _trimmed(model, held_out, trim)
    model.train()
    with torch.no_grad(), seeded(seed, held_out.device):
        losses = torch.cat(
            [
                _row_losses(model, rows[start : start + _EVALUATED_ROWS])
                for start in range(0, len(rows), _EVALUATED_ROWS)
            ]
        )
    optimizer.load(weights)
    return losses.mean().item()


def _schedule(done: float) -> float:
    """Linear warm-up, then a cosine down to 2% (Loshchilov & Hutter, 2017)."""
    if done < _WARMUP_SHARE:
        return 0.05 + 0.95 * done / _WARMUP_SHARE
    turn = (done - _WARMUP_SHARE) / (1 - _WARMUP_SHARE)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(turn, 1.0)))


def _random_state(device: torch.device) -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def _restore_random(states: dict[str, Tensor], device: torch.device) -> None:
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's global generators, set to `seed` inside and as they were after."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
