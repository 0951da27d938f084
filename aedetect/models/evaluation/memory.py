"""A denoising autoencoder with memory banks of normal rows: three views of what is anomalous."""

from __future__ import annotations

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.arrays import Array, Arrays, float32
from aedetect.models.evaluation.base import RowEvaluation
from aedetect.models.evaluation.denoising import DenoisingEvaluation
from aedetect.models.evaluation.kernels import matmul, namespace
from aedetect.models.evaluation.layers import Row
from aedetect.models.evaluation.memory_bank import MemoryBank
from aedetect.models.evaluation.standardize import inverse_log_compressed
from aedetect.models.evaluation.views import linear_then_logarithmic

LATENT_WIDTH = 16
# Exponents of the three parts in a row's error, relative to one another.
_LATENT_WEIGHT, _INPUT_WEIGHT, _DENOISER_WEIGHT = 1.0, 0.75, 0.5
# Added to each part's ratio to a typical row's: below it, closer is not more normal.
_FLOOR = 0.03


class MemoryEvaluation(RowEvaluation):
    """Anomalous is a row that the denoiser changes, or far from stored rows, there or in latent space.

    The three parts, each relative to a typical validation row: the errors of a noise-conditional
    denoiser; the squared distance to the row's reconstruction from a memory bank of training rows, in
    standard deviations; and the same in the denoiser's last hidden state, cut to its principal
    components. A row's error is their weighted geometric mean, and is attributed to its features as
    the first two parts are. Memory as reconstruction: Gong et al. (2019), Memory-augmented Autoencoder.

    Shape: [rows, features] → errors [rows, features].
    """

    def __init__(self, layout: Layout, config: ModelConfig, arrays: Arrays):
        super().__init__(layout, config, arrays)
        codes = min(LATENT_WIDTH, config.width)
        self.denoiser = DenoisingEvaluation(layout, config, arrays.under("denoiser"))
        self.latents = MemoryBank(arrays.under("latents"), codes)
        self.rows = MemoryBank(arrays.under("rows"), layout.numeric)
        self.basis = arrays.take("basis", config.width, codes)
        self.gain = arrays.constant("gain", lambda: float32(layout.gain))
        self.shift = arrays.constant("shift", lambda: float32(layout.shift))

    def errors(self, batch: Array) -> Array:
        xp, features = namespace(batch), batch.shape[1]
        denoised, hidden = self.denoiser.clean_pass(batch)
        latent = matmul(hidden, self.basis)
        parts = [
            (_LATENT_WEIGHT, xp.sum(self.latents(latent), axis=1) / self.latents.typical),
            (_DENOISER_WEIGHT, xp.mean(denoised, axis=1)),
        ]
        shares = denoised / xp.clip(xp.sum(denoised, axis=1, keepdims=True), 1e-12, None)
        if self.layout.numeric:
            apart = self.rows(self.standardised(batch)) / self.rows.typical
            distance = xp.sum(apart, axis=1)
            parts.append((_INPUT_WEIGHT, distance))
            apart = apart / xp.clip(distance, 1e-12, None)[:, None]
            numeric = self.layout.numeric
            shares = xp.concat([shares[:, :numeric] + apart, shares[:, numeric:]], axis=1)
            shares = shares / xp.clip(xp.sum(shares, axis=1, keepdims=True), 1e-12, None)
        # Half the exponents: the parts are squared distances, a score reads better as a distance.
        half = 0.5 / sum(weight for weight, _ in parts)
        logarithms = xp.stack([half * weight * xp.log(part + _FLOOR) for weight, part in parts], axis=0)
        score = xp.exp(xp.sum(logarithms, axis=0))
        return shares * score[:, None] * float(features)

    def reconstruct(self, batch: Array) -> Array:
        return self.denoiser.reconstruct(batch)

    def standardised(self, batch: Array) -> Array:
        """Numbers [rows, numeric] in standard deviations from the mean, logarithmic far out; gaps 0."""
        row = Row(batch, self.layout)
        values = linear_then_logarithmic(self.gain * inverse_log_compressed(row.numbers) + self.shift)
        return namespace(batch).where(row.missing, 0.0, values)
