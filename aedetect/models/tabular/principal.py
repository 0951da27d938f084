"""Linear autoencoders of three widths beside a denoiser: for tables of categories."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder, Row
from aedetect.models.tabular.denoising import DenoisingAutoencoder

# What a code keeps of the variance of the training rows, for each width.
KEPT_VARIANCE = (0.3, 0.5, 0.7)
_LINEAR_WEIGHT, _DENOISER_WEIGHT = 1.0, 0.3
_FLOOR = 0.03
# Wider tables get this many components at most, found by random projection (Halko et al., 2011).
_EXACT_WIDTH, _MOST_COMPONENTS = 512, 256


class PrincipalAutoencoder(Autoencoder):
    """Rebuilds a row from its first principal components, few, some and many.

    The best linear autoencoder of a given width is principal component analysis (Baldi & Hornik,
    1989). On standardised categories, which have few combinations to learn from, its errors find
    more than a deep network's. A category's error counts by its logarithm, so that one rare
    category does not outweigh all else. A row's error is the geometric mean over the widths and
    the denoiser, each relative to a typical held-out row.

    Shape: [rows, features] → errors [rows, features].
    """

    basis: Tensor
    center: Tensor
    counts: Tensor
    level: Tensor
    typical: Tensor

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        self.denoiser = DenoisingAutoencoder(layout, config)
        self.columns = self.denoiser.columns
        width = self.columns.width
        self.register_buffer("basis", torch.zeros(width, 1))
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("counts", torch.ones(len(KEPT_VARIANCE), dtype=torch.long))
        self.register_buffer("level", torch.ones(len(KEPT_VARIANCE)))
        self.register_buffer("typical", torch.ones(len(KEPT_VARIANCE)))

    def errors(self, batch: Tensor) -> Tensor:
        if self.training:
            return self.denoiser.errors(batch)
        pulled = self.denoiser.errors(batch)
        shares, logarithms = [], []
        for index, squared in enumerate(self._squared(batch)):
            weighed = self._weighed(squared, self.level[index])
            total = weighed.sum(dim=1, keepdim=True)
            shares.append(weighed / total.clamp_min(1e-12))
            logarithms.append(_LINEAR_WEIGHT * (total / self.typical[index] + _FLOOR).log())
        whole = pulled.mean(dim=1, keepdim=True)
        shares.append(pulled / (whole * batch.shape[1]).clamp_min(1e-12))
        # Half: the denoiser's is a squared distance, the others are logarithms of such.
        logarithms.append(0.5 * _DENOISER_WEIGHT * (whole + _FLOOR).log())
        weight = _LINEAR_WEIGHT * len(KEPT_VARIANCE) + _DENOISER_WEIGHT
        score = (torch.stack(logarithms).sum(dim=0) / weight).exp()
        return torch.stack(shares).mean(dim=0) * score * batch.shape[1]

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self.denoiser.reconstruct(batch)

    def fit_reference(self, held_out: Tensor, learned: Tensor, suspect: Tensor) -> None:
        self.denoiser.fit_reference(held_out, learned, suspect)
        row = Row(learned[~suspect], self.layout)
        values = self.columns.clipped(self.columns(row))
        self.center = values.mean(dim=0)
        self.basis, kept = _components(values - self.center)
        shares = torch.tensor(KEPT_VARIANCE, device=kept.device, dtype=kept.dtype)
        self.counts = (torch.searchsorted(kept, shares) + 1).clamp_max(len(kept))
        self.basis = self.basis[:, : int(self.counts.max())].contiguous()
        for index, squared in enumerate(self._squared(held_out)):
            each = squared.sum(dim=1) / self.columns.width
            self.level[index] = (each.median() + 0.01 * each.mean()).clamp_min(1e-6)
            total = self._weighed(squared, self.level[index]).sum(dim=1)
            self.typical[index] = (total.median() + 0.01 * total.mean()).clamp_min(1e-6)

    def _squared(self, batch: Tensor) -> list[Tensor]:
        """Squared deviations [rows, features] of each width's reconstruction."""
        row = Row(batch, self.layout)
        values = self.columns(row)
        codes = (self.columns.clipped(values) - self.center) @ self.basis
        found = []
        for count in self.counts.tolist():
            rebuilt = self.center + codes[:, :count] @ self.basis[:, :count].T
            found.append(self.columns.errors((values - rebuilt).square(), row))
        return found

    def _weighed(self, squared: Tensor, level: Tensor) -> Tensor:
        """Numbers' deviations relative to `level`, those of categories by their logarithm."""
        relative = squared / level
        numbers, categories = relative.tensor_split([self.layout.numeric], dim=1)
        return torch.cat([numbers, categories.log1p()], dim=1)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        # How many components there are depends on the data: take the file's number before its values.
        basis = state_dict.get(prefix + "basis")
        if isinstance(basis, Tensor) and basis.dim() == 2:
            self.basis = self.basis.new_empty(len(self.basis), basis.shape[1])
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _components(centered: Tensor) -> tuple[Tensor, Tensor]:
    """Principal directions [width, components] and the share of variance that the first ones keep."""
    total = centered.square().sum().clamp_min(1e-12)
    if centered.shape[1] <= _EXACT_WIDTH:
        variances, vectors = torch.linalg.eigh(centered.T @ centered)
        variances, vectors = variances.flip(0).clamp_min(0), vectors.flip(1)
    else:
        most = min(_MOST_COMPONENTS, *centered.shape)
        _, values, vectors = torch.pca_lowrank(centered, q=most, center=False)
        variances = values.square()
    return vectors, variances.cumsum(dim=0) / total
