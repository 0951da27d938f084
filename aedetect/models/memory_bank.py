"""A memory bank of normal points: what it stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from aedetect.models.buffers import DataSizedBuffers
from aedetect.models.evaluation import memory_bank as evaluation
from aedetect.models.layers import typical
from aedetect.models.live import as_tensor, settled, settled_arrays

# Softmin temperature, as a multiple of the typical squared distance to the nearest point.
_SHARPNESS = 0.25
# What an outlier candidate costs, as a share of its distance from the points that are none.
_DOUBT = 0.6
_NEIGHBOURS = 5
_DRAWN_AT_ONCE, _COMPARED_ROWS = 32, 1024
# Where all that is left repeats what was chosen, the draw is uniform.
_LEAST_CHANCE = 1e-3


class MemoryBank(DataSizedBuffers):
    """Stores normal points [points, width] that others are judged by; see `evaluation.memory_bank`.

    >>> import numpy as np
    >>> bank = MemoryBank(width=2)
    >>> points = torch.randn(100, 2)
    >>> bank.fit(points, points, torch.zeros(100, dtype=torch.bool), size=50)
    >>> bank.points.shape, bank.settled()(np.zeros((7, 2), np.float32)).shape
    (torch.Size([50, 2]), (7, 2))
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

    def settled(self) -> evaluation.MemoryBank:
        """The bank as scoring has it."""
        return evaluation.MemoryBank(settled_arrays(self), self.points.shape[1])

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
        judged = as_tensor(self.settled()(settled(validation)))
        self.typical = typical(judged.sum(dim=1), least=1e-9)


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
