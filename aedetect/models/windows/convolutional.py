"""A noise-conditional convolutional denoiser: what does a step look like, given those around it?"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from aedetect.config import ModelConfig
from aedetect.models.base import WindowAutoencoder, WindowLayout
from aedetect.models.layers import typical

LOWEST_NOISE, HIGHEST_NOISE = 0.1, 1.0
SCORING_NOISE = 0.3
# The network sees so many steps to either side: the sum of its dilations.
_DILATIONS = (1, 2, 4, 8)
_MOST_WIDTH = 24
_LIMIT = 10.0


class ConvolutionalAutoencoder(WindowAutoencoder):
    """Reconstructs every step of a noisy window from the steps around it; scored on the clean window.

    Dilated convolutions (van den Oord et al., 2016; as an autoencoder for series, Thill et al.,
    2021) without a bottleneck: noise keeps them from copying (Vincent et al., 2008). Noise levels,
    inputs, outputs and loss are balanced as by Karras et al. (2022).

    Shape: [windows, steps, channels] → errors [windows, steps, channels].
    """

    reference: Tensor
    margin = sum(_DILATIONS)

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__(layout, config)
        width = min(config.width, _MOST_WIDTH)
        # These names stand in model files.
        self.entrance = nn.Conv1d(layout.channels + 1, width, 1)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation) for dilation in _DILATIONS
        )
        self.exit = nn.Conv1d(width, layout.channels, 1)
        with torch.no_grad():
            self.exit.weight.mul_(0.1)
        self.register_buffer("reference", torch.ones(()))

    def errors(self, batch: Tensor) -> Tensor:
        if not self.training:
            return self._errors_at(batch, batch, SCORING_NOISE) / self.reference
        span = math.log(HIGHEST_NOISE / LOWEST_NOISE)
        sigma = LOWEST_NOISE * torch.exp(span * torch.rand(len(batch), 1, 1, device=batch.device))
        return self._errors_at(batch, batch + sigma * torch.randn_like(batch), sigma)

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self._predict(batch, SCORING_NOISE)

    def sliding_scores(self, segment: Tensor, left: int, right: int) -> Tensor:
        each = self.errors(segment[None])[0].mean(dim=1)[left : len(segment) - right]
        return each.unfold(0, self.layout.steps, 1).mean(dim=1)

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        each = self._errors_at(validation, validation, SCORING_NOISE).mean(dim=(1, 2))
        self.reference = typical(each, least=1e-6)

    def _errors_at(self, batch: Tensor, noisy: Tensor, sigma: Tensor | float) -> Tensor:
        """Weighted squared errors of denoising `noisy` to `batch`; all [windows, steps, channels]."""
        weight = (1 + sigma**2) / sigma**2
        return (self._predict(noisy, sigma).float() - batch).square() * weight

    def _predict(self, batch: Tensor, sigma: Tensor | float) -> Tensor:
        """Denoised windows [windows, steps, channels]."""
        shrink = 1 + torch.as_tensor(sigma, device=batch.device, dtype=batch.dtype) ** 2
        clipped = batch.clamp(-_LIMIT, _LIMIT)
        level = (shrink - 1).log().expand(len(batch), 1, batch.shape[1]) / 2
        seen = torch.cat([(clipped / shrink.sqrt()).transpose(1, 2), level], dim=1)
        hidden = self.entrance(seen)
        for layer in self.layers:
            hidden = hidden + layer(functional.silu(hidden))
        change = self.exit(functional.silu(hidden)).transpose(1, 2)
        predicted: Tensor = clipped / shrink + change * ((shrink - 1) / shrink).sqrt()
        return predicted
