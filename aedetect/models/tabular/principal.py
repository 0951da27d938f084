"""Linear autoencoders of three widths beside a denoiser: for tables of categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.buffers import DataSizedBuffers
from aedetect.models.layers import Row, typical
from aedetect.models.pca import Decomposition, principal_components
from aedetect.models.tabular.denoising import DenoisingAutoencoder

# What a code keeps of the variance of the training rows, for each width.
KEPT_VARIANCE = (0.3, 0.5, 0.7)
_LINEAR_WEIGHT, _DENOISER_WEIGHT = 1.0, 0.3
_FLOOR = 0.03
_COMPONENTS = Decomposition(exact_width=512, projections=256)


class PrincipalAutoencoder(DataSizedBuffers, Autoencoder):
    """Reconstructs a row from its first principal components, few, some and many.

    The best linear autoencoder of a given width is principal component analysis (Baldi & Hornik,
    1989). On standardised categories, which have few combinations to learn from, its errors find
    more than a deep network's. A category's error counts by its logarithm, so that one rare
    category does not outweigh all else. A row's error is the geometric mean over the widths and
    the denoiser, each relative to a typical validation row.

    Shape: [rows, features] → errors [rows, features].
    """

    basis: Tensor
    center: Tensor
    counts: Tensor
    level: Tensor
    typical: Tensor

    data_sized: ClassVar[Mapping[str, int]] = {"basis": 1}

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        self.denoiser = DenoisingAutoencoder(layout, config)
        self.columns = self.denoiser.columns
        width = self.columns.width
        # These names stand in model files.
        self.register_buffer("basis", torch.zeros(width, 1))
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("counts", torch.ones(len(KEPT_VARIANCE), dtype=torch.long))
        self.register_buffer("level", torch.ones(len(KEPT_VARIANCE)))
        self.register_buffer("typical", torch.ones(len(KEPT_VARIANCE)))

    def errors(self, batch: Tensor) -> Tensor:
        if self.training:
            return self.denoiser.errors(batch)
        denoised = self.denoiser.errors(batch)
        shares, logarithms = [], []
        for index, squared in enumerate(self._squared(batch)):
            weighted = self._weighted(squared, self.level[index])
            total = weighted.sum(dim=1, keepdim=True)
            shares.append(weighted / total.clamp_min(1e-12))
            logarithms.append(_LINEAR_WEIGHT * (total / self.typical[index] + _FLOOR).log())
        whole = denoised.mean(dim=1, keepdim=True)
        shares.append(denoised / (whole * batch.shape[1]).clamp_min(1e-12))
        # Half: the denoiser's is a squared distance, the others are logarithms of such.
        logarithms.append(0.5 * _DENOISER_WEIGHT * (whole + _FLOOR).log())
        weight = _LINEAR_WEIGHT * len(KEPT_VARIANCE) + _DENOISER_WEIGHT
        score = (torch.stack(logarithms).sum(dim=0) / weight).exp()
        return torch.stack(shares).mean(dim=0) * score * batch.shape[1]

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self.denoiser.reconstruct(batch)

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        self.denoiser.fit_score_normalisation(validation, learned, outlier_candidates)
        row = Row(learned[~outlier_candidates], self.layout)
        values = self.columns.clipped(self.columns(row))
        self.center = values.mean(dim=0)
        centered = values - self.center
        self.basis, eigenvalues = principal_components(centered, _COMPONENTS)
        explained = eigenvalues.cumsum(dim=0) / centered.square().sum().clamp_min(1e-12)
        shares = torch.tensor(KEPT_VARIANCE, device=explained.device, dtype=explained.dtype)
        self.counts = (torch.searchsorted(explained, shares) + 1).clamp_max(len(explained))
        self.basis = self.basis[:, : int(self.counts.max())].contiguous()
        for index, squared in enumerate(self._squared(validation)):
            each = squared.sum(dim=1) / self.columns.width
            self.level[index] = typical(each, least=1e-6)
            total = self._weighted(squared, self.level[index]).sum(dim=1)
            self.typical[index] = typical(total, least=1e-6)

    def _squared(self, batch: Tensor) -> list[Tensor]:
        """Squared deviations [rows, features] of each width's reconstruction."""
        row = Row(batch, self.layout)
        values = self.columns(row)
        codes = (self.columns.clipped(values) - self.center) @ self.basis
        squared = []
        for count in self.counts.tolist():
            reconstructed = self.center + codes[:, :count] @ self.basis[:, :count].T
            squared.append(self.columns.errors((values - reconstructed).square(), row))
        return squared

    def _weighted(self, squared: Tensor, level: Tensor) -> Tensor:
        """Numbers' deviations relative to `level`, those of categories by their logarithm."""
        relative = squared / level
        numbers, categories = relative.tensor_split([self.layout.numeric], dim=1)
        return torch.cat([numbers, categories.log1p()], dim=1)
