"""Evidence from isolation: how small a ball around a normal point can hold a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from aedetect.models.buffers import DataSizedBuffers
from aedetect.models.evidence import Evidence, rounded
from aedetect.models.memory_bank import CACHED_ROWS

_SAMPLES, _SAMPLED_POINTS = 64, 32
# A mean share of isolation, in the units of logarithms of distances.
_UNIT = 5.0
# A point on the rim of a ball, as many are where values repeat, is inside, whichever way sums are rounded.
_MARGIN = 1e-5


class Isolation(DataSizedBuffers, Evidence):
    """Isolation by nearest neighbours (Bandaragoda et al., 2018), over small samples of normal points.

    Around each point of a sample is a ball that reaches to the next one. A row counts by the smallest ball
    that holds it: how much larger it is than the one around that next point; in none, it is isolated.

    Shape: points [rows, width] → log scores [rows, 1], no shares.
    """

    centers: Tensor
    radii: Tensor
    isolation: Tensor

    data_sized: ClassVar[Mapping[str, int]] = {"centers": 1, "radii": 1, "isolation": 1}

    def __init__(self, width: int):
        super().__init__()
        # Balls of a sample from the smallest on. These names stand in model files; radii are squared.
        self.register_buffer("centers", torch.zeros(_SAMPLES, 1, width))
        self.register_buffer("radii", torch.zeros(_SAMPLES, 1))
        self.register_buffer("isolation", torch.ones(_SAMPLES, 1))

    def fit(self, points: Tensor, held_out: Tensor, places: Tensor) -> Tensor:
        count = min(_SAMPLED_POINTS, max(len(points) // 2, 2))
        drawn = torch.stack([torch.randperm(len(points))[:count] for _ in range(_SAMPLES)])
        centers = points[drawn.to(points.device)]
        apart = torch.cdist(centers, centers)
        apart.diagonal(dim1=1, dim2=2).fill_(torch.inf)
        radii, neighbours = apart.min(dim=2)
        isolation = 1 - (radii.gather(1, neighbours) + 1e-9) / (radii + 1e-9)
        order = radii.argsort(dim=1)
        self.centers = centers.gather(1, order[:, :, None].expand_as(centers)).contiguous()
        self.radii, self.isolation = radii.square().gather(1, order), isolation.gather(1, order)
        sampled = torch.zeros(_SAMPLES, len(points), dtype=torch.bool)
        sampled.scatter_(1, drawn, True)
        counts = (~(sampled[:, places.cpu()] & (places.cpu() >= 0))).T.to(points)
        isolated = self._isolated(held_out)
        return rounded(_UNIT * (isolated * counts).sum(dim=1) / counts.sum(dim=1).clamp_min(1))[:, None]

    def forward(self, points: Tensor, itself: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        return rounded(_UNIT * self._isolated(points).mean(dim=1))[:, None], None

    def _isolated(self, points: Tensor) -> Tensor:
        """Isolation in each sample [rows, samples]."""
        count = self.centers.shape[1]
        # Samples vary fastest: what is looked for is the first ball of each that holds the point.
        centers = self.centers.transpose(0, 1).flatten(0, 1)
        mirrored = (-2 * centers).T.contiguous()
        # A ball holds a point p where |p|² - 2pc + |c|² is at most its squared radius.
        reach = self.radii.T.flatten() * (1 + _MARGIN) + _MARGIN - centers.square().sum(dim=1)
        ranks = torch.arange(count, device=points.device, dtype=points.dtype)[:, None]
        isolation = torch.cat([self.isolation.T, self.isolation.new_ones(1, _SAMPLES)])
        isolated = []
        for start in range(0, len(points), CACHED_ROWS):
            block = points[start : start + CACHED_ROWS]
            apart = torch.addmm(block.square().sum(dim=1, keepdim=True), block, mirrored)
            outside = (apart > reach).to(apart.dtype).view(len(block), count, _SAMPLES)
            first = (outside * count + ranks).amin(dim=1)
            isolated.append(isolation.gather(0, first.clamp_max(count).long()))
        return torch.cat(isolated)
