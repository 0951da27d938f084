"""The classic: a dense autoencoder through a narrow middle."""

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


class BottleneckEvaluation(RowEvaluation):
    """Compresses a row to a few numbers and reconstructs it (Hinton & Salakhutdinov, 2006).

    The latent code has half the input's width, at most a quarter of the hidden layers'.

    Shape: [rows, features] → errors [rows, features].
    """

    def __init__(self, layout: Layout, config: ModelConfig, arrays: Arrays):
        super().__init__(layout, config, arrays)
        self.columns = Columns(layout, arrays.under("columns"))
        self.masked_input = MaskedInput(layout, self.columns.width, arrays.under("masked_input"))
        start, width, depth = self.masked_input.width, config.width, config.depth
        latent = latent_width(start, config)
        self._encoder = ResidualMLP(arrays.under("encoder.0"), start, width, depth)
        self._code = Linear(arrays.under("encoder.1"), width, latent)
        self._decoder = ResidualMLP(arrays.under("decoder.0"), latent, width, depth)
        self._last = Linear(arrays.under("decoder.1"), width, self.columns.width)

    def errors(self, batch: Array) -> Array:
        row = Row(batch, self.layout)
        values = self.columns(row)
        return self.errors_of(values, self.columns.clipped(values), row)

    def reconstruct(self, batch: Array) -> Array:
        row = Row(batch, self.layout)
        return self.columns.rows(self._reconstructed(self.columns.clipped(self.columns(row)), row))

    def errors_of(self, values: Array, inputs: Array, row: Row) -> Array:
        """Errors [rows, features] of reconstructing `values` [rows, width] from `inputs` [rows, width]."""
        squared = namespace(values).square(self._reconstructed(inputs, row) - values)
        return self.columns.errors(squared, row)

    def _reconstructed(self, inputs: Array, row: Row) -> Array:
        return self._last(self._decoder(self._code(self._encoder(self.masked_input(inputs, row.missing)))))
