"""A noise-conditional denoising autoencoder: how it learns."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.evaluation.denoising import (
    NOISE_FEATURES,
    SCORING_NOISE,
    DenoisingEvaluation,
    noise_level,
)
from aedetect.models.evaluation.layers import Row, columns_width, masked_width
from aedetect.models.layers import ResidualMLP
from aedetect.models.live import live_arrays

LOWEST_NOISE, HIGHEST_NOISE = 0.05, 1.0


class DenoisingAutoencoder(Autoencoder):
    """Learns to reconstruct rows from noisy copies; see `evaluation.denoising`."""

    evaluation_class = DenoisingEvaluation

    reference: Tensor

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        width = columns_width(layout)
        self.hidden = ResidualMLP(masked_width(layout, width) + NOISE_FEATURES, config.width, config.depth)
        self.change = nn.Linear(config.width, width)
        with torch.no_grad():
            self.change.weight.mul_(0.1)
            self.change.bias.zero_()
        # The typical error at each noise level; the name stands in model files.
        self.register_buffer("reference", torch.ones(len(SCORING_NOISE)))

    def objective(self, batch: Tensor) -> Tensor:
        judge, row = self._evaluation(), Row(batch, self.layout)
        values = judge.columns(row)
        span = math.log(HIGHEST_NOISE / LOWEST_NOISE)
        sigma = LOWEST_NOISE * torch.exp(span * torch.rand(len(batch), 1, device=batch.device))
        errors: Tensor = judge.errors_at(row, values, values + sigma * torch.randn_like(values), sigma)[0]
        return errors

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        judge, row = self._evaluation(), Row(validation, self.layout)
        values = judge.columns(row)
        for index, level in enumerate(SCORING_NOISE):
            errors, _ = judge.errors_at(row, values, values, noise_level(row, level))
            self.reference[index] = errors.mean(dim=1).median().clamp_min(1e-6)

    def _evaluation(self) -> DenoisingEvaluation:
        return DenoisingEvaluation(self.layout, self.config, live_arrays(self))
