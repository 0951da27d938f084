"""A variational autoencoder: a latent code with a known distribution, and a variance for each row."""

from __future__ import annotations

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.base import RowEvaluation
from aedetect.models.evaluation.kernels import namespace
from aedetect.models.evaluation.layers import (
    Columns,
    Linear,
    MaskedInput,
    ResidualMLP,
    Row,
    latent_width,
)

_LOG_VARIANCE_RANGE = (-8.0, 4.0)
# Points of the code's distribution that are decoded for a row's error, in standard deviations.
_SPREAD = 1.0


class VariationalEvaluation(RowEvaluation):
    """Encodes a row as a normal distribution over codes, near the standard one (Kingma & Welling, 2014).

    A row's error is that of the code's mean and of one code a standard deviation to each side of it,
    averaged (reconstruction probability: An & Cho, 2015, without drawing at random).

    Shape: [rows, features] → errors [rows, features].
    """

    def __init__(self, layout: Layout, config: ModelConfig, arrays: Arrays):
        super().__init__(layout, config, arrays)
        self.columns = Columns(layout, arrays.under("columns"))
        self.masked_input = MaskedInput(layout, self.columns.width, arrays.under("masked_input"))
        start, width, depth = self.masked_input.width, config.width, config.depth
        latent = latent_width(start, config)
        self.encoder = ResidualMLP(arrays.under("encoder"), start, width, depth)
        self.mean = Linear(arrays.under("mean"), width, latent)
        self.log_variance = Linear(arrays.under("log_variance"), width, latent)
        self._hidden = ResidualMLP(arrays.under("decoder.0"), latent, width, depth)
        self._last = Linear(arrays.under("decoder.1"), width, self.columns.width)

    def errors(self, batch: Array) -> Array:
        xp, row = namespace(batch), Row(batch, self.layout)
        values = self.columns(row)
        mean, log_variance = self.code(values, row)
        deviation = xp.exp(0.5 * log_variance)
        codes = [mean + side * deviation for side in (-_SPREAD, 0.0, _SPREAD)]
        squared = [xp.square(self.decoded(code) - values) for code in codes]
        return self.columns.errors(xp.mean(xp.stack(squared, axis=0), axis=0), row)

    def reconstruct(self, batch: Array) -> Array:
        row = Row(batch, self.layout)
        mean, _ = self.code(self.columns(row), row)
        return self.columns.rows(self.decoded(mean))

    def code(self, values: Array, row: Row) -> tuple[Array, Array]:
        """Means and log variances [rows, codes] of the codes of values [rows, width]."""
        hidden = self.encoder(self.masked_input(self.columns.clipped(values), row.missing))
        return self.mean(hidden), namespace(hidden).clip(self.log_variance(hidden), *_LOG_VARIANCE_RANGE)

    def decoded(self, codes: Array) -> Array:
        """Values [rows, width] of codes [rows, codes]."""
        return self._last(self._hidden(codes))
