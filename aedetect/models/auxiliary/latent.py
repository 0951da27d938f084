"""A bottleneck autoencoder that is never worse than principal components: the network behind `encode`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.layers import ResidualMLP
from aedetect.models.pca import AUXILIARY_COMPONENTS, principal_components
from aedetect.models.standardize import StandardizedColumns, log_compressed

# A code keeps this share of the variance where its width is not set, within the bounds; it is to be
# smaller than the row: as long as half of its columns, at most.
EXPLAINED = 0.9
LEAST_CHOSEN, MOST_CHOSEN = 2, 64
_DEPTH = 2
_NOISE = 0.05


class LatentAutoencoder(Autoencoder):
    """Principal components, and what a network adds to them on the way in and out.

    A linear autoencoder finds the principal components (Baldi & Hornik, 1989). Here the code is
    z = Bᵀ(x - c) + f(x), and a row is reconstructed as c + B z + g(z), with networks f and g that start
    at zero: what is curved in the data is theirs to find (Hinton & Salakhutdinov, 2006), and where
    validation rows gain nothing from them, they stay zero.

    Shape: [rows, features] → codes [rows, size] → [rows, features].
    """

    basis: Tensor
    center: Tensor
    spread: Tensor
    residual: Tensor

    def __init__(self, layout: Layout, config: ModelConfig, size: int):
        super().__init__(layout, config)
        self.columns = StandardizedColumns(layout)
        width = self.columns.width
        self.size = size
        # These names stand in model files: `bend` and `unbend` are the last layers of f and g.
        self.entrance = ResidualMLP(width, config.width, _DEPTH)
        self.bend = nn.Linear(config.width, size)
        self.exit = ResidualMLP(size, config.width, _DEPTH)
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
        directions, variances = principal_components(centered, AUXILIARY_COMPONENTS, self.size)
        self.basis.copy_(directions[:, : self.size])
        self.spread.copy_(variances[: self.size].clamp_min(1e-12).sqrt())
        residual = centered - centered @ self.basis @ self.basis.T
        self.residual.copy_(residual.square().mean(dim=0).sqrt())

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
        added = self.bend(self.entrance(log_compressed(values))) * self.spread
        return (values - self.center) @ self.basis + added  # type: ignore[no-any-return]

    def _values(self, codes: Tensor) -> Tensor:
        added = self.unbend(self.exit(log_compressed(codes / self.spread))) * self.residual
        return self.center + codes @ self.basis.T + added  # type: ignore[no-any-return]


def chosen_size(rows: Tensor, layout: Layout, columns_learned: int) -> int:
    """The least number of components that explain `EXPLAINED` of the variance of encoded `rows`.

    About half of the columns at most, and fewer than there are, but for a single one.
    """
    columns = StandardizedColumns(layout).to(rows.device)
    columns.fit(rows)
    values, _ = columns(rows)
    centered = values - values.mean(dim=0)
    _, variances = principal_components(centered, AUXILIARY_COMPONENTS)
    total = centered.square().mean(dim=0).sum().clamp_min(1e-12)
    enough = int((variances.cumsum(dim=0) / total < EXPLAINED).sum()) + 1
    half = min(-(-columns_learned // 2), MOST_CHOSEN)
    least = LEAST_CHOSEN if columns_learned > LEAST_CHOSEN else 1
    return max(1, min(max(enough, least), max(half, least), len(variances)))
