"""A memory bank of normal points, and reconstruction from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from torch import Tensor

from aedetect.models.buffers import DataSizedBuffers
from aedetect.models.layers import typical

# So many rows at a time stay in the processor's cache: twice as fast as all at once.
CACHED_ROWS = 64
# Softmin temperature, as a multiple of the typical squared distance to the nearest point.
_SHARPNESS = 0.25
# A weight of exp(-60) is nothing beside 1. Smaller ones would be denormal numbers, over which some processors
# take many times longer.
_FAINTEST = 60.0
# What an outlier candidate costs, as a share of its distance from the points that are none.
_DOUBT = 0.6
_NEIGHBOURS = 5
_DRAWN_AT_ONCE, _COMPARED_ROWS = 32, 1024
# Where all that is left repeats what was chosen, the draw is uniform.
_LEAST_CHANCE = 1e-3


class MemoryBank(DataSizedBuffers):
    """Reconstructs points as softmin-weighted means of stored ones (after Gong et al., 2019).

    Shape: points [rows, width] → squared deviations from their reconstruction [rows, width].

    >>> bank = MemoryBank(width=2)
    >>> points = torch.randn(100, 2)
    >>> bank.fit(points, points, torch.zeros(100, dtype=torch.bool), size=50)
    >>> bank.points.shape, bank(torch.zeros(7, 2)).shape
    (torch.Size([50, 2]), torch.Size([7, 2]))
    """

    points: Tensor
    penalties: Tensor
    temperature: Tensor
    typical: Tensor

    data_sized: ClassVar[Mapping[str, int]] = {"points": 0, "penalties": 0}

    def __init__(self, width: int):
        super().__init__()
        # These names stand in model files.
        self.register_buffer("points", torch.zeros(1, width))
        self.register_buffer("penalties", torch.zeros(1))
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("typical", torch.ones(()))

    def forward(self, points: Tensor) -> Tensor:
        penalised = bool(self.penalties.any())
        parts = []
        for block, weights in self._weighted(points):
            squared = (block - weights @ self.points).square()
            if penalised:
                squared += (weights @ self.penalties / points.shape[1])[:, None]
            parts.append(squared)
        return torch.cat(parts)

    def retrieve(self, points: Tensor) -> Tensor:
        """What `points` [rows, width] are reconstructed as; [rows, width]."""
        return torch.cat([weights @ self.points for _, weights in self._weighted(points)])

    def _weighted(self, points: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Points, a few at a time, and the weights of the stored ones in each; [rows, stored]."""
        # The squared length of a point is the same for all that is stored: softmax drops it.
        sharpened = (2 / self.temperature * self.points).T.contiguous()
        offsets = -(self.points.square().sum(dim=1) + self.penalties) / self.temperature
        # Room that is used again stays in the processor's cache; gradients would need each block's own.
        room = None if torch.is_grad_enabled() else points.new_empty(CACHED_ROWS, len(self.points))
        for block in points.split_with_sizes(_chunks(len(points))):
            out = None if room is None else room[: len(block)]
            logits = torch.addmm(offsets, block, sharpened, out=out)
            yield block, mixture_weights(logits, out=out)

    def fit(self, points: Tensor, validation: Tensor, outlier_candidates: Tensor, size: int) -> None:
        """Store at most `size` of `points` [rows, width]; those of `validation` [rows, width] are typical.

        Points marked in `outlier_candidates` [rows] may be anomalies. They cost a part of their
        distance to the nearest point that is none: a group of anomalies, far out, cannot vouch for
        others of its kind, while a normal point on the fringe is hardly dearer than before.
        """
        chosen = coreset(points, size)
        self.points, doubted = points[chosen], outlier_candidates[chosen]
        self.penalties = torch.zeros_like(self.points[:, 0])
        if doubted.any() and not doubted.all():
            apart = torch.cdist(self.points[doubted], self.points[~doubted]).amin(dim=1)
            self.penalties[doubted] = (_DOUBT * apart).square()
        trusted = ~doubted if not doubted.all() else doubted
        apart = torch.cdist(self.points, self.points).square()
        apart.fill_diagonal_(torch.inf)
        near = apart[trusted].topk(min(_NEIGHBOURS, len(self.points) - 1), dim=1, largest=False).values
        self.temperature = _SHARPNESS * (near[:, 0].median() + 0.01 * near.mean() + 1e-9)
        self.typical = typical(self(validation).sum(dim=1), least=1e-9)


def mixture_weights(logits: Tensor, out: Tensor | None = None) -> Tensor:
    """Softmax of each row of `logits` [rows, choices], without denormal numbers; [rows, choices].

    `out`: where to put it, which may be the logits themselves.

    >>> mixture_weights(torch.tensor([[0.0, 0.0, -1000.0]])).round(decimals=3)
    tensor([[0.5000, 0.5000, 0.0000]])
    """
    faintest = logits.amax(dim=1, keepdim=True) - _FAINTEST
    return torch.softmax(torch.maximum(logits, faintest, out=out), dim=1, out=out)


def coreset(points: Tensor, size: int) -> Tensor:
    """Indices of at most `size` of `points` [rows, width], whose order must be random.

    Half of them are the first; each other one is drawn with a chance that grows with its distance
    from those chosen so far (k-means++; Arthur & Vassilvitskii, 2007), so that thinly populated
    regions are represented too. The chance follows the distance, not its square: outliers alone
    would be drawn otherwise. Draws from torch's global generator.

    >>> coreset(torch.randn(1000, 3), 100).shape
    torch.Size([100])
    """
    if len(points) <= size:
        return torch.arange(len(points), device=points.device)
    chosen = torch.arange(size // 2, device=points.device)
    apart = torch.cat(
        [torch.cdist(block, points[chosen]).amin(dim=1) for block in torch.split(points, _COMPARED_ROWS)]
    )
    while len(chosen) < size:
        chance = apart + _LEAST_CHANCE * apart.mean() + torch.finfo(apart.dtype).tiny
        drawn = torch.multinomial(chance, _DRAWN_AT_ONCE)
        apart = torch.minimum(apart, torch.cdist(points, points[drawn]).amin(dim=1))
        chosen = torch.cat([chosen, drawn])
    return chosen[:size]


def _chunks(rows: int) -> list[int]:
    whole, rest = divmod(rows, CACHED_ROWS)
    return [CACHED_ROWS] * whole + [rest] * (rest > 0 or rows == 0)
