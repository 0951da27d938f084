"""The classic: a dense autoencoder through a narrow middle, with a little noise at its input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.evaluation.bottleneck import BottleneckEvaluation
from aedetect.models.evaluation.layers import Row, columns_width, latent_width, masked_width
from aedetect.models.layers import ResidualMLP
from aedetect.models.live import live_arrays

_NOISE = 0.2


class BottleneckAutoencoder(Autoencoder):
    """Learns to compress a row to a few numbers, with noise at its input; see `evaluation.bottleneck`."""

    evaluation_class = BottleneckEvaluation

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        width = columns_width(layout)
        start = masked_width(layout, width)
        latent = latent_width(start, config)
        self.encoder = nn.Sequential(
            ResidualMLP(start, config.width, config.depth),
            nn.Linear(config.width, latent),
        )
        self.decoder = nn.Sequential(
            ResidualMLP(latent, config.width, config.depth),
            nn.Linear(config.width, width),
        )

    def objective(self, batch: Tensor) -> Tensor:
        judge = BottleneckEvaluation(self.layout, self.config, live_arrays(self))
        row = Row(batch, self.layout)
        values = judge.columns(row)
        inputs = judge.columns.clipped(values)
        noisy = judge.columns.without_gaps(inputs + _NOISE * torch.randn_like(inputs), row)
        errors: Tensor = judge.errors_of(values, noisy, row)
        return errors
