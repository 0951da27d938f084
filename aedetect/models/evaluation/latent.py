"""Rows to codes and back: what `encode` and `decode` compute."""

from __future__ import annotations

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.base import RowEvaluation
from aedetect.models.evaluation.kernels import matmul, namespace
from aedetect.models.evaluation.layers import Linear, ResidualMLP
from aedetect.models.evaluation.standardize import StandardizedColumns, log_compressed

# Layers of each of the two networks.
DEPTH = 2


class LatentEvaluation(RowEvaluation):
    """Principal components, and what a network adds to them on the way in and out.

    A linear autoencoder finds the principal components (Baldi & Hornik, 1989). Here the code is
    z = Bᵀ(x - c) + f(x), and a row is reconstructed as c + B z + g(z), with networks f and g that start
    at zero: what is curved in the data is theirs to find (Hinton & Salakhutdinov, 2006), and where
    validation rows gain nothing from them, they stay zero.

    Shape: [rows, features] → codes [rows, size] → [rows, features].
    """

    def __init__(self, layout: Layout, config: ModelConfig, arrays: Arrays):
        self.layout, self.arrays = layout, arrays
        self.columns = StandardizedColumns(layout, arrays.under("columns"))
        width = self.columns.width
        self.size = arrays.size("basis", -1)
        self.basis = arrays.take("basis", width, self.size)
        self.center = arrays.take("center", width)
        self.spread = arrays.take("spread", self.size)
        self.residual = arrays.take("residual", width)
        self._entrance = ResidualMLP(arrays.under("entrance"), width, config.width, DEPTH)
        self._bend = Linear(arrays.under("bend"), config.width, self.size)
        self._exit = ResidualMLP(arrays.under("exit"), self.size, config.width, DEPTH)
        self._unbend = Linear(arrays.under("unbend"), config.width, width)

    def encode(self, batch: Array) -> Array:
        """Codes [rows, size] of encoded rows."""
        values, _ = self.columns(batch)
        return self.codes_of(values)

    def decode(self, codes: Array) -> Array:
        """Encoded rows [rows, features] from codes [rows, size]."""
        return self.columns.rows(self.values_of(codes))

    def errors(self, batch: Array) -> Array:
        values, missing = self.columns(batch)
        rebuilt = self.values_of(self.codes_of(values))
        return self.columns.errors(namespace(values).square(rebuilt - values), missing)

    def reconstruct(self, batch: Array) -> Array:
        return self.decode(self.encode(batch))

    def codes_of(self, values: Array) -> Array:
        """Codes [rows, size] of standardised values [rows, width]."""
        added = self._bend(self._entrance(log_compressed(values))) * self.spread
        return matmul(values - self.center, self.basis) + added

    def values_of(self, codes: Array) -> Array:
        """Standardised values [rows, width] from codes [rows, size]."""
        added = self._unbend(self._exit(log_compressed(codes / self.spread))) * self.residual
        return self.center + matmul(codes, self.basis.T) + added
