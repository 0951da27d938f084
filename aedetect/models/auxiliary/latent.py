"""A bottleneck autoencoder that is never worse than principal components: how `encode` learns."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.evaluation.latent import DEPTH, LatentEvaluation
from aedetect.models.evaluation.layers import columns_width
from aedetect.models.layers import ResidualMLP
from aedetect.models.live import live_arrays
from aedetect.models.pca import AUXILIARY_COMPONENTS, principal_components
from aedetect.models.standardize import StandardizedColumns

# A code keeps this share of the variance where its width is not set, within the bounds; it is to be
# smaller than the row: as long as half of its columns, at most.
EXPLAINED = 0.9
LEAST_CHOSEN, MOST_CHOSEN = 2, 64
_NOISE = 0.05


class LatentAutoencoder(Autoencoder):
    """Learns codes of `size` numbers, with a little noise on them; see `evaluation.latent`."""

    evaluation_class = LatentEvaluation

    basis: Tensor
    center: Tensor
    spread: Tensor
    residual: Tensor

    def __init__(self, layout: Layout, config: ModelConfig, size: int):
        super().__init__(layout, config)
        self.columns = StandardizedColumns(layout)
        width = columns_width(layout)
        # These names stand in model files: `bend` and `unbend` are the last layers of f and g.
        self.entrance = ResidualMLP(width, config.width, DEPTH)
        self.bend = nn.Linear(config.width, size)
        self.exit = ResidualMLP(size, config.width, DEPTH)
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
        values, _ = self.columns.evaluation()(rows)
        self.center.copy_(values.mean(dim=0))
        centered = values - self.center
        size = self.basis.shape[1]
        directions, variances = principal_components(centered, AUXILIARY_COMPONENTS, size)
        self.basis.copy_(directions[:, :size])
        self.spread.copy_(variances[:size].clamp_min(1e-12).sqrt())
        residual = centered - centered @ self.basis @ self.basis.T
        self.residual.copy_(residual.square().mean(dim=0).sqrt())

    def objective(self, batch: Tensor) -> Tensor:
        coder = LatentEvaluation(self.layout, self.config, live_arrays(self))
        values, missing = coder.columns(batch)
        codes = coder.codes_of(values)
        codes = codes + _NOISE * self.spread * torch.randn_like(codes)
        errors: Tensor = coder.columns.errors((coder.values_of(codes) - values).square(), missing)
        return errors


def chosen_size(rows: Tensor, layout: Layout, columns_learned: int) -> int:
    """The least number of components that explain `EXPLAINED` of the variance of encoded `rows`.

    About half of the columns at most, and fewer than there are, but for a single one.
    """
    columns = StandardizedColumns(layout).to(rows.device)
    columns.fit(rows)
    values, _ = columns.evaluation()(rows)
    centered = values - values.mean(dim=0)
    _, variances = principal_components(centered, AUXILIARY_COMPONENTS)
    total = centered.square().mean(dim=0).sum().clamp_min(1e-12)
    enough = int((variances.cumsum(dim=0) / total < EXPLAINED).sum()) + 1
    half = min(-(-columns_learned // 2), MOST_CHOSEN)
    least = LEAST_CHOSEN if columns_learned > LEAST_CHOSEN else 1
    return max(1, min(max(enough, least), max(half, least), len(variances)))
