"""The training loop: fit, epoch, step. Every model and every feed goes through it."""

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
from aedetect.models.base import REFERENCE_ROWS, USUAL_STEPS, Model
from aedetect.scoring.manifest import TrainingRecord
from aedetect.training.contamination import outlier_candidates
from aedetect.training.feed import Feed
from aedetect.training.optimizer import FlatAdamW

# Networks of more weights, on very wide rows, learn about as much in fewer steps, each of which takes longer.
MANY_WEIGHTS, LEAST_WIDE_STEPS = 200_000, 400
EPOCHS = 40
EVALUATIONS = 20
# Small networks keep a GPU waiting for the next call: so many times the rows take it little longer.
_MORE_ON_A_GPU = 8
_WARMUP_SHARE = 0.05
# Anomalies are recognised by their loss only once the network knows the normal rows a little.
_TRIM_AFTER_SHARE = 0.2
_EVALUATED_ROWS = 4096
# Steps whose losses are held at most before they are looked at.
_LOOKED_AT_AFTER = 1000
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


def has_weights(model: Model) -> bool:
    """Whether there is anything to train step by step; a model without weights is fitted in one go."""
    return any(True for _ in model.parameters())


def planned_steps(
    rows: int, weights: int, config: TrainingConfig, bounds: tuple[int, int] = USUAL_STEPS
) -> int:
    """Steps of a whole run: as many epochs as asked for, or a number sized to the data and the network.

    `bounds`: the fewest and the most steps where epochs are not asked for.
    """
    per_epoch = math.ceil(rows / config.batch_size)
    if config.epochs is not None:
        return config.epochs * per_epoch
    fewest, most = bounds
    least = max(fewest * MANY_WEIGHTS // max(weights, MANY_WEIGHTS), min(fewest, LEAST_WIDE_STEPS))
    return min(max(EPOCHS * per_epoch, least), most)


def rows_a_step(rows: int, config: TrainingConfig, device: torch.device) -> int:
    """Rows in a batch: what is set; on a GPU up to eight times as many, unless it was set by the user.

    A GPU takes about as long for these. They are no more than the usual steps get through in `EPOCHS` passes:
    there are as many steps as on a CPU, each of which learns from more rows.
    """
    usual = config.batch_size
    if device.type == "cpu" or config.epochs is not None or "batch_size" in config.model_fields_set:
        return usual
    return usual * max(1, min(_MORE_ON_A_GPU, EPOCHS * rows // (USUAL_STEPS[1] * usual)))


def train(
    model: Model,
    feed: Feed,
    validation: Tensor,
    config: TrainingConfig,
    hooks: Hooks,
    *,
    seed: int,
    deadline: float | None = None,
    resume: Snapshot | None = None,
) -> TrainingRecord:
    """Fit `model` in place, ending with the averaged weights that did best on the `validation` set.

    `validation` [rows, features], or windows [windows, steps, channels], lies on the training
    device. `deadline` is on time.monotonic's clock. The global random generator is the
    caller's: seed it before.
    Raises DataError where the loss is no longer finite.
    """
    record = TrainingRecord(rows=feed.rows, steps=0, best_step=0, stopped="planned", history=())
    if has_weights(model):
        loop = _Loop(model, feed, validation, config, seed, deadline)
        if resume:
            loop.restore(resume)
        record = loop.fit(hooks)
    _fit_score_normalisation(model, feed, validation, trimmed_share(config))
    return record


class _Loop:
    """One network in training: `fit` runs epochs, an epoch runs steps, and every so often one evaluates."""

    def __init__(
        self,
        model: Model,
        feed: Feed,
        validation: Tensor,
        config: TrainingConfig,
        seed: int,
        deadline: float | None,
    ):
        self.model = model
        self.feed = feed
        self.validation = validation
        self.config = config
        self.seed = seed
        self.deadline = deadline
        self.trim = trimmed_share(config)
        self.optimizer = FlatAdamW(model, config.weight_decay, config.gradient_clip)
        self.steps = planned_steps(feed.rows, self.optimizer.weights.numel(), config, model.step_range)
        self.every = max(self.steps // EVALUATIONS, 1)
        self.best = self.optimizer.average.clone()
        self.state = LoopState()
        # Losses of the steps since they were last looked at: on a GPU, each look waits for all it has to do.
        self.losses: list[Tensor] = []

    def fit(self, hooks: Hooks) -> TrainingRecord:
        """Epochs until there is a reason to stop; leaves the best weights in the model."""
        stopped = None
        while stopped is None:
            stopped = self.epoch(hooks)
        self.optimizer.load(self.best)
        return TrainingRecord(
            rows=self.feed.rows,
            steps=self.state.step,
            best_step=self.state.best_step,
            stopped=stopped,
            history=tuple(self.state.history),
        )

    def epoch(self, hooks: Hooks) -> str | None:
        """One pass over the feed; the reason to stop, or None. A resumed one skips what it has seen."""
        for index, batch in enumerate(self.feed.epoch(self.state.epoch)):
            if index < self.state.batch:
                continue
            self.state.batch = index + 1
            self.step(batch)
            late = self.deadline is not None and time.monotonic() > self.deadline
            if not (self.state.step % self.every == 0 or self.state.step >= self.steps or late):
                continue
            self.look()
            loss = self.evaluate()
            hooks.progress(Progress(self.state.step, self.steps, self.state.recent_loss, loss))
            stopped = self.reason_to_stop(late)
            if stopped:
                return stopped
            hooks.snapshot(self.snapshot)
        self.state.epoch, self.state.batch = self.state.epoch + 1, 0
        return None

    def step(self, batch: Tensor) -> None:
        """One update of the weights from a batch."""
        state = self.state
        trim = self.trim if state.step >= _TRIM_AFTER_SHARE * self.steps else 0.0
        rows = _trimmed(self.model, batch, trim)
        self.model.train()
        loss = _row_losses(self.model, rows).mean()
        self.optimizer.step(loss, self.config.learning_rate * _schedule(state.step / self.steps))
        state.step += 1
        self.losses.append(loss.detach())
        if len(self.losses) >= _LOOKED_AT_AFTER:
            self.look()

    def look(self) -> None:
        """Follow the losses of the steps since the last look in their running mean."""
        state, first = self.state, self.state.step - len(self.losses)
        losses = torch.stack(self.losses).tolist() if self.losses else []
        for step, loss in enumerate(losses, first + 1):
            state.recent_loss += (loss - state.recent_loss) / min(step, self.every)
        self.losses.clear()

    def evaluate(self) -> float:
        """The validation loss of the averaged weights, which are kept where they did best so far."""
        state = self.state
        loss = _validation_loss(self.model, self.optimizer, self.validation, self.trim, self.seed)
        if not (math.isfinite(loss) and math.isfinite(state.recent_loss)):
            raise DataError(
                "training diverged: the loss is no longer finite; try a lower training.learning_rate"
            )
        state.history.append((state.step, state.recent_loss, loss))
        if loss < state.best_loss:
            state.best_loss, state.best_step = loss, state.step
            self.best.copy_(self.optimizer.average)
        return loss

    def reason_to_stop(self, late: bool) -> str | None:
        """'out of time', 'early' (no progress), 'planned' (all steps done), or None to go on."""
        if late:
            return "out of time"
        if sum(step > self.state.best_step for step, _, _ in self.state.history) >= self.config.patience:
            return "early"
        return "planned" if self.state.step >= self.steps else None

    def snapshot(self) -> Snapshot:
        """All that resuming needs; the tensors are those in use, not copies."""
        tensors = {**self.optimizer.state(), "best": self.best}
        return Snapshot(self.state, tensors, _random_state(self.validation.device))

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from where `snapshot` was taken, random generators included."""
        tensors = dict(snapshot.tensors)
        self.state = snapshot.state
        self.best.copy_(tensors.pop("best"))
        self.optimizer.restore(tensors, self.state.step)
        _restore_random(snapshot.random, self.validation.device)


def trimmed_share(config: TrainingConfig) -> float:
    """The share of a batch, its worst fitting rows, that no step learns from."""
    return config.contamination if isinstance(config.contamination, float) else AUTO_TRIM


def _fit_score_normalisation(model: Model, feed: Feed, validation: Tensor, trim: float) -> None:
    model.eval()
    with torch.no_grad():
        learned = sample(feed, REFERENCE_ROWS)
        candidates = torch.zeros(len(learned), dtype=torch.bool, device=learned.device)
        if trim:
            candidates = outlier_candidates(model.vectors(learned))
        model.fit_score_normalisation(validation, learned, candidates)


def sample(feed: Feed, size: int) -> Tensor:
    """At most `size` rows from the start of the first epoch: a random draw, in memory as in a stream."""
    taken: list[Tensor] = []
    for batch in feed.epoch(0):
        taken.append(batch)
        if sum(len(part) for part in taken) >= size:
            break
    return torch.cat(taken)[:size]


def _trimmed(model: Model, rows: Tensor, share: float) -> Tensor:
    """Least trimmed squares (Rousseeuw, 1984): without the rows that fit worst, which may be anomalies.

    Rows are ranked by their error in evaluation mode, which no random noise blurs.
    """
    if not share or len(rows) < 2:
        return rows
    count = max(1, len(rows) - math.ceil(share * len(rows)))
    model.eval()
    with torch.no_grad():
        return rows[model.errors(rows).flatten(1).mean(dim=1).topk(count, largest=False).indices]


def _row_losses(model: Model, batch: Tensor) -> Tensor:
    with torch.autocast(batch.device.type, torch.bfloat16, enabled=batch.device.type == "cuda"):
        errors = model.errors(batch)
        penalty = model.penalty(batch)
    losses = errors.float().flatten(1).mean(dim=1)
    return losses if penalty is None else losses + penalty.float()


def _validation_loss(model: Model, optimizer: FlatAdamW, validation: Tensor, trim: float, seed: int) -> float:
    """The objective of the averaged weights on the validation set, under the same noise every time."""
    weights = optimizer.weights.clone()
    optimizer.load(optimizer.average)
    rows = _trimmed(model, validation, trim)
    model.train()
    with torch.no_grad(), seeded(seed, validation.device):
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
    # Begun on a CPU, a run goes on with what a GPU draws: others, and as good.
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's global generators, set to `seed` inside and as they were after."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
