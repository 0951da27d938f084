"""A noise-conditional convolutional denoiser: what does a step look like, given those around it?"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from aedetect.config import ModelConfig
from aedetect.models.window_base import SeriesAutoencoder, WindowLayout

LOWEST_NOISE, HIGHEST_NOISE = 0.1, 1.0
SCORING_NOISE = 0.3
# The network sees so many steps to either side: the sum of its dilations.
_DILATIONS = (1, 2, 4, 8)
_MOST_WIDTH = 24
_LIMIT = 10.0


class ConvolutionalAutoencoder(SeriesAutoencoder):
    """Rebuilds every step of a noisy window from the steps around it; scored on the clean window.

    Dilated convolutions (van den Oord et al., 2016; as an autoencoder for series, Thill et al.,
    2021) without a bottleneck: noise keeps them from copying (Vincent et al., 2008). Noise levels,
    inputs, outputs and loss are balanced as by Karras et al. (2022).

    Shape: [windows, steps, channels] → errors [windows, steps, channels].
    """

    reference: Tensor

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__(layout, config)
        width = min(config.width, _MOST_WIDTH)
        self.entrance = nn.Conv1d(layout.channels + 1, width, 1)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation) for dilation in _DILATIONS
        )
        self.exit = nn.Conv1d(width, layout.channels, 1)
        with torch.no_grad():
            self.exit.weight.mul_(0.1)
        self.register_buffer("reference", torch.ones(()))

    margin = sum(_DILATIONS)

    def errors(self, batch: Tensor) -> Tensor:
        if not self.training:
            return self._errors_at(batch, batch, SCORING_NOISE) / self.reference
        span = math.log(HIGHEST_NOISE / LOWEST_NOISE)
        sigma = LOWEST_NOISE * torch.exp(span * torch.rand(len(batch), 1, 1, device=batch.device))
        return self._errors_at(batch, batch + sigma * torch.randn_like(batch), sigma)

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self._predict(batch, SCORING_NOISE)

    def along(self, stretch: Tensor, left: int, right: int) -> Tensor:
        each = self.errors(stretch[None])[0].mean(dim=1)[left : len(stretch) - right]
        return each.unfold(0, self.layout.steps, 1).mean(dim=1)

    def fit_reference(self, held_out: Tensor, learned: Tensor, suspect: Tensor) -> None:
        each = self._errors_at(held_out, held_out, SCORING_NOISE).mean(dim=(1, 2))
        self.reference = (each.median() + 0.01 * each.mean()).clamp_min(1e-6)

    def _errors_at(self, batch: Tensor, noisy: Tensor, sigma: Tensor | float) -> Tensor:
        weight = (1 + sigma**2) / sigma**2
        return (self._predict(noisy, sigma).float() - batch).square() * weight

    def _predict(self, batch: Tensor, sigma: Tensor | float) -> Tensor:
        shrink = 1 + torch.as_tensor(sigma, device=batch.device, dtype=batch.dtype) ** 2
        entering = batch.clamp(-_LIMIT, _LIMIT)
        level = (shrink - 1).log().expand(len(batch), 1, batch.shape[1]) / 2
        seen = torch.cat([(entering / shrink.sqrt()).transpose(1, 2), level], dim=1)
        hidden = self.entrance(seen)
        for layer in self.layers:
            hidden = hidden + layer(functional.silu(hidden))
        change = self.exit(functional.silu(hidden)).transpose(1, 2)
        predicted: Tensor = entering / shrink + change * ((shrink - 1) / shrink).sqrt()
        return predicted
