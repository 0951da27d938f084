"""A noise-conditional denoising autoencoder: the default."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from aedetect.config import ModelConfig
from aedetect.features.layout import Layout
from aedetect.models.base import (
    INPUT_LIMIT,
    Autoencoder,
    HiddenLayers,
    Row,
    RowInput,
    RowOutput,
    corrupt_codes,
)

LOWEST_NOISE, HIGHEST_NOISE = 0.05, 1.0
# A faint and a strong noise level see different anomalies; levels between them add nothing.
SCORING_NOISE = (0.1, 1.0)
_MASK = 0.02
_NOISE_FEATURES = 3


class DenoisingAutoencoder(Autoencoder):
    """Rebuilds rows from noisy copies, told how noisy they are; scored on the clean row.

    A denoiser pulls a row towards where normal rows are dense (Alain & Bengio, 2014); the pull on
    a clean row, relative to that on held-out normal rows and averaged over noise levels, is its
    reconstruction error. Without a bottleneck it cannot lose what is normal, and with noise it
    cannot copy what is not (Vincent et al., 2008). Noise σ is drawn log-uniformly per row; inputs,
    outputs and the loss are balanced over σ as by Karras et al. (2022): the network F predicts
    what is to be added to x / (1 + σ²), and squared errors weigh (1 + σ²) / σ².

    Shape: [rows, features] → errors [rows, features].
    """

    reference: Tensor

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        self.input = RowInput(layout)
        self.hidden = HiddenLayers(self.input.width + _NOISE_FEATURES, config.width, config.depth)
        self.output = RowOutput(layout, config.width)
        if self.output.numbers is not None:
            with torch.no_grad():
                self.output.numbers.weight.mul_(0.1)
                self.output.numbers.bias.zero_()
        self.register_buffer("reference", torch.ones(len(SCORING_NOISE)))

    def errors(self, batch: Tensor) -> Tensor:
        row = Row(batch, self.layout)
        if self.training:
            span = math.log(HIGHEST_NOISE / LOWEST_NOISE)
            sigma = LOWEST_NOISE * torch.exp(span * torch.rand(len(batch), 1, device=batch.device))
            noisy = row.numbers + sigma * torch.randn_like(row.numbers)
            codes = corrupt_codes(row.codes, self.layout, sigma / (1 + sigma), _MASK)
            return self._errors_at(row, noisy, codes, sigma)[0]
        return self.clean_pass(batch)[0]

    def clean_pass(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Errors [rows, features] without noise, and the last hidden state [rows, width] at strong noise."""
        row = Row(batch, self.layout)
        total = torch.zeros_like(batch)
        hidden = batch
        for level, reference in zip(SCORING_NOISE, self.reference, strict=True):
            errors, hidden = self._errors_at(row, row.numbers, row.codes, _same(row, level))
            total += errors / reference
        return total / len(SCORING_NOISE), hidden

    def reconstruct(self, batch: Tensor) -> Tensor:
        row = Row(batch, self.layout)
        numbers, logits, _ = self._predict(row, row.numbers, row.codes, _same(row, SCORING_NOISE[-1]))
        return self.output.values(numbers, logits)

    def fit_reference(self, held_out: Tensor, learned: Tensor) -> None:
        row = Row(held_out, self.layout)
        for index, level in enumerate(SCORING_NOISE):
            errors, _ = self._errors_at(row, row.numbers, row.codes, _same(row, level))
            self.reference[index] = errors.mean(dim=1).median().clamp_min(1e-6)

    def _errors_at(self, row: Row, numbers: Tensor, codes: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        predicted, logits, hidden = self._predict(row, numbers, codes, sigma)
        errors = self.output.errors(predicted, logits, row)
        balance = torch.where(row.missing, 1.0, (1 + sigma**2) / sigma**2)
        numeric = self.layout.numeric
        return torch.cat([errors[:, :numeric] * balance, errors[:, numeric:]], dim=1), hidden

    def _predict(
        self, row: Row, numbers: Tensor, codes: Tensor, sigma: Tensor
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        shrink = 1 + sigma**2
        entering = torch.where(row.missing, 0.0, numbers).clamp(-INPUT_LIMIT, INPUT_LIMIT)
        level = sigma.log()
        noise = torch.cat([level / 1.5 + 0.6, level.sin(), level.cos()], dim=1)
        rows = self.input(entering / shrink.sqrt(), row.missing, codes)
        hidden = self.hidden(torch.cat([rows, noise], dim=1))
        change, logits = self.output(hidden)
        return entering / shrink + change * (sigma / shrink.sqrt()), logits, hidden


def _same(row: Row, level: float) -> Tensor:
    return torch.full((len(row.codes), 1), level, device=row.numbers.device)
