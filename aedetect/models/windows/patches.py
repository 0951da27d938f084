"""A linear autoencoder of windows with a memory bank of normal ones: how it learns."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from aedetect.config import ModelConfig
from aedetect.models.base import WindowAutoencoder
from aedetect.models.evaluation.patches import CODE_WIDTH, PatchEvaluation
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.layers import typical
from aedetect.models.live import as_tensor, settled, settled_arrays
from aedetect.models.memory_bank import MemoryBank
from aedetect.models.pca import Decomposition, principal_components

# In single precision the solver may not converge where many channels are constant.
_COMPONENTS = Decomposition(exact_width=1024, power_iterations=4, solver=torch.float64)
# The least weight of a channel that drifts.
_LEAST_WEIGHT = 0.03
# A part that is next to nothing in normal windows is taken for at least this share of a window.
_LEAST_PART = 1e-4


class PatchAutoencoder(WindowAutoencoder):
    """Finds components of windows and stores their codes; see `evaluation.patches`.

    There is nothing to train step by step: `fit_score_normalisation` does all.
    """

    evaluation_class = PatchEvaluation

    memory_size = 2048
    basis: Tensor
    center: Tensor
    weights: Tensor
    typical: Tensor

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__(layout, config)
        width = min(CODE_WIDTH, layout.width)
        # These names stand in model files.
        self.memory = MemoryBank(width)
        self.register_buffer("basis", torch.zeros(layout.width, width))
        self.register_buffer("center", torch.zeros(layout.width))
        self.register_buffer("weights", torch.ones(layout.channels))
        self.register_buffer("typical", torch.ones(2))

    def objective(self, batch: Tensor) -> Tensor:
        errors: Tensor = self.evaluation().errors(batch)
        return errors

    def merge_folds(self, folds: Sequence[WindowAutoencoder]) -> None:
        # This one has stored the folds' validation windows: what is typical of new ones only the folds know.
        each = [fold.typical for fold in folds if isinstance(fold, PatchAutoencoder)]
        self.typical = torch.stack(each).median(dim=0).values

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        self.weights = _steadiness(learned[~outlier_candidates])
        flat = (learned * self.weights).flatten(1)
        unseen = (validation * self.weights).flatten(1)
        self.center = flat[~outlier_candidates].mean(dim=0)
        self.basis = self._basis_of(flat[~outlier_candidates] - self.center)
        codes, unseen_codes = (as_tensor(self._judge().codes(settled(each))) for each in (flat, unseen))
        self.memory.fit(codes, unseen_codes, outlier_candidates, self.memory_size)
        whole = (unseen - self.center).square().sum(dim=1).mean()
        least = _LEAST_PART * whole.clamp_min(_LEAST_PART)
        self.typical = typical(as_tensor(self._judge().parts(settled(unseen))), least)

    def _judge(self) -> PatchEvaluation:
        return PatchEvaluation(self.layout, self.config, settled_arrays(self))

    def _basis_of(self, centered: Tensor) -> Tensor:
        """Principal directions [width, codes] of windows [windows, width]; 0 where there are fewer."""
        count = self.basis.shape[1]
        directions, _ = principal_components(centered, _COMPONENTS, at_least=count)
        directions = directions[:, : min(count, *centered.shape)]
        return functional.pad(directions, (0, count - directions.shape[1])).contiguous()


class ShortPatchAutoencoder(PatchAutoencoder):
    """That of short windows beside long ones: they come in fewer shapes, and are judged as often."""

    memory_size = 1024


def _steadiness(windows: Tensor) -> Tensor:
    """Weights [channels] of windows [windows, steps, channels]; 1 for a single one and constants."""
    whole = windows.var(dim=(0, 1), correction=0)
    within = windows.var(dim=1, correction=0).mean(dim=0)
    if len(whole) == 1:
        return torch.ones_like(whole)
    return torch.where(whole > 0, within / whole.clamp_min(1e-12), 1.0).clamp_min(_LEAST_WEIGHT)
