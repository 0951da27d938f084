"""A linear autoencoder of windows with a memory of normal ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from aedetect.config import ModelConfig
from aedetect.models.tabular.memory import Memory
from aedetect.models.window_base import SeriesAutoencoder, WindowLayout

CODE_WIDTH, REMEMBERED = 16, 2048
# Wider windows have their components found by random projection (Halko et al., 2011).
_EXACT_WIDTH = 1024
# The least weight of a channel that drifts.
_LEAST_WEIGHT = 0.03
# Added to each part's ratio to a typical window's: below it, closer is not more normal.
_FLOOR = 0.03
# A part that is next to nothing in normal windows is taken for at least this share of a window.
_LEAST_PART = 1e-4


class PatchAutoencoder(SeriesAutoencoder):
    """Rebuilds a window from the normal ones it resembles.

    A window is cut to its principal components (the best linear code; Baldi & Hornik, 1989), the
    code is rebuilt from a memory of normal windows' codes (Gong et al., 2019), and that is turned
    back into a window. So the error has two parts: what is off the components, and how far what lies
    along them is from all that is remembered. The first is small in normal windows and would drown in
    the second: a window's score is their geometric mean, each relative to a typical held-out window.
    There is nothing to train step by step: `fit_reference` does all.

    Of several channels, one that drifts would go on to where no remembered window is, and drown the
    others: each is weighed by the share of its variance that lies within windows.

    Shape: [windows, steps, channels] → errors [windows, steps, channels].
    """

    basis: Tensor
    center: Tensor
    weights: Tensor
    typical: Tensor

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__(layout, config)
        width = min(CODE_WIDTH, layout.width)
        self.memory = Memory(width)
        self.register_buffer("basis", torch.zeros(layout.width, width))
        self.register_buffer("center", torch.zeros(layout.width))
        self.register_buffer("weights", torch.ones(layout.channels))
        self.register_buffer("typical", torch.ones(2))

    def errors(self, batch: Tensor) -> Tensor:
        apart = (batch * self.weights).flatten(1) - self.center
        codes = apart @ self.basis
        along = codes @ self.basis.T
        off = (apart - along).square()
        far = (along - self.memory.recall(codes) @ self.basis.T).square()
        parts = torch.stack([far.sum(dim=1), off.sum(dim=1)], dim=1)
        shares = far / parts[:, :1].clamp_min(1e-12) + off / parts[:, 1:].clamp_min(1e-12)
        shares = shares / shares.sum(dim=1, keepdim=True).clamp_min(1e-12)
        return (shares * self._score(parts)[:, None] * self.layout.width).view_as(batch)

    def along(self, stretch: Tensor, left: int, right: int) -> Tensor:
        inner = stretch[left : len(stretch) - right] * self.weights
        return self._score(self._parts(inner.unfold(0, self.layout.steps, 1).transpose(1, 2).flatten(1)))

    def reconstruct(self, batch: Tensor) -> Tensor:
        codes = ((batch * self.weights).flatten(1) - self.center) @ self.basis
        rebuilt = self.center + self.memory.recall(codes) @ self.basis.T
        return rebuilt.view_as(batch) / self.weights

    def settle(self, others: Sequence[SeriesAutoencoder]) -> None:
        # This one remembers the windows that were held out from the others: to it they are not typical.
        known = [other.typical for other in others if isinstance(other, PatchAutoencoder)]
        self.typical = torch.stack(known).median(dim=0).values

    def _parts(self, windows: Tensor) -> Tensor:
        """Squared distances [windows, 2] of weighed windows [windows, width]: to memory, off components."""
        apart = windows - self.center
        codes = apart @ self.basis
        off = (apart.square().sum(dim=1) - codes.square().sum(dim=1)).clamp_min(0)
        return torch.stack([self.memory(codes).sum(dim=1), off], dim=1)

    def _score(self, parts: Tensor) -> Tensor:
        # Half: the parts are squared distances, a score reads better as a distance.
        scores: Tensor = (0.5 * (parts / self.typical + _FLOOR).log().mean(dim=1)).exp()
        return scores

    def fit_reference(self, held_out: Tensor, learned: Tensor, suspect: Tensor) -> None:
        self.weights = _steadiness(learned[~suspect])
        held_out, flat = held_out * self.weights, (learned * self.weights).flatten(1)
        self.center = flat[~suspect].mean(dim=0)
        self.basis = _components(flat[~suspect] - self.center, self.basis.shape[1])
        codes = (flat - self.center) @ self.basis
        self.memory.remember(codes, (held_out.flatten(1) - self.center) @ self.basis, suspect, REMEMBERED)
        parts = self._parts(held_out.flatten(1))
        whole = (held_out.flatten(1) - self.center).square().sum(dim=1).mean()
        least = _LEAST_PART * whole.clamp_min(_LEAST_PART)
        self.typical = (parts.median(dim=0).values + 0.01 * parts.mean(dim=0)).clamp_min(least)


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
