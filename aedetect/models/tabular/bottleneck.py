"""The classic: a dense autoencoder through a narrow middle, with a little noise at its input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.layers import Columns, MaskedInput, ResidualMLP, Row, latent_width

_NOISE = 0.2


class BottleneckAutoencoder(Autoencoder):
    """Compresses a row to a few numbers and reconstructs it (Hinton & Salakhutdinov, 2006).

    The latent code has half the input's width, at most a quarter of the hidden layers'.

    Shape: [rows, features] → errors [rows, features].
    """

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        self.columns = Columns(layout)
        self.masked_input = MaskedInput(layout, self.columns.width)
        latent = latent_width(self.masked_input.width, config)
        self.encoder = nn.Sequential(
            ResidualMLP(self.masked_input.width, config.width, config.depth),
            nn.Linear(config.width, latent),
        )
        self.decoder = nn.Sequential(
            ResidualMLP(latent, config.width, config.depth),
            nn.Linear(config.width, self.columns.width),
        )

    def errors(self, batch: Tensor) -> Tensor:
        row = Row(batch, self.layout)
        values = self.columns(row)
        return self.columns.errors((self._reconstructed(values, row).float() - values).square(), row)

    def reconstruct(self, batch: Tensor) -> Tensor:
        row = Row(batch, self.layout)
        return self.columns.rows(self._reconstructed(self.columns(row), row))

    def _reconstructed(self, values: Tensor, row: Row) -> Tensor:
        inputs = self.columns.clipped(values)
        if self.training:
            noisy = inputs + _NOISE * torch.randn_like(inputs)
            inputs = self.columns.without_gaps(noisy, row)
        return self.decoder(self.encoder(self.masked_input(inputs, row.missing)))  # type: ignore[no-any-return]
