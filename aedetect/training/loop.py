"""The training loop: step, evaluate, fit. Every model and every feed goes through it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from aedetect.config import TrainingConfig
from aedetect.errors import DataError
from aedetect.models.base import Autoencoder
from aedetect.training.feed import Feed
from aedetect.training.record import TrainingRecord

LEAST_STEPS, MOST_STEPS = 400, 2000
EPOCHS = 40
EVALUATIONS = 20
_WARMUP_SHARE = 0.05
_AVERAGE_DECAY = 0.99
# Anomalies are recognised by their loss only once the network knows the normal rows a little.
_TRIM_AFTER_SHARE = 0.2


@dataclass(frozen=True)
class Progress:
    """Where training stands, for whoever shows it."""

    step: int
    steps: int
    loss: float
    held_out: float


@dataclass
class LoopState:
    """All that resuming needs. `optimizer` holds its slots by parameter, `random` generator states."""

    model: dict[str, Tensor]
    average: dict[str, Tensor]
    best: dict[str, Tensor]
    optimizer: dict[int, dict[str, Any]]
    random: dict[str, Tensor] = field(default_factory=dict)
    step: int = 0
    epoch: int = 0
    batch: int = 0
    recent: float = 0.0
    best_step: int = 0
    best_loss: float = math.inf
    history: list[tuple[int, float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Hooks:
    """What the loop reports to. `checkpoint` is offered the state after each evaluation."""

    progress: Callable[[Progress], None] = lambda _: None
    checkpoint: Callable[[LoopState], None] = lambda _: None


def planned_steps(rows: int, config: TrainingConfig) -> int:
    """Steps of a whole run: as many epochs as asked for, or a number sized to the data."""
    per_epoch = math.ceil(rows / config.batch_size)
    if config.epochs is not None:
        return config.epochs * per_epoch
    return min(max(EPOCHS * per_epoch, LEAST_STEPS), MOST_STEPS)


def train(
    model: Autoencoder,
    feed: Feed,
    held_out: Tensor,
    config: TrainingConfig,
    hooks: Hooks,
    *,
    seed: int,
    deadline: float | None = None,
    resume: LoopState | None = None,
) -> TrainingRecord:
    """Fit `model` in place, ending with the averaged weights that did best on `held_out` rows.

    `held_out` [rows, features] lies on the training device. `deadline` is on time.monotonic's
    clock. The global random generator is the caller's: seed or restore it before.
    Raises DataError where the loss is no longer finite.
    """
    steps = planned_steps(feed.rows, config)
    every = max(steps // EVALUATIONS, 1)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.99)
    )
    state = resume or _initial(model)
    if resume:
        model.load_state_dict(state.model)
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state.optimizer, "param_groups": groups})
        _restore_random(state.random, held_out.device)
    stopped = "planned"
    for batch in _batches(feed, state):
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * _schedule(state.step / steps)
        loss = _step(model, batch, optimizer, config, trimming=state.step >= _TRIM_AFTER_SHARE * steps)
        state.step += 1
        _follow(state.average, model, state.step)
        state.recent += (loss - state.recent) / min(state.step, every)
        out_of_time = deadline is not None and time.monotonic() > deadline
        if state.step % every == 0 or state.step >= steps or out_of_time:
            value = _evaluate(model, state.average, held_out, config, seed)
            if not math.isfinite(value) or not math.isfinite(state.recent):
                raise DataError(
                    "training diverged: the loss is no longer finite; try a lower --learning-rate"
                )
            state.history.append((state.step, state.recent, value))
            if value < state.best_loss:
                state.best_loss, state.best_step = value, state.step
                state.best = {name: tensor.clone() for name, tensor in state.average.items()}
            hooks.progress(Progress(state.step, steps, state.recent, value))
            if out_of_time:
                stopped = "out of time"
            elif _since_best(state) >= config.patience:
                stopped = "early"
            if stopped != "planned" or state.step >= steps:
                break
            state.model = model.state_dict()
            state.optimizer = optimizer.state_dict()["state"]
            state.random = _random_state(held_out.device)
            hooks.checkpoint(state)
    model.load_state_dict(state.best)
    model.eval()
    with torch.no_grad():
        model.fit_reference(held_out)
    return TrainingRecord(
        rows=feed.rows,
        steps=state.step,
        best_step=state.best_step,
        stopped=stopped,
        history=tuple(state.history),
    )


def _initial(model: Autoencoder) -> LoopState:
    average, best = ({name: tensor.clone() for name, tensor in model.state_dict().items()} for _ in range(2))
    return LoopState(model.state_dict(), average, best, {})


def _random_state(device: torch.device) -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def _restore_random(states: dict[str, Tensor], device: torch.device) -> None:
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)


def _batches(feed: Feed, state: LoopState) -> Iterator[Tensor]:
    """Endless batches from where `state` stands; a resumed epoch skips what it has seen."""
    while True:
        for index, batch in enumerate(feed.epoch(state.epoch)):
            if index >= state.batch:
                state.batch = index + 1
                yield batch
        state.epoch, state.batch = state.epoch + 1, 0


def _step(
    model: Autoencoder,
    batch: Tensor,
    optimizer: torch.optim.Optimizer,
    config: TrainingConfig,
    trimming: bool,
) -> float:
    model.train()
    loss = _row_losses(model, batch)
    if config.contamination and trimming:
        # Least trimmed squares (Rousseeuw, 1984): the rows that fit worst may be anomalies.
        kept = max(1, len(loss) - math.ceil(config.contamination * len(loss)))
        loss = loss.topk(kept, largest=False).values
    mean = loss.mean()
    optimizer.zero_grad(set_to_none=True)
    mean.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.gradient_clip)
    optimizer.step()
    return mean.item()


def _row_losses(model: Autoencoder, batch: Tensor) -> Tensor:
    with torch.autocast(batch.device.type, torch.bfloat16, enabled=batch.device.type == "cuda"):
        errors = model.errors(batch)
        penalty = model.penalty(batch)
    losses = errors.float().mean(dim=1)
    return losses if penalty is None else losses + penalty.float()


def _follow(average: dict[str, Tensor], model: Autoencoder, step: int) -> None:
    """Exponential moving average of the weights (Polyak & Juditsky, 1992), short at first."""
    decay = min(_AVERAGE_DECAY, step / (step + 10))
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                average[name].lerp_(tensor, 1 - decay)
            else:
                average[name].copy_(tensor)


def _evaluate(
    model: Autoencoder, average: dict[str, Tensor], held_out: Tensor, config: TrainingConfig, seed: int
) -> float:
    """The objective of the averaged weights on held-out rows, under the same noise every time."""
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(average)
    with torch.no_grad(), seeded(seed, held_out.device):
        losses = torch.cat([_row_losses(model, block) for block in held_out.split(4096)])
    model.load_state_dict(kept)
    if config.contamination:
        losses = losses.topk(max(1, int(len(losses) * (1 - config.contamination))), largest=False).values
    return losses.mean().item()


def _since_best(state: LoopState) -> int:
    return sum(step > state.best_step for step, _, _ in state.history)


def _schedule(done: float) -> float:
    """Linear warm-up, then a cosine down to 2% (Loshchilov & Hutter, 2017)."""
    if done < _WARMUP_SHARE:
        return 0.05 + 0.95 * done / _WARMUP_SHARE
    turn = (done - _WARMUP_SHARE) / (1 - _WARMUP_SHARE)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(turn, 1.0)))


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's global generators, set to `seed` inside and as they were after."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
