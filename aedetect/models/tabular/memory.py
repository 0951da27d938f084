"""A denoising autoencoder with memory banks of normal rows: three views of what is anomalous."""

from __future__ import annotations

import torch
from torch import Tensor

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.layers import Row
from aedetect.models.memory_bank import MemoryBank
from aedetect.models.pca import Decomposition, principal_components
from aedetect.models.standardize import inverse_log_compressed
from aedetect.models.tabular.denoising import DenoisingAutoencoder

# More stored codes go on finding more; of rows as they are, and of wider codes, few do as well.
LATENT_ROWS, INPUT_ROWS = 2048, 512
LATENT_WIDTH = 16
_COMPONENTS = Decomposition()
# Exponents of the three parts in a row's error, relative to one another.
_LATENT_WEIGHT, _INPUT_WEIGHT, _DENOISER_WEIGHT = 1.0, 0.75, 0.5
# Added to each part's ratio to a typical row's: below it, closer is not more normal.
_FLOOR = 0.03
# Numbers are linear up to so many standard deviations, logarithmic beyond.
_LINEAR_RANGE = 10.0


class MemoryAutoencoder(Autoencoder):
    """Anomalous is a row that the denoiser changes, or far from stored rows, there or in latent space.

    The three parts, each relative to a typical validation row: the errors of a noise-conditional
    denoiser; the squared distance to the row's reconstruction from a memory bank of training rows, in
    standard deviations; and the same in the denoiser's last hidden state, cut to its principal
    components. A row's error is their weighted geometric mean, and is attributed to its features as
    the first two parts are. Memory as reconstruction: Gong et al. (2019), Memory-augmented Autoencoder.

    Shape: [rows, features] → errors [rows, features].
    """

    basis: Tensor

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        # These names stand in model files: `latents` and `rows` are the memory banks.
        self.denoiser = DenoisingAutoencoder(layout, config)
        self.latents = MemoryBank(min(LATENT_WIDTH, config.width))
        self.rows = MemoryBank(layout.numeric)
        self.register_buffer("basis", torch.zeros(config.width, min(LATENT_WIDTH, config.width)))
        self.register_buffer("gain", torch.from_numpy(layout.gain).float(), persistent=False)
        self.register_buffer("shift", torch.from_numpy(layout.shift).float(), persistent=False)

    def errors(self, batch: Tensor) -> Tensor:
        if self.training:
            return self.denoiser.errors(batch)
        denoised, hidden = self.denoiser.clean_pass(batch)
        latent = hidden @ self.basis
        parts = [
            (_LATENT_WEIGHT, self.latents(latent).sum(dim=1) / self.latents.typical),
            (_DENOISER_WEIGHT, denoised.mean(dim=1)),
        ]
        shares = denoised / denoised.sum(dim=1, keepdim=True).clamp_min(1e-12)
        if self.layout.numeric:
            apart = self.rows(self._standardised(batch)) / self.rows.typical
            distance = apart.sum(dim=1)
            parts.append((_INPUT_WEIGHT, distance))
            apart = apart / distance.clamp_min(1e-12)[:, None]
            shares[:, : self.layout.numeric] += apart
            shares = shares / shares.sum(dim=1, keepdim=True).clamp_min(1e-12)
        # Half the exponents: the parts are squared distances, a score reads better as a distance.
        half = 0.5 / sum(weight for weight, _ in parts)
        logarithms = torch.stack([half * weight * (part + _FLOOR).log() for weight, part in parts])
        score = logarithms.sum(dim=0).exp()
        return shares * score[:, None] * batch.shape[1]

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self.denoiser.reconstruct(batch)

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        self.denoiser.fit_score_normalisation(validation, learned, outlier_candidates)
        hidden = self.denoiser.clean_pass(learned)[1]
        directions, _ = principal_components(hidden - hidden.mean(dim=0), _COMPONENTS)
        # Smallest first, as in the model files there are: another order would round differently.
        self.basis = directions[:, : self.basis.shape[1]].flip(1).contiguous()
        codes, typical_codes = hidden @ self.basis, self.denoiser.clean_pass(validation)[1] @ self.basis
        self.latents.fit(codes, typical_codes, outlier_candidates, LATENT_ROWS)
        if self.layout.numeric:
            rows, typical_rows = self._standardised(learned), self._standardised(validation)
            self.rows.fit(rows, typical_rows, outlier_candidates, INPUT_ROWS)

    def _standardised(self, batch: Tensor) -> Tensor:
        """Numbers [rows, numeric] in standard deviations from the mean, logarithmic far out; gaps 0."""
        numbers = Row(batch, self.layout).numbers
        values = self.gain * inverse_log_compressed(numbers) + self.shift  # type: ignore[operator]
        size = values.abs()
        far = values.sign() * _LINEAR_RANGE * (1 + (size / _LINEAR_RANGE).clamp_min(1.0).log())
        missing = batch[:, : self.layout.numeric].isnan()
        return torch.where(missing, 0.0, torch.where(size > _LINEAR_RANGE, far, values))
