"""A variational autoencoder: a latent code with a known distribution, and a variance for each row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.evaluation.layers import Row, columns_width, latent_width, masked_width
from aedetect.models.evaluation.variational import VariationalEvaluation
from aedetect.models.layers import ResidualMLP
from aedetect.models.live import live_arrays

# The divergence is per row and the errors are averaged over features; with the noise of the
# decoder taken as a tenth of a column's spread the two are of one scale.
_DECODER_VARIANCE = 0.1


class VariationalAutoencoder(Autoencoder):
    """Learns to encode a row as a normal distribution over codes, of which training draws one.

    See `evaluation.variational`.
    """

    evaluation_class = VariationalEvaluation

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        width = columns_width(layout)
        start = masked_width(layout, width)
        latent = latent_width(start, config)
        self.encoder = ResidualMLP(start, config.width, config.depth)
        self.mean = nn.Linear(config.width, latent)
        self.log_variance = nn.Linear(config.width, latent)
        self.decoder = nn.Sequential(
            ResidualMLP(latent, config.width, config.depth),
            nn.Linear(config.width, width),
        )

    def objective(self, batch: Tensor) -> Tensor:
        judge, row = self._evaluation(), Row(batch, self.layout)
        values = judge.columns(row)
        mean, log_variance = judge.code(values, row)
        code = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        errors: Tensor = judge.columns.errors((judge.decoded(code).float() - values).square(), row)
        return errors

    def penalty(self, batch: Tensor) -> Tensor:
        """The divergence of a row's codes from the standard normal distribution, in nats [rows]."""
        judge, row = self._evaluation(), Row(batch, self.layout)
        mean, log_variance = judge.code(judge.columns(row), row)
        divergence: Tensor = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=1)
        return 2 * _DECODER_VARIANCE * divergence / judge.columns.width

    def _evaluation(self) -> VariationalEvaluation:
        return VariationalEvaluation(self.layout, self.config, live_arrays(self))
