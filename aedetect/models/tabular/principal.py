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
from aedetect.models.evaluation.layers import Row, columns_width
from aedetect.models.evaluation.principal import KEPT_VARIANCE, PrincipalEvaluation
from aedetect.models.layers import typical
from aedetect.models.live import live_arrays
from aedetect.models.pca import Decomposition, principal_components
from aedetect.models.tabular.denoising import DenoisingAutoencoder

_COMPONENTS = Decomposition(exact_width=512, projections=256)


class PrincipalAutoencoder(DataSizedBuffers, Autoencoder):
    """Learns principal components beside a denoiser; see `evaluation.principal`."""

    evaluation_class = PrincipalEvaluation

    basis: Tensor
    center: Tensor
    counts: Tensor
    level: Tensor
    typical: Tensor

    data_sized: ClassVar[Mapping[str, int]] = {"basis": 1}

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        self.denoiser = DenoisingAutoencoder(layout, config)
        width = columns_width(layout)
        # These names stand in model files.
        self.register_buffer("basis", torch.zeros(width, 1))
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("counts", torch.ones(len(KEPT_VARIANCE), dtype=torch.long))
        self.register_buffer("level", torch.ones(len(KEPT_VARIANCE)))
        self.register_buffer("typical", torch.ones(len(KEPT_VARIANCE)))

    def objective(self, batch: Tensor) -> Tensor:
        return self.denoiser.objective(batch)

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        self.denoiser.fit_score_normalisation(validation, learned, outlier_candidates)
        columns, row = self._evaluation().columns, Row(learned[~outlier_candidates], self.layout)
        values = columns.clipped(columns(row))
        self.center = values.mean(dim=0)
        centered = values - self.center
        self.basis, eigenvalues = principal_components(centered, _COMPONENTS)
        explained = eigenvalues.cumsum(dim=0) / centered.square().sum().clamp_min(1e-12)
        shares = torch.tensor(KEPT_VARIANCE, device=explained.device, dtype=explained.dtype)
        self.counts = (torch.searchsorted(explained, shares) + 1).clamp_max(len(explained))
        self.basis = self.basis[:, : int(self.counts.max())].contiguous()
        judge = self._evaluation()
        for index, squared in enumerate(judge.squared(validation)):
            each = squared.sum(dim=1) / judge.columns.width
            self.level[index] = typical(each, least=1e-6)
            total = judge.weighted(squared, self.level[index]).sum(dim=1)
            self.typical[index] = typical(total, least=1e-6)

    def _evaluation(self) -> PrincipalEvaluation:
        return PrincipalEvaluation(self.layout, self.config, live_arrays(self))
