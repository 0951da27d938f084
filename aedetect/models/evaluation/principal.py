"""Linear autoencoders of three widths beside a denoiser: for tables of categories."""

from __future__ import annotations

from functools import cached_property

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.base import RowEvaluation
from aedetect.models.evaluation.denoising import DenoisingEvaluation
from aedetect.models.evaluation.kernels import counted, matmul, namespace, on_gpu
from aedetect.models.evaluation.layers import Row

# What a code keeps of the variance of the training rows, for each width.
KEPT_VARIANCE = (0.3, 0.5, 0.7)
_LINEAR_WEIGHT, _DENOISER_WEIGHT = 1.0, 0.3
_FLOOR = 0.03


class PrincipalEvaluation(RowEvaluation):
    """Reconstructs a row from its first principal components, few, some and many.

    The best linear autoencoder of a given width is principal component analysis (Baldi & Hornik,
    1989). On standardised categories, which have few combinations to learn from, its errors find
    more than a deep network's. A category's error counts by its logarithm, so that one rare
    category does not outweigh all else. A row's error is the geometric mean over the widths and
    the denoiser, each relative to a typical validation row.

    Shape: [rows, features] → errors [rows, features].
    """

    def __init__(self, layout: Layout, config: ModelConfig, arrays: Arrays):
        super().__init__(layout, config, arrays)
        self.denoiser = DenoisingEvaluation(layout, config, arrays.under("denoiser"))
        self.columns = self.denoiser.columns
        width = self.columns.width
        self.basis = arrays.take("basis", width, arrays.size("basis", 1))
        self.center = arrays.take("center", width)
        self._counts = arrays.take("counts", len(KEPT_VARIANCE))
        self.level = arrays.take("level", len(KEPT_VARIANCE))
        self.typical = arrays.take("typical", len(KEPT_VARIANCE))

    @cached_property
    def counts(self) -> list[int]:
        """How many components each width has."""
        return [int(count) for count in self._counts]

    def errors(self, batch: Array) -> Array:
        xp, features = namespace(batch), float(batch.shape[1])
        denoised = self.denoiser.errors(batch)
        shares, logarithms = [], []
        for index, squared in enumerate(self.squared(batch)):
            weighted = self.weighted(squared, self.level[index])
            total = xp.sum(weighted, axis=1, keepdims=True)
            shares.append(weighted / xp.clip(total, 1e-12, None))
            logarithms.append(_LINEAR_WEIGHT * xp.log(total / self.typical[index] + _FLOOR))
        whole = xp.mean(denoised, axis=1, keepdims=True)
        shares.append(denoised / xp.clip(whole * features, 1e-12, None))
        # Half: the denoiser's is a squared distance, the others are logarithms of such.
        logarithms.append(0.5 * _DENOISER_WEIGHT * xp.log(whole + _FLOOR))
        weight = _LINEAR_WEIGHT * len(KEPT_VARIANCE) + _DENOISER_WEIGHT
        score = xp.exp(xp.sum(xp.stack(logarithms, axis=0), axis=0) / weight)
        return xp.mean(xp.stack(shares, axis=0), axis=0) * score * features

    def reconstruct(self, batch: Array) -> Array:
        return self.denoiser.reconstruct(batch)

    def squared(self, batch: Array) -> list[Array]:
        """Squared deviations [rows, features] of each width's reconstruction."""
        xp, row = namespace(batch), Row(batch, self.layout)
        values = self.columns(row)
        codes = matmul(self.columns.clipped(values) - self.center, self.basis)
        squared = []
        for index in range(len(KEPT_VARIANCE)):
            reconstructed = self.center + self._cut(codes, index)
            squared.append(self.columns.errors(xp.square(values - reconstructed), row))
        return squared

    def _cut(self, codes: Array, index: int) -> Array:
        """What is left [rows, width] of codes [rows, components] that are cut to width `index`."""
        if on_gpu(codes):
            # How many components these are is not asked, which would have to be waited for.
            kept = counted(codes.shape[1], codes) < self._counts[index]
            return matmul(codes * kept, self.basis.T)
        count = self.counts[index]
        return matmul(codes[:, :count], self.basis[:, :count].T)

    def weighted(self, squared: Array, level: Array) -> Array:
        """Numbers' deviations relative to `level`, those of categories by their logarithm."""
        xp, numeric = namespace(squared), self.layout.numeric
        relative = squared / level
        return xp.concat([relative[:, :numeric], xp.log1p(relative[:, numeric:])], axis=1)
