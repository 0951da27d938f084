"""A bottleneck autoencoder that is never worse than principal components: rows as a few numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder, HiddenLayers
from aedetect.models.pca import components
from aedetect.models.standardize import StraightColumns

# A code keeps this share of the variance where its width is not set, within the bounds.
EXPLAINED = 0.9
MOST_CHOSEN = 64
_DEPTH = 2
_NOISE = 0.05


class CodeAutoencoder(Autoencoder):
    """Principal components, and what a network adds to them on the way in and out.

    A linear autoencoder finds the principal components (Baldi & Hornik, 1989). Here the code is
    z = Bᵀ(x - c) + f(x), and a row is rebuilt as c + B z + g(z), with networks f and g that start
    at zero: what is curved in the data is theirs to find (Hinton & Salakhutdinov, 2006), and where
    held-out rows gain nothing from them, they stay zero.

    Shape: [rows, features] → codes [rows, size] → [rows, features].
    """

    basis: Tensor
    center: Tensor
    spread: Tensor
    residual: Tensor

    def __init__(self, layout: Layout, config: ModelConfig, size: int):
        super().__init__(layout, config)
        self.columns = StraightColumns(layout)
        width = self.columns.width
        self.size = size
        self.entrance = HiddenLayers(width, config.width, _DEPTH)
        self.bend = nn.Linear(config.width, size)
        self.exit = HiddenLayers(size, config.width, _DEPTH)
        self.unbend = nn.Linear(config.width, width)
        self.register_buffer("basis", torch.zeros(width, size))
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("spread", torch.ones(size))
        self.register_buffer("residual", torch.ones(width))
        self.make_linear()

    def make_linear(self) -> None:
        """Principal components alone: the networks add nothing."""
        with torch.no_grad():
            for layer in (self.bend, self.unbend):
                layer.weight.zero_()
                layer.bias.zero_()

    def fit_linear(self, rows: Tensor) -> None:
        """Set the principal components from `rows` [rows, features]."""
        self.columns.fit(rows)
        values, _ = self.columns(rows)
        self.center.copy_(values.mean(dim=0))
        centered = values - self.center
        vectors, variances = components(centered, self.size)
        self.basis.copy_(vectors[:, : self.size])
        self.spread.copy_(variances[: self.size].clamp_min(1e-12).sqrt())
        left = centered - centered @ self.basis @ self.basis.T
        self.residual.copy_(left.square().mean(dim=0).sqrt())

    def encode(self, batch: Tensor) -> Tensor:
        """Codes [rows, size] of encoded rows."""
        values, _ = self.columns(batch)
        return self._codes(values)

    def decode(self, codes: Tensor) -> Tensor:
        """Encoded rows [rows, features] from codes [rows, size]."""
        return self.columns.rows(self._values(codes))

    def errors(self, batch: Tensor) -> Tensor:
        values, missing = self.columns(batch)
        codes = self._codes(values)
        if self.training:
            codes = codes + _NOISE * self.spread * torch.randn_like(codes)
        return self.columns.errors((self._values(codes) - values).square(), missing)

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self.decode(self.encode(batch))

    def _codes(self, values: Tensor) -> Tensor:
        bent = self.bend(self.entrance(values.asinh())) * self.spread
        return (values - self.center) @ self.basis + bent  # type: ignore[no-any-return]

    def _values(self, codes: Tensor) -> Tensor:
        added = self.unbend(self.exit((codes / self.spread).asinh())) * self.residual
        return self.center + codes @ self.basis.T + added  # type: ignore[no-any-return]


def chosen_size(rows: Tensor, layout: Layout) -> int:
    """The least number of components that explain `EXPLAINED` of the variance of encoded `rows`."""
    columns = StraightColumns(layout).to(rows.device)
    columns.fit(rows)
    values, _ = columns(rows)
    centered = values - values.mean(dim=0)
    _, variances = components(centered)
    total = centered.square().mean(dim=0).sum().clamp_min(1e-12)
    enough = int((variances.cumsum(dim=0) / total < EXPLAINED).sum()) + 1
    return max(1, min(enough, len(variances), MOST_CHOSEN))


def code_size(tensors: dict[str, Any]) -> int:
    """Numbers in a code, from the stored tensors of a `CodeAutoencoder`."""
    return int(tensors["basis"].shape[1])
