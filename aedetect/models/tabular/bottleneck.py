"""The classic: a dense autoencoder through a narrow middle, with a little noise at its input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder, Columns, Entrance, HiddenLayers, Row, latent_width

_NOISE = 0.2


class BottleneckAutoencoder(Autoencoder):
    """Compresses a row to a few numbers and rebuilds it (Hinton & Salakhutdinov, 2006).

    The latent code has half the input's width, at most a quarter of the hidden layers'.
    Shape: [rows, features] → errors [rows, features].
    """

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        self.columns = Columns(layout)
        self.entrance = Entrance(layout, self.columns.width)
        latent = latent_width(self.entrance.width, config)
        self.encoder = nn.Sequential(
            HiddenLayers(self.entrance.width, config.width, config.depth),
            nn.Linear(config.width, latent),
        )
        self.decoder = nn.Sequential(
            HiddenLayers(latent, config.width, config.depth),
            nn.Linear(config.width, self.columns.width),
        )

    def errors(self, batch: Tensor) -> Tensor:
        row = Row(batch, self.layout)
        values = self.columns(row)
        return self.columns.errors((self._rebuilt(values, row).float() - values).square(), row)

    def reconstruct(self, batch: Tensor) -> Tensor:
        row = Row(batch, self.layout)
        return self.columns.rows(self._rebuilt(self.columns(row), row))

    def _rebuilt(self, values: Tensor, row: Row) -> Tensor:
        entering = self.columns.clipped(values)
        if self.training:
            noisy = entering + _NOISE * torch.randn_like(entering)
            entering = self.columns.without_gaps(noisy, row)
        return self.decoder(self.encoder(self.entrance(entering, row.missing)))  # type: ignore[no-any-return]
