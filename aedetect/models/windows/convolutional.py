"""A noise-conditional convolutional denoiser: how it learns."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.models.base import WindowAutoencoder
from aedetect.models.evaluation.convolutional import DILATIONS, ConvolutionalEvaluation, hidden_width
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.layers import typical
from aedetect.models.live import as_tensor, live_arrays, settled, settled_arrays

LOWEST_NOISE, HIGHEST_NOISE = 0.1, 1.0


class ConvolutionalAutoencoder(WindowAutoencoder):
    """Learns to take noise away that it is told the level of; see `evaluation.convolutional`."""

    evaluation_class = ConvolutionalEvaluation

    reference: Tensor

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__(layout, config)
        width = hidden_width(config)
        # These names stand in model files.
        self.entrance = nn.Conv1d(layout.channels + 1, width, 1)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation) for dilation in DILATIONS
        )
        self.exit = nn.Conv1d(width, layout.channels, 1)
        with torch.no_grad():
            self.exit.weight.mul_(0.1)
        self.register_buffer("reference", torch.ones(()))

    def objective(self, batch: Tensor) -> Tensor:
        span = math.log(HIGHEST_NOISE / LOWEST_NOISE)
        sigma = LOWEST_NOISE * torch.exp(span * torch.rand(len(batch), 1, 1, device=batch.device))
        network = ConvolutionalEvaluation(self.layout, self.config, live_arrays(self))
        errors: Tensor = network.errors_at(batch, batch + sigma * torch.randn_like(batch), sigma)
        return errors

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        judge = ConvolutionalEvaluation(self.layout, self.config, settled_arrays(self))
        each = as_tensor(judge.plain_errors(settled(validation))).mean(dim=(1, 2))
        self.reference = typical(each, least=1e-6)
