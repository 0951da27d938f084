"""A variational autoencoder: a latent code with a known distribution, and a variance for each row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.layers import Columns, MaskedInput, ResidualMLP, Row, latent_width

# The divergence is per row and the errors are averaged over features; with the noise of the
# decoder taken as a tenth of a column's spread the two are of one scale.
_DECODER_VARIANCE = 0.1
_LOG_VARIANCE_RANGE = (-8.0, 4.0)
# Points of the code's distribution that are decoded for a row's error, in standard deviations.
_SPREAD = 1.0


class VariationalAutoencoder(Autoencoder):
    """Encodes a row as a normal distribution over codes, near the standard one (Kingma & Welling, 2014).

    In training a code is drawn from it; a row's error is that of the code's mean and of one code
    a standard deviation to each side of it, averaged (reconstruction probability: An & Cho, 2015,
    without drawing at random).

    Shape: [rows, features] → errors [rows, features].
    """

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        self.columns = Columns(layout)
        self.masked_input = MaskedInput(layout, self.columns.width)
        latent = latent_width(self.masked_input.width, config)
        self.encoder = ResidualMLP(self.masked_input.width, config.width, config.depth)
        self.mean = nn.Linear(config.width, latent)
        self.log_variance = nn.Linear(config.width, latent)
        self.decoder = nn.Sequential(
            ResidualMLP(latent, config.width, config.depth),
            nn.Linear(config.width, self.columns.width),
        )

    def errors(self, batch: Tensor) -> Tensor:
        row = Row(batch, self.layout)
        values = self.columns(row)
        mean, log_variance = self._code(values, row)
        deviation = (0.5 * log_variance).exp()
        if self.training:
            codes = [mean + deviation * torch.randn_like(mean)]
        else:
            codes = [mean + side * deviation for side in (-_SPREAD, 0.0, _SPREAD)]
        squared = [(self.decoder(code).float() - values).square() for code in codes]
        return self.columns.errors(torch.stack(squared).mean(dim=0), row)

    def penalty(self, batch: Tensor) -> Tensor:
        """The divergence of a row's codes from the standard normal distribution, in nats [rows]."""
        row = Row(batch, self.layout)
        mean, log_variance = self._code(self.columns(row), row)
        divergence = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=1)
        return 2 * _DECODER_VARIANCE * divergence / self.columns.width

    def reconstruct(self, batch: Tensor) -> Tensor:
        row = Row(batch, self.layout)
        mean, _ = self._code(self.columns(row), row)
        return self.columns.rows(self.decoder(mean))

    def _code(self, values: Tensor, row: Row) -> tuple[Tensor, Tensor]:
        hidden = self.encoder(self.masked_input(self.columns.clipped(values), row.missing))
        return self.mean(hidden), self.log_variance(hidden).clamp(*_LOG_VARIANCE_RANGE)
