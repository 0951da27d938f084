"""A linear autoencoder of windows with a memory bank of normal ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from aedetect.config import ModelConfig
from aedetect.models.base import WindowAutoencoder, WindowLayout
from aedetect.models.layers import typical
from aedetect.models.memory_bank import MemoryBank
from aedetect.models.missing import held, held_windows
from aedetect.models.pca import Decomposition, principal_components

CODE_WIDTH = 16
# In single precision the solver may not converge where many channels are constant.
_COMPONENTS = Decomposition(exact_width=1024, power_iterations=4, solver=torch.float64)
# The least weight of a channel that drifts.
_LEAST_WEIGHT = 0.03
# Added to each part's ratio to a typical window's: below it, closer is not more normal.
_FLOOR = 0.03
# A part that is next to nothing in normal windows is taken for at least this share of a window.
_LEAST_PART = 1e-4
_ROUNDS = 10


class PatchAutoencoder(WindowAutoencoder):
    """Reconstructs a window from the normal ones it resembles.

    A window is cut to its principal components (the best linear code; Baldi & Hornik, 1989), the
    code is reconstructed from a memory bank of normal windows' codes (Gong et al., 2019), and that is
    turned back into a window. So the error has two parts: what is off the components, and how far what
    lies along them is from all that is stored. The first is small in normal windows and would drown in
    the second: a window's score is their geometric mean, each relative to a typical validation window.
    There is nothing to train step by step: `fit_score_normalisation` does all.

    Cells that are missing do not count: the code is that of the least squared error over those known,
    moved towards the stored windows that these fit; both parts are scaled up to a whole window.

    Of several channels, one that drifts would go on to where no stored window is, and drown the
    others: each is weighted by the share of its variance that lies within windows.

    Shape: [windows, steps, channels] → errors [windows, steps, channels].
    """

    takes_missing = True
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

    def errors(self, batch: Tensor) -> Tensor:
        known = ~batch.isnan().flatten(1)
        flat = self._completed(held(batch), known)
        apart = flat - self.center
        codes = apart @ self.basis
        along = codes @ self.basis.T
        off = (apart - along).square() * known
        far = (along - self.memory.retrieve(codes) @ self.basis.T).square() * known
        parts = torch.stack([far.sum(dim=1), off.sum(dim=1)], dim=1)
        shares = far / parts[:, :1].clamp_min(1e-12) + off / parts[:, 1:].clamp_min(1e-12)
        shares = shares / shares.sum(dim=1, keepdim=True).clamp_min(1e-12)
        whole = known.shape[1] / known.sum(dim=1, keepdim=True).clamp_min(1)
        return (shares * self._score(parts * whole)[:, None] * self.layout.width).view_as(batch)

    def sliding_scores(self, segment: Tensor, left: int, right: int) -> Tensor:
        inner = segment[left : len(segment) - right]
        if inner.isnan().any():
            known = ~inner.isnan().unfold(0, self.layout.steps, 1).transpose(1, 2).flatten(1)
            flat = self._completed(held_windows(inner, self.layout.steps), known)
            return self._score(self._parts(flat, known))
        weighted = inner * self.weights
        return self._score(self._parts(weighted.unfold(0, self.layout.steps, 1).transpose(1, 2).flatten(1)))

    def reconstruct(self, batch: Tensor) -> Tensor:
        codes = (self._completed(held(batch), ~batch.isnan().flatten(1)) - self.center) @ self.basis
        reconstructed = self.center + self.memory.retrieve(codes) @ self.basis.T
        return reconstructed.view_as(batch) / self.weights

    def merge_folds(self, folds: Sequence[WindowAutoencoder]) -> None:
        # This one has stored the folds' validation windows: what is typical of new ones only the folds know.
        each = [fold.typical for fold in folds if isinstance(fold, PatchAutoencoder)]
        self.typical = torch.stack(each).median(dim=0).values

    def _completed(self, windows: Tensor, known: Tensor) -> Tensor:
        """Weighted `windows` [windows, steps, channels], unknown cells as in normal ones; [windows, width].

        `known` [windows, width]. Cells are rebuilt and put back in turn, which comes to the masked least
        squares of the code (expectation maximisation; Dempster, Laird & Rubin, 1977), then once from the
        memory.
        """
        flat = (windows * self.weights).flatten(1)
        if known.all():
            return flat
        missing, apart = (~known).to(flat.dtype), flat - self.center
        codes, of_known = apart @ self.basis, (apart * known) @ self.basis
        for _ in range(_ROUNDS):
            codes = of_known + (codes @ self.basis.T).mul_(missing) @ self.basis
        # A state that switches is known by its edges, and where one is missing the code lies between two
        # stored ones: of all that fits what is known, what is stored is meant.
        codes = self.memory.retrieve(codes)
        return torch.where(known, flat, self.center + codes @ self.basis.T)

    def _parts(self, windows: Tensor, known: Tensor | None = None) -> Tensor:
        """Squared distances [windows, 2] of weighted windows [windows, width]: to memory, off components.

        Where not all cells are `known` [windows, width], both are scaled up to a whole window.
        """
        apart = windows - self.center
        codes = apart @ self.basis
        far = self.memory(codes).sum(dim=1)
        off = (apart.square().sum(dim=1) - codes.square().sum(dim=1)).clamp_min(0)
        if known is not None:
            whole = known.shape[1] / known.sum(dim=1).clamp_min(1)
            among_known = ((apart - codes @ self.basis.T).square() * known).sum(dim=1)
            off = torch.where(known.all(dim=1), off, among_known * whole)
            far = far * whole
        return torch.stack([far, off], dim=1)

    def _score(self, parts: Tensor) -> Tensor:
        """Scores [windows] from the two parts [windows, 2]."""
        # Half: the parts are squared distances, a score reads better as a distance.
        scores: Tensor = (0.5 * (parts / self.typical + _FLOOR).log().mean(dim=1)).exp()
        return scores

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        self.weights = _steadiness(learned[~outlier_candidates])
        flat = (learned * self.weights).flatten(1)
        unseen = (validation * self.weights).flatten(1)
        self.center = flat[~outlier_candidates].mean(dim=0)
        self.basis = self._basis_of(flat[~outlier_candidates] - self.center)
        codes = (flat - self.center) @ self.basis
        self.memory.fit(codes, (unseen - self.center) @ self.basis, outlier_candidates, self.memory_size)
        whole = (unseen - self.center).square().sum(dim=1).mean()
        least = _LEAST_PART * whole.clamp_min(_LEAST_PART)
        self.typical = typical(self._parts(unseen), least)

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
