"""The classic: a dense autoencoder through a narrow middle, with a little noise at its input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.features.layout import Layout
from aedetect.models.base import Autoencoder, HiddenLayers, Row, RowInput, RowOutput, corrupt_codes

_NOISE = 0.2
_SWAP, _MASK = 0.1, 0.02


class BottleneckAutoencoder(Autoencoder):
    """Compresses a row to a few numbers and rebuilds it (Hinton & Salakhutdinov, 2006).

    The latent code has half the input's width, at most a quarter of the hidden layers'.
    Shape: [rows, features] → errors [rows, features].
    """

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        self.input = RowInput(layout)
        latent = max(1, min(self.input.width // 2, config.width // 4))
        self.encoder = nn.Sequential(
            HiddenLayers(self.input.width, config.width, config.depth),
            nn.Linear(config.width, latent),
        )
        self.decoder = HiddenLayers(latent, config.width, config.depth)
        self.output = RowOutput(layout, config.width)

    def errors(self, batch: Tensor) -> Tensor:
        row = Row(batch, self.layout)
        return self.output.errors(*self._predict(row), row)

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self.output.values(*self._predict(Row(batch, self.layout)))

    def _predict(self, row: Row) -> tuple[Tensor, list[Tensor]]:
        numbers, codes = row.numbers, row.codes
        if self.training:
            numbers = torch.where(row.missing, 0.0, numbers + _NOISE * torch.randn_like(numbers))
            swap = torch.full((len(codes), 1), _SWAP, device=codes.device)
            codes = corrupt_codes(codes, self.layout, swap, _MASK)
        return self.output(self.decoder(self.encoder(self.input(numbers, row.missing, codes))))  # type: ignore[no-any-return]
