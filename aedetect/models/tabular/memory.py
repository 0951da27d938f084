"""A denoising autoencoder with memory banks of normal rows: how it learns."""

from __future__ import annotations

import torch
from torch import Tensor

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.evaluation.denoising import DenoisingEvaluation
from aedetect.models.evaluation.memory import LATENT_WIDTH, MemoryEvaluation
from aedetect.models.live import live_arrays
from aedetect.models.memory_bank import MemoryBank
from aedetect.models.pca import Decomposition, principal_components
from aedetect.models.tabular.denoising import DenoisingAutoencoder

# More stored codes go on finding more; of rows as they are, and of wider codes, few do as well.
LATENT_ROWS, INPUT_ROWS = 2048, 512
_COMPONENTS = Decomposition()


class MemoryAutoencoder(Autoencoder):
    """Learns a denoiser, then stores normal rows and their codes; see `evaluation.memory`."""

    evaluation_class = MemoryEvaluation

    basis: Tensor

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        # These names stand in model files: `latents` and `rows` are the memory banks.
        self.denoiser = DenoisingAutoencoder(layout, config)
        self.latents = MemoryBank(min(LATENT_WIDTH, config.width))
        self.rows = MemoryBank(layout.numeric)
        self.register_buffer("basis", torch.zeros(config.width, min(LATENT_WIDTH, config.width)))

    def objective(self, batch: Tensor) -> Tensor:
        return self.denoiser.objective(batch)

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        self.denoiser.fit_score_normalisation(validation, learned, outlier_candidates)
        hidden = self._hidden(learned)
        directions, _ = principal_components(hidden - hidden.mean(dim=0), _COMPONENTS)
        # Smallest first, as in the model files there are: another order would round differently.
        self.basis = directions[:, : self.basis.shape[1]].flip(1).contiguous()
        codes, typical_codes = hidden @ self.basis, self._hidden(validation) @ self.basis
        self.latents.fit(codes, typical_codes, outlier_candidates, LATENT_ROWS)
        if self.layout.numeric:
            judge = MemoryEvaluation(self.layout, self.config, live_arrays(self))
            rows, typical_rows = judge.standardised(learned), judge.standardised(validation)
            self.rows.fit(rows, typical_rows, outlier_candidates, INPUT_ROWS)

    def _hidden(self, rows: Tensor) -> Tensor:
        """The denoiser's last hidden state [rows, width] at strong noise."""
        judge = DenoisingEvaluation(self.layout, self.config, live_arrays(self.denoiser))
        hidden: Tensor = judge.clean_pass(rows)[1]
        return hidden
