"""Evidence from isolation: how small a ball around a normal point can hold a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from aedetect.models.buffers import DataSizedBuffers
from aedetect.models.evaluation import isolation as scored
from aedetect.models.evaluation.evidence_part import rounded
from aedetect.models.evaluation.isolation import SAMPLES, UNIT
from aedetect.models.evidence import Evidence
from aedetect.models.live import as_tensor, settled, settled_arrays

_SAMPLED_POINTS = 32


class Isolation(DataSizedBuffers, Evidence):
    """Learns isolation by nearest neighbours from small samples of points; see `evaluation.isolation`."""

    centers: Tensor
    radii: Tensor
    isolation: Tensor

    data_sized: ClassVar[Mapping[str, int]] = {"centers": 1, "radii": 1, "isolation": 1}

    def __init__(self, width: int):
        super().__init__()
        # Balls of a sample from the smallest on. These names stand in model files; radii are squared.
        self.register_buffer("centers", torch.zeros(SAMPLES, 1, width))
        self.register_buffer("radii", torch.zeros(SAMPLES, 1))
        self.register_buffer("isolation", torch.ones(SAMPLES, 1))

    def fit(self, points: Tensor, held_out: Tensor, places: Tensor) -> Tensor:
        count = min(_SAMPLED_POINTS, max(len(points) // 2, 2))
        drawn = torch.stack([torch.randperm(len(points))[:count] for _ in range(SAMPLES)])
        centers = points[drawn.to(points.device)]
        apart = torch.cdist(centers, centers)
        apart.diagonal(dim1=1, dim2=2).fill_(torch.inf)
        radii, neighbours = apart.min(dim=2)
        isolation = 1 - (radii.gather(1, neighbours) + 1e-9) / (radii + 1e-9)
        order = radii.argsort(dim=1)
        self.centers = centers.gather(1, order[:, :, None].expand_as(centers)).contiguous()
        self.radii, self.isolation = radii.square().gather(1, order), isolation.gather(1, order)
        sampled = torch.zeros(SAMPLES, len(points), dtype=torch.bool)
        sampled.scatter_(1, drawn, True)
        counts = (~(sampled[:, places.cpu()] & (places.cpu() >= 0))).T.to(points)
        isolated = as_tensor(self.settled().isolated(settled(held_out)))
        shares = (isolated * counts).sum(dim=1) / counts.sum(dim=1).clamp_min(1)
        return as_tensor(rounded(settled(UNIT * shares)))[:, None]

    def settled(self) -> scored.Isolation:
        return scored.Isolation(self.centers.shape[2], settled_arrays(self))
