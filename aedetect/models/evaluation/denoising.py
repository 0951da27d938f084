"""A noise-conditional denoising autoencoder: by itself, and a part of `memory` and `principal`."""

from __future__ import annotations

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.base import RowEvaluation
from aedetect.models.evaluation.kernels import namespace
from aedetect.models.evaluation.layers import Columns, Linear, MaskedInput, ResidualMLP, Row

# A faint and a strong noise level see different anomalies; levels between them add nothing.
SCORING_NOISE = (0.1, 1.0)
NOISE_FEATURES = 3


class DenoisingEvaluation(RowEvaluation):
    """Reconstructs rows from noisy copies, told how noisy they are; scored on the clean row.

    A denoiser pulls a row towards where normal rows are dense (Alain & Bengio, 2014); the pull on
    a clean row, relative to that on validation rows and averaged over noise levels, is its
    reconstruction error. Without a bottleneck it cannot lose what is normal, and with noise it
    cannot copy what is not (Vincent et al., 2008). Noise σ is drawn log-uniformly per row; inputs,
    outputs and the loss are balanced over σ as by Karras et al. (2022): the network F predicts
    what is to be added to x / (1 + σ²), and squared errors weigh (1 + σ²) / σ².

    Shape: [rows, features] → errors [rows, features].
    """

    def __init__(self, layout: Layout, config: ModelConfig, arrays: Arrays):
        super().__init__(layout, config, arrays)
        self.columns = Columns(layout, arrays.under("columns"))
        self.masked_input = MaskedInput(layout, self.columns.width, arrays.under("masked_input"))
        start, width = self.masked_input.width + NOISE_FEATURES, config.width
        self.hidden = ResidualMLP(arrays.under("hidden"), start, width, config.depth)
        self.change = Linear(arrays.under("change"), width, self.columns.width)
        self.reference = arrays.take("reference", len(SCORING_NOISE))

    def errors(self, batch: Array) -> Array:
        return self.clean_pass(batch)[0]

    def clean_pass(self, batch: Array) -> tuple[Array, Array]:
        """Errors [rows, features] without noise, and the last hidden state [rows, width] at strong noise."""
        row = Row(batch, self.layout)
        values = self.columns(row)
        total: Array = 0.0
        hidden = batch
        for index, level in enumerate(SCORING_NOISE):
            errors, hidden = self.errors_at(row, values, values, noise_level(row, level))
            total = total + errors / self.reference[index]
        return total / len(SCORING_NOISE), hidden

    def reconstruct(self, batch: Array) -> Array:
        row = Row(batch, self.layout)
        values = self.columns(row)
        return self.columns.rows(self._predict(row, values, noise_level(row, SCORING_NOISE[-1]))[0])

    def errors_at(self, row: Row, values: Array, noisy: Array, sigma: Array) -> tuple[Array, Array]:
        """Errors [rows, features] of denoising `noisy` [rows, width] to `values`, and the hidden state.

        `sigma` [rows, 1] is the noise level of each row.
        """
        xp = namespace(values)
        predicted, hidden = self._predict(row, noisy, sigma)
        squared = xp.square(xp.astype(predicted, values.dtype) - values) * ((1 + sigma**2) / sigma**2)
        return self.columns.errors(squared, row), hidden

    def _predict(self, row: Row, values: Array, sigma: Array) -> tuple[Array, Array]:
        """Denoised values [rows, width], and the last hidden state [rows, hidden width]."""
        xp = namespace(values)
        shrink = 1 + sigma**2
        clipped = self.columns.without_gaps(self.columns.clipped(values), row)
        level = xp.log(sigma)
        noise = xp.concat([level / 1.5 + 0.6, xp.sin(level), xp.cos(level)], axis=1)
        seen = self.masked_input(clipped / xp.sqrt(shrink), row.missing)
        hidden = self.hidden(xp.concat([seen, noise], axis=1))
        return clipped / shrink + self.change(hidden) * (sigma / xp.sqrt(shrink)), hidden


def noise_level(row: Row, level: float) -> Array:
    """The same noise level for each row [rows, 1]."""
    xp = namespace(row.numbers)
    # Of the batch's own kind and place; there is at least a column, of numbers or of codes.
    first = row.numbers[:, :1] if row.numbers.shape[1] else xp.astype(row.codes[:, :1], row.numbers.dtype)
    return xp.zeros_like(first) + level
