"""A noise-conditional denoising autoencoder: by itself, and a part of `memory` and `principal`."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.layers import Columns, MaskedInput, ResidualMLP, Row

LOWEST_NOISE, HIGHEST_NOISE = 0.05, 1.0
# A faint and a strong noise level see different anomalies; levels between them add nothing.
SCORING_NOISE = (0.1, 1.0)
_NOISE_FEATURES = 3


class DenoisingAutoencoder(Autoencoder):
    """Reconstructs rows from noisy copies, told how noisy they are; scored on the clean row.

    A denoiser pulls a row towards where normal rows are dense (Alain & Bengio, 2014); the pull on
    a clean row, relative to that on validation rows and averaged over noise levels, is its
    reconstruction error. Without a bottleneck it cannot lose what is normal, and with noise it
    cannot copy what is not (Vincent et al., 2008). Noise σ is drawn log-uniformly per row; inputs,
    outputs and the loss are balanced over σ as by Karras et al. (2022): the network F predicts
    what is to be added to x / (1 + σ²), and squared errors weigh (1 + σ²) / σ².

    Shape: [rows, features] → errors [rows, features].
    """

    reference: Tensor

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        self.columns = Columns(layout)
        self.masked_input = MaskedInput(layout, self.columns.width)
        self.hidden = ResidualMLP(self.masked_input.width + _NOISE_FEATURES, config.width, config.depth)
        self.change = nn.Linear(config.width, self.columns.width)
        with torch.no_grad():
            self.change.weight.mul_(0.1)
            self.change.bias.zero_()
        # The typical error at each noise level; the name stands in model files.
        self.register_buffer("reference", torch.ones(len(SCORING_NOISE)))

    def errors(self, batch: Tensor) -> Tensor:
        if not self.training:
            return self.clean_pass(batch)[0]
        row = Row(batch, self.layout)
        values = self.columns(row)
        span = math.log(HIGHEST_NOISE / LOWEST_NOISE)
        sigma = LOWEST_NOISE * torch.exp(span * torch.rand(len(batch), 1, device=batch.device))
        return self._errors_at(row, values, values + sigma * torch.randn_like(values), sigma)[0]

    def clean_pass(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Errors [rows, features] without noise, and the last hidden state [rows, width] at strong noise."""
        row = Row(batch, self.layout)
        values = self.columns(row)
        total = torch.zeros_like(batch)
        hidden = batch
        for level, reference in zip(SCORING_NOISE, self.reference, strict=True):
            errors, hidden = self._errors_at(row, values, values, _noise_level(row, level))
            total += errors / reference
        return total / len(SCORING_NOISE), hidden

    def reconstruct(self, batch: Tensor) -> Tensor:
        row = Row(batch, self.layout)
        values = self.columns(row)
        return self.columns.rows(self._predict(row, values, _noise_level(row, SCORING_NOISE[-1]))[0])

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        row = Row(validation, self.layout)
        values = self.columns(row)
        for index, level in enumerate(SCORING_NOISE):
            errors, _ = self._errors_at(row, values, values, _noise_level(row, level))
            self.reference[index] = errors.mean(dim=1).median().clamp_min(1e-6)

    def _errors_at(self, row: Row, values: Tensor, noisy: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Errors [rows, features] of denoising `noisy` [rows, width] to `values`, and the hidden state."""
        predicted, hidden = self._predict(row, noisy, sigma)
        squared = (predicted.float() - values).square() * ((1 + sigma**2) / sigma**2)
        return self.columns.errors(squared, row), hidden

    def _predict(self, row: Row, values: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Denoised values [rows, width], and the last hidden state [rows, hidden width]."""
        shrink = 1 + sigma**2
        clipped = self.columns.without_gaps(self.columns.clipped(values), row)
        level = sigma.log()
        noise = torch.cat([level / 1.5 + 0.6, level.sin(), level.cos()], dim=1)
        seen = self.masked_input(clipped / shrink.sqrt(), row.missing)
        hidden = self.hidden(torch.cat([seen, noise], dim=1))
        return clipped / shrink + self.change(hidden) * (sigma / shrink.sqrt()), hidden


def _noise_level(row: Row, level: float) -> Tensor:
    """The same noise level for each row [rows, 1]."""
    return torch.full((len(row.codes), 1), level, device=row.numbers.device)
