"""A linear autoencoder of windows with a memory of normal ones."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from aedetect.config import ModelConfig
from aedetect.models.memory import Memory
from aedetect.models.series import SeriesAutoencoder, WindowLayout

CODE_WIDTH, REMEMBERED = 16, 2048
# Wider windows have their components found by random projection (Halko et al., 2011).
_EXACT_WIDTH = 1024
# The least weight of a channel that drifts.
_LEAST_WEIGHT = 0.03


class PatchAutoencoder(SeriesAutoencoder):
    """Rebuilds a window from the normal ones it resembles.

    A window is cut to its principal components (the best linear code; Baldi & Hornik, 1989), the
    code is rebuilt from a memory of normal windows' codes (Gong et al., 2019), and that is turned
    back into a window. What is off the components counts as much as what is far from all that is
    remembered: the error is the squared distance to the rebuilt window. A window's score is the
    distance. There is nothing to train step by step: `fit_reference` does all.

    Of several channels, one that drifts would go on to where no remembered window is, and drown the
    others: each is weighed by the share of its variance that lies within windows.

    Shape: [windows, steps, channels] → errors [windows, steps, channels].
    """

    basis: Tensor
    center: Tensor
    weights: Tensor

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__(layout, config)
        width = min(CODE_WIDTH, layout.width)
        self.memory = Memory(width)
        self.register_buffer("basis", torch.zeros(layout.width, width))
        self.register_buffer("center", torch.zeros(layout.width))
        self.register_buffer("weights", torch.ones(layout.channels))

    def errors(self, batch: Tensor) -> Tensor:
        weighed = batch * self.weights
        apart = (weighed - self._rebuilt(weighed)).square()
        # The root: a score reads better as a distance.
        return apart / apart.mean(dim=(1, 2), keepdim=True).sqrt().clamp_min(1e-12)

    def along(self, stretch: Tensor, left: int, right: int) -> Tensor:
        inner = stretch[left : len(stretch) - right] * self.weights
        apart = inner.unfold(0, self.layout.steps, 1).transpose(1, 2).flatten(1) - self.center
        codes = apart @ self.basis
        off = (apart.square().sum(dim=1) - codes.square().sum(dim=1)).clamp_min(0)
        distances: Tensor = ((self.memory(codes).sum(dim=1) + off) / self.layout.width).sqrt()
        return distances

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self._rebuilt(batch * self.weights) / self.weights

    def _rebuilt(self, batch: Tensor) -> Tensor:
        codes = (batch.flatten(1) - self.center) @ self.basis
        rebuilt: Tensor = self.center + self.memory.recall(codes) @ self.basis.T
        return rebuilt.view_as(batch)

    def fit_reference(self, held_out: Tensor, learned: Tensor, suspect: Tensor) -> None:
        self.weights = _steadiness(learned[~suspect])
        held_out, flat = held_out * self.weights, (learned * self.weights).flatten(1)
        self.center = flat[~suspect].mean(dim=0)
        self.basis = _components(flat[~suspect] - self.center, self.basis.shape[1])
        codes = (flat - self.center) @ self.basis
        self.memory.remember(codes, (held_out.flatten(1) - self.center) @ self.basis, suspect, REMEMBERED)


def _steadiness(windows: Tensor) -> Tensor:
    """Weights [channels] of windows [windows, steps, channels]; 1 for a single one and constants."""
    whole = windows.var(dim=(0, 1), correction=0)
    within = windows.var(dim=1, correction=0).mean(dim=0)
    if len(whole) == 1:
        return torch.ones_like(whole)
    return torch.where(whole > 0, within / whole.clamp_min(1e-12), 1.0).clamp_min(_LEAST_WEIGHT)


def _components(centered: Tensor, count: int) -> Tensor:
    """The first principal directions [width, count] of [windows, width]; 0 where there are fewer."""
    most = min(count, *centered.shape)
    if centered.shape[1] <= _EXACT_WIDTH:
        # In single precision it may not converge where many channels are constant.
        products = (centered.T @ centered).double()
        vectors = torch.linalg.eigh(products)[1].flip(1)[:, :most].to(centered.dtype)
    else:
        vectors = torch.pca_lowrank(centered, q=most, center=False, niter=4)[2]
    return functional.pad(vectors, (0, count - most)).contiguous()
