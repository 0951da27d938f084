"""Fitting the auxiliary networks: codes, imputation and new rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from aedetect.config import Config, TrainingConfig
from aedetect.data.arrays import Matrix
from aedetect.data.features.layout import Layout
from aedetect.engine.callbacks import Callback
from aedetect.errors import UsageError
from aedetect.models.auxiliary.heads import AuxiliaryHeads
from aedetect.models.auxiliary.imputer import Imputer, sizes
from aedetect.models.auxiliary.latent import LatentAutoencoder, chosen_size
from aedetect.models.evaluation import heads as evaluation
from aedetect.models.evaluation.layers import columns_width
from aedetect.models.layers import standardised
from aedetect.models.threads import single_threaded
from aedetect.training.contamination import outlier_candidates
from aedetect.training.feed import Feed, MemoryFeed
from aedetect.training.loop import Hooks, sample, seeded, train

# What one pass over more rows would add is little: these networks refine what is linear.
LEARNED_ROWS = 8192
_VALIDATION_SHARE, _MOST_VALIDATION = 0.15, 1024
_LATENT_STEPS, _IMPUTER_STEPS = 250, 250
# Rows of more values than this, categories taken apart, get fewer steps: each takes as much longer.
_WIDE_VALUES, _LEAST_STEPS = 2000, 100
# Training pairs of the imputer: cells in all, rows at least and at most.
_PAIR_CELLS, _LEAST_PAIRS, _MOST_PAIRS = 1 << 21, 2048, 8192
_REPEATS = 8


# Seed, deadline, and whom progress is told.
_How = tuple[int, float | None, Hooks]
_TRAININGS = 2


def fit_auxiliary_heads(
    feed: Feed,
    calibration: Matrix,
    layout: Layout,
    config: Config,
    device: torch.device,
    columns: int,
    deadline: float | None = None,
    callback: Callback | None = None,
) -> evaluation.AuxiliaryHeads:
    """Fit latent, imputing and sampling networks on rows of `feed` and `calibration` [rows, features].

    The calibration set may be learned from: no score comes from these networks. `columns` of the input are
    learned, each as one feature or more. `deadline` is on
    time.monotonic's clock. Raises UsageError for a latent dimension that the data do not have.
    """
    seed = int(np.random.SeedSequence((config.training.seed, 0xC0DE)).generate_state(1, np.uint32)[0])
    with seeded(seed, device), single_threaded(device.type):
        rows = sample(feed, LEARNED_ROWS)
        if len(rows) < LEARNED_ROWS:
            rows = torch.cat([rows, torch.from_numpy(calibration).to(rows)])
        rows = rows[torch.randperm(len(rows)).to(rows.device)]
        if config.training.contamination:
            rows = rows[~outlier_candidates(standardised(rows, layout))]
        held = min(max(2, round(_VALIDATION_SHARE * len(rows))), _MOST_VALIDATION)
        validation, learned = rows[:held], rows[held : held + LEARNED_ROWS]
        width = columns_width(layout)
        size = config.model.latent_dim or chosen_size(learned, layout, columns)
        if size > width:
            raise UsageError(
                f"model.latent_dim = {size}: the learned columns make {width} values; choose at most {width}"
            )
        heads = AuxiliaryHeads(layout, config.model, size, *sizes(len(learned), layout)).to(device)
        with torch.no_grad():
            heads.codes.fit_linear(learned)
        report = (callback or Callback()).steps
        halfway = None if deadline is None else (time.monotonic() + deadline) / 2
        _fit_latent(heads.codes, learned, validation, config.training, (seed, halfway, _hooks(report, 0)))
        with torch.no_grad():
            heads.repair.fit_memory(learned)
        _fit_imputer(heads.repair, learned, validation, config.training, (seed, deadline, _hooks(report, 1)))
        with torch.no_grad():
            _fit_sampler(heads, learned, validation, seed)
    return heads.settled()


def _hooks(report: Callable[[int, int], None], before: int) -> Hooks:
    """Progress of one of the trainings, `before` of which are done, as that of all of them."""
    return Hooks(
        lambda progress: report(before * progress.steps + progress.step, _TRAININGS * progress.steps)
    )


def _fit_latent(
    codes: LatentAutoencoder,
    learned: Tensor,
    validation: Tensor,
    config: TrainingConfig,
    how: _How,
) -> None:
    seed, deadline, hooks = how
    with torch.no_grad():
        linear = codes.eval().errors(validation).mean()
    feed = MemoryFeed(learned.cpu().numpy(), config.batch_size, seed, learned.device)
    settings = _settings(config, _affordable(_LATENT_STEPS, columns_width(codes.layout)), len(learned))
    train(codes, feed, validation, settings, hooks, seed=seed, deadline=deadline)
    with torch.no_grad():
        # The validation set gains nothing from the networks: then they are noise.
        if not codes.eval().errors(validation).mean() < linear:
            codes.make_linear()


def _fit_imputer(
    repair: Imputer,
    learned: Tensor,
    validation: Tensor,
    config: TrainingConfig,
    how: _How,
) -> None:
    seed, deadline, hooks = how
    width = columns_width(repair.layout)
    most = min(max(_PAIR_CELLS // (4 * width), _LEAST_PAIRS), _MOST_PAIRS)
    with torch.no_grad():
        repeats = max(1, min(_REPEATS, most // len(learned)))
        places = torch.arange(len(learned), device=learned.device).repeat(repeats)[:most]
        pairs = repair.training_pairs(learned[places], places)
        checks = repair.training_pairs(validation.repeat(2, 1)[:_LEAST_PAIRS])
        untrained = repair.blend.eval().errors(checks).mean()
    start = {name: tensor.clone() for name, tensor in repair.blend.state_dict().items()}
    feed = MemoryFeed(pairs.cpu().numpy(), config.batch_size, seed, pairs.device)
    settings = _settings(config, _affordable(_IMPUTER_STEPS, width), len(pairs))
    train(repair.blend, feed, checks, settings, hooks, seed=seed, deadline=deadline)
    with torch.no_grad():
        if not repair.blend.eval().errors(checks).mean() < untrained:
            repair.blend.load_state_dict(start)


def _fit_sampler(heads: AuxiliaryHeads, learned: Tensor, validation: Tensor, seed: int) -> None:
    repair = heads.repair.evaluation()
    values, missing = repair.columns(learned)
    fresh, gaps = repair.columns(validation)
    heads.sampler.fit(
        repair.memory,
        torch.where(missing, repair.center, values),
        torch.where(gaps, repair.center, fresh),
        np.random.default_rng(seed),
    )


def _affordable(steps: int, width: int) -> int:
    return max(steps * _WIDE_VALUES // max(width, _WIDE_VALUES), _LEAST_STEPS)


def _settings(config: TrainingConfig, steps: int, rows: int) -> TrainingConfig:
    """Training settings for so many steps at most; those that the user set count for the detector."""
    per_epoch = math.ceil(rows / config.batch_size)
    epochs = max(1, steps // per_epoch)
    if config.epochs is not None:
        epochs = min(epochs, max(1, config.epochs))
    return config.model_copy(update={"epochs": epochs, "contamination": 0.0})
